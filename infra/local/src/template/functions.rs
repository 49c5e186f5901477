//! The functions of the template and their routes.
//!
//! Invariant: a function has exactly one package, and its binary has the package's name.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::node::Node;
use super::permissions::{self, Permission};
use super::table::Table;
use super::{Authorizer, Expression, TemplateError};

/// Lambda's defaults, for a template that sets nothing.
const DEFAULT_TIMEOUT_S: u64 = 3;
const DEFAULT_MEMORY_MIB: u64 = 128;

/// A function: one package, one binary, one process per event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The resource's name, such as `GetQuoteFunction`.
    pub resource: String,
    /// The package and its binary: the last component of `CodeUri`, such as `get-quote`.
    pub package: String,
    /// The timeout of one event.
    pub timeout: Duration,
    /// Its memory in the cloud. The function is told the number here, but nothing limits it.
    pub memory_mib: u64,
    /// Its environment: the variables of all functions, then its own.
    pub environment: BTreeMap<String, Expression>,
    /// Its permissions.
    pub permissions: BTreeSet<Permission>,
}

/// A method and a path, with the function that handles them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST`, … or `ANY`.
    pub method: String,
    /// A path such as `/v1/basket/{familyId}/quote`.
    pub path: String,
    /// The function's resource name.
    pub function: String,
    /// Who may call the route.
    pub authorizer: Authorizer,
}

impl Route {
    /// API Gateway's name for this route in an event.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A function that runs at an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The function's resource name.
    pub function: String,
    /// The interval, counted from the start of the stack.
    pub every: Duration,
}

/// The event sources of a function.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub routes: Vec<Route>,
    pub schedules: Vec<Schedule>,
}

pub(super) fn read(
    name: &str,
    resource: &Node<'_>,
    globals: Option<&Node<'_>>,
    table: (&str, &Table),
) -> Result<Function, TemplateError> {
    let properties = resource.required("Properties")?;
    let setting = |key: &str| -> Result<Option<Node<'_>>, TemplateError> {
        match (properties.child(key)?, globals) {
            (Some(own), _) => Ok(Some(own)),
            (None, Some(globals)) => globals.child(key),
            (None, None) => Ok(None),
        }
    };
    let code = properties.required("CodeUri")?;
    let package = code.text()?.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if package.is_empty() || package == "." || package == ".." {
        return Err(code.error("its last component has to be the function's package"));
    }
    let number = |key: &str, default: u64| setting(key)?.map_or(Ok(default), |node| node.whole_number());
    let mut environment = BTreeMap::new();
    for place in globals.into_iter().chain([&properties]) {
        let Some(variables) = place.child("Environment")? else { continue };
        for (variable, value) in variables.required("Variables")?.entries()? {
            environment.insert(variable, value.expression()?);
        }
    }
    Ok(Function {
        resource: name.to_owned(),
        package: package.to_owned(),
        timeout: Duration::from_secs(number("Timeout", DEFAULT_TIMEOUT_S)?),
        memory_mib: number("MemorySize", DEFAULT_MEMORY_MIB)?,
        environment,
        permissions: permissions::read(&properties, table)?,
    })
}

pub(super) fn events(name: &str, resource: &Node<'_>, default: Authorizer) -> Result<Events, TemplateError> {
    let mut found = Events::default();
    let Some(events) = resource.required("Properties")?.child("Events")? else {
        return Ok(found);
    };
    for (_, event) in events.entries()? {
        let kind = event.required("Type")?;
        match kind.text()? {
            "HttpApi" => found.routes.push(route(name, &event.required("Properties")?, default)?),
            "Schedule" | "ScheduleV2" => found.schedules.push(schedule(name, &event.required("Properties")?)?),
            other => return Err(kind.error(format!("an event of type {other} is not presented here"))),
        }
    }
    Ok(found)
}

fn schedule(function: &str, properties: &Node<'_>) -> Result<Schedule, TemplateError> {
    let expression =
        properties.required(if properties.child("Schedule")?.is_some() { "Schedule" } else { "ScheduleExpression" })?;
    let rate = expression.text()?.strip_prefix("rate(").and_then(|rate| rate.strip_suffix(')'));
    let every = rate.and_then(|rate| rate.split_once(' ')).and_then(|(number, unit)| {
        let unit_s = match unit.trim_end_matches('s') {
            "minute" => 60,
            "hour" => 60 * 60,
            "day" => 24 * 60 * 60,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(unit_s)
    });
    match every {
        Some(every) if every > 0 => Ok(Schedule { function: function.to_owned(), every: Duration::from_secs(every) }),
        _ => Err(expression.error("only rate(N minutes), rate(N hours) and rate(N days) are kept here")),
    }
}

fn route(function: &str, properties: &Node<'_>, default: Authorizer) -> Result<Route, TemplateError> {
    let path = properties.required("Path")?;
    let pattern = path.text()?;
    if !pattern.starts_with('/') {
        return Err(path.error("a path starts with /"));
    }
    let parameters = pattern.split('/').filter(|segment| segment.contains(['{', '}']));
    if parameters.clone().any(|segment| !segment.starts_with('{') || !segment.ends_with('}') || segment.contains('+')) {
        return Err(path.error("a parameter is a whole segment, {name}; {name+} is not presented here"));
    }
    Ok(Route {
        method: properties.required("Method")?.text()?.to_ascii_uppercase(),
        path: pattern.to_owned(),
        function: function.to_owned(),
        authorizer: authorizer(properties, default)?,
    })
}

fn authorizer(properties: &Node<'_>, default: Authorizer) -> Result<Authorizer, TemplateError> {
    let Some(auth) = properties.child("Auth")? else {
        return Ok(default);
    };
    if let Some(scopes) = auth.child("AuthorizationScopes")? {
        return Err(scopes.error("scopes are not checked here"));
    }
    match auth.child("Authorizer")? {
        None => Ok(default),
        Some(name) if name.text()? == "NONE" => Ok(Authorizer::None),
        Some(_) => Ok(Authorizer::Jwt),
    }
}
