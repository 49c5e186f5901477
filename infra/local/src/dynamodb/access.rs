//! Which permissions a call needs, and whether its caller's policies in the template allow it, as IAM decides for
//! DynamoDB.
//!
//! Invariant: a function may do what the template says, action by action; a call that isn't recognised here is refused.
//! Only the template's functions are restricted: an import, an operator and a test have credentials of their own.

use std::collections::{BTreeMap, BTreeSet};

use classpay_operator::stack::LOCAL_REGION;
use serde_json::Value;

use super::faults::Call;
use crate::runtime::LOCAL_ACCOUNT;
use crate::template::{Permission, Resource, Template};

/// The functions' permissions on the table.
#[derive(Debug, Clone)]
pub struct Access {
    table: String,
    /// By the name that a function reports, which is its package's.
    allowed: BTreeMap<String, BTreeSet<Permission>>,
}

impl Access {
    /// The permissions of this template's functions on its table, which has this name here.
    #[must_use]
    pub fn of(template: &Template, table: &str) -> Self {
        let mut allowed: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for function in template.functions.values() {
            allowed.entry(function.package.clone()).or_default().extend(function.permissions.iter().cloned());
        }
        Self { table: table.to_owned(), allowed }
    }

    /// The permissions that a call with this body needs.
    pub(super) fn needs(&self, call: &Call, body: &[u8]) -> BTreeSet<Permission> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let need = |operation: &str, resource| Permission { action: format!("dynamodb:{operation}"), resource };
        let members = || body["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
        match call.operation.as_str() {
            // Each member of a transaction is checked as the call it stands for.
            "TransactWriteItems" | "TransactGetItems" => {
                let of = |(kind, member): (&String, &Value)| need(stands_for(kind), self.table_of(member));
                members().map(of).collect()
            }
            "BatchGetItem" | "BatchWriteItem" => {
                let tables = body["RequestItems"].as_object().into_iter().flatten();
                tables.map(|(table, _)| need(&call.operation, self.table_named(table))).collect()
            }
            operation => {
                let resource = match (self.table_of(&body), body["IndexName"].as_str()) {
                    (Resource::Table, Some(index)) => Resource::Index(index.to_owned()),
                    (resource, _) => resource,
                };
                [need(operation, resource)].into()
            }
        }
    }

    /// The needed permission that the function lacks, if any. A caller that is not a function of the template may do
    /// everything.
    pub(super) fn refused<'a>(&self, function: &str, needs: &'a BTreeSet<Permission>) -> Option<&'a Permission> {
        let allowed = self.allowed.get(function)?;
        needs.iter().find(|need| !allowed.contains(need))
    }

    fn table_of(&self, call: &Value) -> Resource {
        self.table_named(call["TableName"].as_str().unwrap_or_default())
    }

    fn table_named(&self, name: &str) -> Resource {
        if name == self.table { Resource::Table } else { Resource::Other(name.to_owned()) }
    }

    /// A resource's ARN.
    fn arn(&self, resource: &Resource) -> String {
        let (table, below) = match resource {
            Resource::Table => (&self.table, String::new()),
            Resource::Index(index) => (&self.table, format!("/index/{index}")),
            Resource::Other(name) => (name, String::new()),
        };
        format!("arn:aws:dynamodb:{LOCAL_REGION}:{LOCAL_ACCOUNT}:table/{table}{below}")
    }

    /// AWS's error for a function that lacks this permission.
    pub(super) fn refusal(&self, function: &str, permission: &Permission) -> String {
        let Permission { action, resource } = permission;
        format!(
            "User: arn:aws:sts::{LOCAL_ACCOUNT}:assumed-role/{function}/{function} is not authorized to perform: \
             {action} on resource: {} because no identity-based policy allows the {action} action",
            self.arn(resource)
        )
    }
}

/// The call that a member of a transaction stands for.
fn stands_for(kind: &str) -> &str {
    match kind {
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        "ConditionCheck" => "ConditionCheckItem",
        "Get" => "GetItem",
        unknown => unknown,
    }
}
