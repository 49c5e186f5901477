//! The environment of a function's process: Lambda's own variables, the template's, and the addresses of this stack's
//! DynamoDB and Stripe.
//!
//! Only the variables named here are taken from the developer's environment, so a function can't depend on one that it
//! won't have in the cloud.

use std::collections::BTreeMap;
use std::fmt;

use classpay_operator::machine::variable;
use classpay_operator::stack::LOCAL_REGION;

use crate::secrets;
use crate::template::{Expression, Function, Template};

/// The name of the stack.
const LOCAL_STACK: &str = "classpay-local";

/// The AWS account that the stack reports.
pub const LOCAL_ACCOUNT: &str = "000000000000";

const STRIPE_SECRET_ARN: &str = "STRIPE_SECRET_ARN";
const WEBHOOK_SECRET_ARN: &str = "WEBHOOK_SECRET_ARN";
const PAYMENT_LINK_URL: &str = "PAYMENT_LINK_URL";
const CLOCK_OFFSET_MS: &str = "CLOCK_OFFSET_MS";

/// The services that functions call.
#[derive(Debug, Clone)]
pub struct Backends {
    /// The URL of the API itself, where links are opened.
    pub api_url: String,
    pub dynamodb_url: String,
    pub stripe_url: String,
    /// The name of the table.
    pub table: String,
    /// `AWS_*` variables: local values, or the developer's own for an AWS that is not local.
    pub credentials: BTreeMap<String, String>,
    /// How far the stack's clock is ahead of the machine's; `None` where the clock can't be moved.
    pub clock_offset_ms: Option<i64>,
}

impl Backends {
    /// Credentials for an AWS that checks none.
    #[must_use]
    pub fn local_credentials() -> BTreeMap<String, String> {
        [("AWS_REGION", LOCAL_REGION), ("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}

/// A function's variables, complete except for the address of its process's Runtime API.
#[derive(Clone, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Every variable with its value.
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The same environment with the clock moved, if this function's clock can be moved.
    #[must_use]
    pub fn with_clock_offset(&self, offset_ms: i64) -> Self {
        let mut variables = self.0.clone();
        if let Some(offset) = variables.get_mut(CLOCK_OFFSET_MS) {
            *offset = offset_ms.to_string();
        }
        Self(variables)
    }

    /// The function's ARN.
    pub(super) fn arn(&self) -> String {
        let variable = |name: &str| self.0.get(name).map_or("", String::as_str);
        format!(
            "arn:aws:lambda:{}:{LOCAL_ACCOUNT}:function:{}",
            variable("AWS_REGION"),
            variable("AWS_LAMBDA_FUNCTION_NAME")
        )
    }
}

/// A variable of the template that has no value here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    pub function: String,
    pub variable: String,
    pub problem: String,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template.yaml: Resources.{}: the variable {} {}", self.function, self.variable, self.problem)
    }
}

impl std::error::Error for Unresolved {}

/// The environment of a function.
///
/// # Errors
/// A variable of the template has no known value here.
pub fn environment(function: &Function, template: &Template, backends: &Backends) -> Result<Environment, Unresolved> {
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
    set("PATH", variable("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned()));
    set("LANG", "en_US.UTF-8".to_owned());
    set("TZ", ":UTC".to_owned());
    set("_HANDLER", "bootstrap".to_owned());
    set("AWS_LAMBDA_FUNCTION_NAME", function.package.clone());
    set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned());
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mib.to_string());
    set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned());
    set("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.package));
    set("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned());
    for (name, value) in &backends.credentials {
        set(name, value.clone());
    }
    for (name, expression) in &function.environment {
        let value = resolve(name, expression, template, backends).map_err(|problem| Unresolved {
            function: function.resource.clone(),
            variable: name.clone(),
            problem,
        })?;
        set(name, value);
    }
    set("AWS_ENDPOINT_URL_DYNAMODB", backends.dynamodb_url.clone());
    // The SDK sends this with each call; the embedded DynamoDB uses it to distinguish the functions.
    set("AWS_SDK_UA_APP_ID", function.package.clone());
    // A function without a key has no access to Stripe, here as in the cloud.
    if function.environment.contains_key(STRIPE_SECRET_ARN) {
        set("AWS_ENDPOINT_URL_SECRETS_MANAGER", format!("{}{}", backends.api_url, secrets::PATH));
        set("STRIPE_API_BASE", backends.stripe_url.clone());
    }
    if let Some(offset) = backends.clock_offset_ms {
        set(CLOCK_OFFSET_MS, offset.to_string());
    }
    Ok(Environment(variables))
}

fn resolve(name: &str, expression: &Expression, template: &Template, backends: &Backends) -> Result<String, String> {
    match expression {
        // Parameters of the deployment. Here the secrets are the stack's own, and links open at the API itself.
        Expression::Ref(_) if name == STRIPE_SECRET_ARN => Ok(secrets::STRIPE_KEY_ARN.to_owned()),
        Expression::Ref(_) if name == WEBHOOK_SECRET_ARN => Ok(secrets::WEBHOOK_SIGNING_ARN.to_owned()),
        Expression::Ref(stack) if stack == "AWS::StackName" => Ok(LOCAL_STACK.to_owned()),
        Expression::Ref(_) if name == PAYMENT_LINK_URL => Ok(format!("{}/v1/payment-links/", backends.api_url)),
        Expression::Literal(text) => Ok(text.clone()),
        Expression::Ref(resource) if *resource == template.table_resource => Ok(backends.table.clone()),
        Expression::Sub(text) => {
            let value = text.replace(&format!("${{{}}}", template.table_resource), &backends.table);
            if value.contains("${") {
                Err(format!("is {text:?}, of which a part has no local value"))
            } else {
                Ok(value)
            }
        }
        Expression::Ref(resource) => Err(format!("refers to {resource}, which has no local value")),
        Expression::GetAtt(attribute) => Err(format!("is {attribute}, which has no local value")),
    }
}
