//! Reads `infra/template.yaml`, the single source of routes, functions, their permissions and the table, here as in the
//! cloud.
//!
//! Invariant: anything that this reader doesn't understand is an error that names the resource; it is never skipped. A
//! route that exists in the cloud and not here would be worse than none.

mod cors;
mod functions;
mod node;
mod permissions;
mod table;

use std::collections::BTreeMap;
use std::fmt;

pub use cors::Cors;
pub use functions::{Function, Route, Schedule};
pub use permissions::{Permission, Resource};
pub use table::{Attribute, Index, Key, Table};

use node::Node;

/// This repository's template, as of the build of this program.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");

/// Why the template can't be used: the resource, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The place in the template: a path such as `Resources.Table.Properties.KeySchema`.
    pub at: String,
    /// What is wrong at that place.
    pub problem: String,
}

impl TemplateError {
    pub(crate) fn new(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { at: at.into(), problem: problem.into() }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            write!(f, "template.yaml: {}", self.problem)
        } else {
            write!(f, "template.yaml: {}: {}", self.at, self.problem)
        }
    }
}

impl std::error::Error for TemplateError {}

/// A value of the template that is computed at deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A literal value.
    Literal(String),
    /// `!Ref Name`: a parameter's value, or a resource's name.
    Ref(String),
    /// `!GetAtt Name.Attribute`.
    GetAtt(String),
    /// `!Sub "…${Name}…"`.
    Sub(String),
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorizer {
    /// Anybody.
    None,
    /// Callers with a valid token.
    Jwt,
}

/// The parts of the template that the local stack needs.
#[derive(Debug, Clone)]
pub struct Template {
    /// The functions, by their resource's name.
    pub functions: BTreeMap<String, Function>,
    /// Every method and path, with the function that handles it.
    pub routes: Vec<Route>,
    /// Its CORS settings.
    pub cors: Option<Cors>,
    /// The scheduled functions.
    pub schedules: Vec<Schedule>,
    /// The table's resource name.
    pub table_resource: String,
    /// The table as CreateTable takes it.
    pub table: Table,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Names the resource and the part of it that this reader can't use.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(text)
            .map_err(|problem| TemplateError::new("", format!("is no YAML: {problem}")))?;
        let root = Node::root(&yaml);
        let globals = match root.child("Globals")? {
            Some(globals) => globals.child("Function")?,
            None => None,
        };
        let api = the_api(&root)?;
        let (authorizer, cors) = (default_authorizer(&api)?, cors::read(&api)?);
        let (table_resource, table) = the_table(&root)?;
        let mut functions = BTreeMap::new();
        let (mut routes, mut schedules) = (Vec::new(), Vec::new());
        for (name, resource) in root.required("Resources")?.entries()? {
            if resource.required("Type")?.text()? != "AWS::Serverless::Function" {
                continue;
            }
            let function = functions::read(&name, &resource, globals.as_ref(), (&table_resource, &table))?;
            let events = functions::events(&name, &resource, authorizer)?;
            routes.extend(events.routes);
            schedules.extend(events.schedules);
            functions.insert(name, function);
        }
        refuse_twins(&routes)?;
        Ok(Self { functions, routes, cors, schedules, table_resource, table })
    }

    /// The function with this resource name (`GetQuoteFunction`) or package name (`get-quote`).
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.get(name).or_else(|| self.functions.values().find(|function| function.package == name))
    }
}

/// The only table, with its resource name.
fn the_table(root: &Node<'_>) -> Result<(String, Table), TemplateError> {
    let mut tables = Vec::new();
    for (name, resource) in root.required("Resources")?.entries()? {
        if resource.required("Type")?.text()? == "AWS::DynamoDB::Table" {
            tables.push((name, table::read(&resource.required("Properties")?)?));
        }
    }
    let [table] = <[_; 1]>::try_from(tables).map_err(|found| {
        TemplateError::new("Resources", format!("expected one AWS::DynamoDB::Table, found {}", found.len()))
    })?;
    Ok(table)
}

/// The properties of the API.
fn the_api<'a>(root: &Node<'a>) -> Result<Node<'a>, TemplateError> {
    for (_, resource) in root.required("Resources")?.entries()? {
        if resource.required("Type")?.text()? == "AWS::Serverless::HttpApi" {
            return resource.required("Properties");
        }
    }
    Err(TemplateError::new("Resources", "expected an AWS::Serverless::HttpApi"))
}

/// The authorisation of a route that doesn't set its own.
fn default_authorizer(api: &Node<'_>) -> Result<Authorizer, TemplateError> {
    if let Some(stage) = api.child("StageName")?
        && stage.text()? != "$default"
    {
        return Err(stage.error("only the stage $default is presented here: another is part of every path"));
    }
    let Some(auth) = api.child("Auth")? else {
        return Ok(Authorizer::None);
    };
    let Some(name) = auth.child("DefaultAuthorizer")? else {
        return Ok(Authorizer::None);
    };
    let authorizer = auth.required("Authorizers")?.required(name.text()?)?;
    authorizer.required("JwtConfiguration")?;
    let source = authorizer.required("IdentitySource")?;
    if !source.text()?.eq_ignore_ascii_case("$request.header.Authorization") {
        return Err(source.error("the token is looked for in $request.header.Authorization only"));
    }
    Ok(Authorizer::Jwt)
}

fn refuse_twins(routes: &[Route]) -> Result<(), TemplateError> {
    for (at, route) in routes.iter().enumerate() {
        if let Some(twin) =
            routes[..at].iter().find(|earlier| earlier.method == route.method && earlier.path == route.path)
        {
            return Err(TemplateError::new(
                format!("Resources.{}", route.function),
                format!("{} {} is also a route of {}", route.method, route.path, twin.function),
            ));
        }
    }
    Ok(())
}
