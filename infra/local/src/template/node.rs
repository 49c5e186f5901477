//! A node of the template that knows its own path, so that every error names the resource.
//!
//! Invariant: reading never panics, whatever the YAML contains.

use serde_yaml_ng::Value;

use super::{Expression, TemplateError};

#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    value: &'a Value,
    at: String,
}

impl<'a> Node<'a> {
    pub fn root(value: &'a Value) -> Self {
        Self { value, at: String::new() }
    }

    pub fn error(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::new(&self.at, problem)
    }

    fn below(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// The value of a key, if it is present.
    pub fn child(&self, name: &str) -> Result<Option<Node<'a>>, TemplateError> {
        let Value::Mapping(mapping) = self.value else {
            return Err(self.error("expected a mapping"));
        };
        Ok(mapping.get(name).map(|value| Node { value, at: self.below(name) }))
    }

    pub fn required(&self, name: &str) -> Result<Node<'a>, TemplateError> {
        self.child(name)?.ok_or_else(|| self.error(format!("{name} is missing")))
    }

    /// The keys of a mapping with their values, in the template's order.
    pub fn entries(&self) -> Result<Vec<(String, Node<'a>)>, TemplateError> {
        let Value::Mapping(mapping) = self.value else {
            return Err(self.error("expected a mapping"));
        };
        let entry = |(key, value): (&'a Value, &'a Value)| match key {
            Value::String(name) => Ok((name.clone(), Node { value, at: self.below(name) })),
            _ => Err(self.error("a key that is no text")),
        };
        mapping.iter().map(entry).collect()
    }

    pub fn items(&self) -> Result<Vec<Node<'a>>, TemplateError> {
        let Value::Sequence(values) = self.value else {
            return Err(self.error("expected a list"));
        };
        Ok(values.iter().enumerate().map(|(n, value)| Node { value, at: format!("{}[{n}]", self.at) }).collect())
    }

    /// The items of a list, or a single value in place of a list.
    pub fn one_or_more(&self) -> Result<Vec<Node<'a>>, TemplateError> {
        if matches!(self.value, Value::Sequence(_)) { self.items() } else { Ok(vec![self.clone()]) }
    }

    /// Rejects a mapping that has any other key.
    pub fn has_only(&self, known: &[&str]) -> Result<(), TemplateError> {
        match self.entries()?.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((_, other)) => Err(other.error(format!("is not understood here: only {} are", known.join(", ")))),
            None => Ok(()),
        }
    }

    pub fn text(&self) -> Result<&'a str, TemplateError> {
        match self.value {
            Value::String(text) => Ok(text),
            Value::Tagged(tagged) => {
                Err(self.error(format!("{} cannot stand here: this has to be plain text", tagged.tag)))
            }
            _ => Err(self.error("expected text")),
        }
    }

    pub fn whole_number(&self) -> Result<u64, TemplateError> {
        self.value.as_u64().ok_or_else(|| self.error("expected a whole number"))
    }

    pub fn flag(&self) -> Result<bool, TemplateError> {
        self.value.as_bool().ok_or_else(|| self.error("expected true or false"))
    }

    /// A value that may be computed at deployment.
    pub fn expression(&self) -> Result<Expression, TemplateError> {
        match self.value {
            Value::String(text) => Ok(Expression::Literal(text.clone())),
            Value::Number(number) => Ok(Expression::Literal(number.to_string())),
            Value::Bool(flag) => Ok(Expression::Literal(flag.to_string())),
            Value::Tagged(tagged) => {
                let Value::String(text) = &tagged.value else {
                    return Err(self.error(format!("{} takes one text here", tagged.tag)));
                };
                match tagged.tag.to_string().as_str() {
                    "!Ref" => Ok(Expression::Ref(text.clone())),
                    "!GetAtt" => Ok(Expression::GetAtt(text.clone())),
                    "!Sub" => Ok(Expression::Sub(text.clone())),
                    other => {
                        Err(self.error(format!("{other} is not understood here: only !Ref, !GetAtt and !Sub are")))
                    }
                }
            }
            _ => Err(self.error("expected a value")),
        }
    }
}
