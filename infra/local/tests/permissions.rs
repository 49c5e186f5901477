//! The functions' permissions: how they are read from the template, and how a call without permission is refused.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{AppName, retry::RetryConfig};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, TransactWriteItem, Update,
};
use classpay_local::template::{Expression, Permission, Resource, TEMPLATE, Template};
use reqwest::Method;
use serde_json::{Value, json};

use crate::echo;

fn permission(action: &str, resource: Resource) -> Permission {
    Permission { action: action.to_owned(), resource }
}

#[test]
fn each_action_of_a_statement_is_a_permission_on_each_of_its_resources() {
    let template = Template::parse(echo::TEMPLATE).unwrap();
    let found: Vec<_> = template.functions["EchoFunction"].permissions.iter().cloned().collect();
    let expected = [
        permission("dynamodb:GetItem", Resource::Table),
        permission("dynamodb:PutItem", Resource::Table),
        permission("dynamodb:Query", Resource::Index("Later".into())),
        permission("secretsmanager:GetSecretValue", Resource::Other("Secret".into())),
    ];
    assert_eq!(found, expected);
    assert!(template.functions["HastyFunction"].permissions.is_empty(), "it has no policies");
}

#[test]
fn a_policy_that_allows_more_than_it_names_is_refused_and_so_is_one_that_is_not_understood() {
    const STATEMENT: &str = "Resources.EchoFunction.Properties.Policies[0].Statement[0]";
    let actions = "Action: [dynamodb:GetItem, dynamodb:PutItem]";
    let table = "Resource: !GetAtt Table.Arn";
    for (from, to, complaint) in [
        (actions, "Action: \"dynamodb:*\"", format!("{STATEMENT}.Action: a wildcard")),
        (actions, "Action: [dynamodb:GetItem, \"dynamodb:Put*\"]", format!("{STATEMENT}.Action[1]: a wildcard")),
        (actions, "Action: \"*\"", format!("{STATEMENT}.Action: a wildcard")),
        (actions, "Action: GetItem", format!("{STATEMENT}.Action: an action is written service:Action")),
        (actions, "Action: [dynamodb:GetItem, dynamodb:GetItem]", "dynamodb:GetItem is allowed twice".into()),
        (actions, "NotAction: dynamodb:Scan", format!("{STATEMENT}.NotAction: is not understood here")),
        (table, "Resource: \"*\"", format!("{STATEMENT}.Resource: a wildcard")),
        (table, "Resource: !Sub \"${Table.Arn}/index/*\"", format!("{STATEMENT}.Resource: a wildcard")),
        (table, "Resource: !Sub \"${Table.Arn}/index/Sooner\"", "the table has no /index/Sooner".into()),
        (table, "Resource: !GetAtt Other.Arn", "dynamodb:GetItem is on the table or on an index of it".into()),
        (table, "Resource: !Join [x]", format!("{STATEMENT}.Resource: !Join takes one text here")),
        (table, "Condition: {}\n              Resource: x", format!("{STATEMENT}.Condition: is not understood here")),
        ("Effect: Allow", "Effect: Deny", format!("{STATEMENT}.Effect: only Allow")),
        ("2012-10-17", "2008-10-17", "Policies[0].Version: only 2012-10-17".into()),
        ("- Version: \"2012-10-17\"", "- Id: x", "Policies[0].Id: is not understood here".into()),
        ("Policies:\n", "Policies:\n        - AWSLambdaBasicExecutionRole\n", "Policies[0]: expected a mapping".into()),
        ("Policies:\n", "Policies:\n        - DynamoDBCrudPolicy: {}\n", "is not understood here".into()),
        ("Policies:\n", "Role: x\n      Policies:\n", "EchoFunction.Properties.Role: what a function may do".into()),
    ] {
        assert!(echo::TEMPLATE.contains(from), "{from}");
        let problem = Template::parse(&echo::TEMPLATE.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(problem.contains(&complaint), "{problem}\n is not about\n{complaint}");
    }
}

/// A caller of the table.
struct Caller {
    client: Client,
    table: String,
}

type Written<E> = Result<(), SdkError<E>>;

impl Caller {
    /// The function with that name; `None` for a caller that is not in the template.
    fn of(api: &echo::Api, name: Option<&str>) -> Self {
        let client = classpay_local::dynamodb::client(&api.stack.dynamodb_url, true);
        let named = client.config().to_builder().retry_config(RetryConfig::disabled());
        let named = match name {
            Some(name) => named.app_name(AppName::new(name.to_owned()).unwrap()),
            None => named,
        };
        Self { client: Client::from_conf(named.build()), table: api.stack.table.clone() }
    }

    async fn transact(&self, members: &[TransactWriteItem]) -> Result<(), String> {
        told(self.client.transact_write_items().set_transact_items(Some(members.to_vec())).send().await.map(drop))
    }

    fn put(&self, name: &str) -> TransactWriteItem {
        let put = Put::builder().table_name(&self.table).item("pk", text(name)).item("sk", text(name));
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    }

    async fn has(&self, name: &str) -> bool {
        let get = self.client.get_item().table_name(&self.table).key("pk", text(name)).key("sk", text(name));
        get.consistent_read(true).send().await.unwrap().item.is_some()
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// The code and message with which a call was refused.
fn told<E: ProvideErrorMetadata>(answer: Written<E>) -> Result<(), String> {
    answer.map_err(|error| match error {
        SdkError::ServiceError(error) => {
            format!("{} {}", error.err().code().unwrap(), error.err().message().unwrap())
        }
        _ => panic!("no answer"),
    })
}

/// AWS's wording of the refusal.
fn refusal(action: &str, resource: &str) -> Result<(), String> {
    Err(format!(
        "AccessDeniedException User: arn:aws:sts::000000000000:assumed-role/echo/echo is not authorized to perform: \
         {action} on resource: arn:aws:dynamodb:eu-west-2:000000000000:table/{resource} because no identity-based \
         policy allows the {action} action"
    ))
}

#[tokio::test]
async fn a_function_is_refused_what_its_policies_do_not_allow_and_nothing_is_done() {
    let api = echo::echo().await;
    let (echo, table) = (Caller::of(&api, Some("echo")), api.stack.table.as_str());
    assert!(!echo.has("a").await, "it may read");
    let scan = told(echo.client.scan().table_name(table).send().await.map(drop));
    assert_eq!(scan, refusal("dynamodb:Scan", table));
    let delete = echo.client.delete_item().table_name(table).key("pk", text("a")).key("sk", text("a"));
    assert_eq!(told(delete.send().await.map(drop)), refusal("dynamodb:DeleteItem", table));
    let keys = KeysAndAttributes::builder().keys([("pk".into(), text("a")), ("sk".into(), text("a"))].into());
    let batch = echo.client.batch_get_item().request_items(table, keys.build().unwrap());
    assert_eq!(told(batch.send().await.map(drop)), refusal("dynamodb:BatchGetItem", table));

    // The function may query the index, but not the table, and may read no other table.
    let query = || echo.client.query().table_name(table).expression_attribute_values(":k", text("a"));
    let of_index = query().index_name("Later").key_condition_expression("due = :k");
    assert_eq!(told(of_index.send().await.map(drop)), Ok(()));
    let of_table = query().key_condition_expression("pk = :k");
    assert_eq!(told(of_table.send().await.map(drop)), refusal("dynamodb:Query", table));
    let elsewhere = echo.client.get_item().table_name("other").key("pk", text("a")).key("sk", text("a"));
    assert_eq!(told(elsewhere.send().await.map(drop)), refusal("dynamodb:GetItem", "other"));
}

#[tokio::test]
async fn a_transaction_needs_what_its_members_need() {
    let api = echo::echo().await;
    let (echo, table) = (Caller::of(&api, Some("echo")), api.stack.table.as_str());
    let update = Update::builder().table_name(table).key("pk", text("a")).key("sk", text("a"));
    let update = update.update_expression("REMOVE x").build().unwrap();
    let check = ConditionCheck::builder().table_name(table).key("pk", text("a")).key("sk", text("a"));
    let check = check.condition_expression("attribute_not_exists(pk)").build().unwrap();
    let delete = Delete::builder().table_name(table).key("pk", text("a")).key("sk", text("a")).build().unwrap();
    let member = TransactWriteItem::builder;
    for (member, action) in [
        (member().update(update).build(), "dynamodb:UpdateItem"),
        (member().condition_check(check).build(), "dynamodb:ConditionCheckItem"),
        (member().delete(delete).build(), "dynamodb:DeleteItem"),
    ] {
        assert_eq!(echo.transact(&[echo.put("b"), member]).await, refusal(action, table));
        assert!(!echo.has("b").await, "all of it or nothing");
    }
    assert_eq!(echo.transact(&[echo.put("b")]).await, Ok(()));
    assert!(echo.has("b").await);
}

#[tokio::test]
async fn a_caller_that_is_no_function_may_do_everything() {
    let api = echo::echo().await;
    for name in [None, Some("other")] {
        let scan = Caller::of(&api, name).client.scan().table_name(&api.stack.table).send().await;
        assert_eq!(told(scan.map(drop)), Ok(()), "{name:?}");
    }
}

#[tokio::test]
async fn the_log_counts_the_permissions_that_calls_have_used() {
    let api = echo::echo().await;
    let echo = Caller::of(&api, Some("echo"));
    assert_eq!(echo.transact(&[echo.put("a"), echo.put("b")]).await, Ok(()));
    assert!(echo.has("a").await && echo.has("b").await);
    assert!(echo.client.scan().table_name(&echo.table).send().await.is_err());
    let requests = |method| api.client.request(method, format!("{}/_control/requests", api.stack.dynamodb_url)).send();
    let log: Value = requests(Method::GET).await.unwrap().json().await.unwrap();
    let used = |action: &str, count: u32| json!({"function": "echo", "action": action, "resource": "the table", "count": count});
    assert_eq!(log["used"], json!([used("dynamodb:GetItem", 2), used("dynamodb:PutItem", 1)]));
    let scan = ["function", "operation", "status", "faulty"].map(|name| log["calls"][3][name].clone());
    assert_eq!(json!(scan), json!(["echo", "Scan", 400, false]));
    requests(Method::DELETE).await.unwrap();
    let log: Value = requests(Method::GET).await.unwrap().json().await.unwrap();
    assert_eq!(log["used"], json!([]));
}

#[test]
fn a_function_reads_the_secrets_that_its_environment_names_and_no_others() {
    let template = Template::parse(TEMPLATE).unwrap();
    let mut readers = 0;
    for function in template.functions.values() {
        let named: BTreeSet<&str> = function
            .environment
            .iter()
            .filter(|(name, _)| name.ends_with("_SECRET_ARN"))
            .map(|(name, value)| match value {
                Expression::Ref(parameter) => parameter.as_str(),
                other => panic!("{}: {name} is {other:?}, not a parameter", function.resource),
            })
            .collect();
        let read: BTreeSet<&str> = function
            .permissions
            .iter()
            .filter(|permission| !permission.action.starts_with("dynamodb:"))
            .map(|permission| match (permission.action.as_str(), &permission.resource) {
                ("secretsmanager:GetSecretValue", Resource::Other(parameter)) => parameter.as_str(),
                other => panic!("{}: {other:?}", function.resource),
            })
            .collect();
        assert_eq!(named, read, "{}", function.resource);
        readers += usize::from(!read.is_empty());
    }
    assert!(readers > 3, "{readers}");
}
