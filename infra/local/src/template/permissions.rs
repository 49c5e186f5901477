//! A function's permissions in the cloud: its inline policies.
//!
//! Invariant: a permission is one action on one resource. Anything that would allow more than is read here (a wildcard,
//! another role, an external policy) is an error, and so is a duplicate permission.

use std::collections::BTreeSet;
use std::fmt;

use super::node::Node;
use super::table::Table;
use super::{Expression, TemplateError};

/// The only version of the policy language that is supported, and the newest.
const VERSION: &str = "2012-10-17";
/// The prefix of actions on the table.
const DYNAMODB: &str = "dynamodb:";

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The action as IAM names it, such as `dynamodb:GetItem`.
    pub action: String,
    /// The resource.
    pub resource: Resource,
}

/// The resource of a permission.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The template's table.
    Table,
    /// An index of the table, by name.
    Index(String),
    /// A resource of another service, as the template writes it: a parameter's name, or an ARN.
    Other(String),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table => f.write_str("the table"),
            Self::Index(name) => write!(f, "the index {name}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// The permissions of a function with these properties; `table` is the resource name of the template's table.
pub(super) fn read(properties: &Node<'_>, table: (&str, &Table)) -> Result<BTreeSet<Permission>, TemplateError> {
    for elsewhere in ["Role", "PermissionsBoundary"] {
        if let Some(node) = properties.child(elsewhere)? {
            return Err(node.error("what a function may do is read from its Policies only"));
        }
    }
    let mut permissions = BTreeSet::new();
    let Some(policies) = properties.child("Policies")? else { return Ok(permissions) };
    for policy in policies.items()? {
        policy.has_only(&["Version", "Statement"])?;
        let version = policy.required("Version")?;
        if version.text()? != VERSION {
            return Err(version.error(format!("only {VERSION} is understood here")));
        }
        for statement in policy.required("Statement")?.items()? {
            add(&mut permissions, &statement, table)?;
        }
    }
    Ok(permissions)
}

/// Adds every action of a statement on each of its resources.
fn add(
    permissions: &mut BTreeSet<Permission>,
    statement: &Node<'_>,
    table: (&str, &Table),
) -> Result<(), TemplateError> {
    statement.has_only(&["Sid", "Effect", "Action", "Resource"])?;
    let effect = statement.required("Effect")?;
    if effect.text()? != "Allow" {
        return Err(effect.error("only Allow is understood here"));
    }
    let resources = statement.required("Resource")?.one_or_more()?;
    for action in statement.required("Action")?.one_or_more()? {
        let name = action.text()?;
        if is_wild(name) {
            return Err(action.error("a wildcard: each action has to be named"));
        }
        if !name.contains(':') {
            return Err(action.error("an action is written service:Action"));
        }
        for node in &resources {
            let resource = resource(node, table)?;
            if name.starts_with(DYNAMODB) && matches!(resource, Resource::Other(_)) {
                return Err(node.error(format!("{name} is on the table or on an index of it")));
            }
            if !permissions.insert(Permission { action: name.to_owned(), resource }) {
                return Err(action.error(format!("{name} is allowed twice")));
            }
        }
    }
    Ok(())
}

fn is_wild(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn resource(node: &Node<'_>, (name, table): (&str, &Table)) -> Result<Resource, TemplateError> {
    let (Expression::Literal(text) | Expression::Ref(text) | Expression::GetAtt(text) | Expression::Sub(text)) =
        &node.expression()?;
    if is_wild(text) {
        return Err(node.error("a wildcard: each resource has to be named"));
    }
    let arn = format!("{name}.Arn");
    match node.expression()? {
        Expression::GetAtt(attribute) if attribute == arn => Ok(Resource::Table),
        Expression::Sub(text) => match text.strip_prefix(&format!("${{{arn}}}")) {
            Some("") => Ok(Resource::Table),
            Some(below) => {
                let index =
                    below.strip_prefix("/index/").filter(|index| table.indexes.iter().any(|i| i.name == *index));
                let index = index.ok_or_else(|| node.error(format!("the table has no {below}")))?;
                Ok(Resource::Index(index.to_owned()))
            }
            None => Ok(Resource::Other(text)),
        },
        Expression::Literal(text) | Expression::Ref(text) | Expression::GetAtt(text) => Ok(Resource::Other(text)),
    }
}
