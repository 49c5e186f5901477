//! JSON as it was written: the order of fields kept, every number and string still text.
//!
//! Invariant: a leaf is never interpreted, so no digit is lost between the file and the document it becomes.

use std::collections::BTreeSet;

use classpay_service::strict::{Step, place_of};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::mistake::Mistake;

/// Deeper than any document is. What is nested deeper stays a leaf, so a hostile file can't exhaust the stack.
const DEEPEST: usize = 16;

/// A piece of JSON.
#[derive(Debug)]
pub(super) enum Node {
    /// Text, a number, `true`, `false`, `null`: as it was written.
    Leaf(String),
    /// A list. Removed elements leave a [`Node::Gone`], so that places keep their numbers.
    List(Vec<Node>),
    /// An object.
    Object(Vec<(String, Node)>),
    /// Removed.
    Gone,
}

/// The fields of an object, a repeated one included.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl Node {
    /// Reads JSON and names the fields that are given twice.
    ///
    /// # Errors
    /// What is not JSON, with its line and column.
    pub(super) fn parse(text: &str, mistakes: &mut Vec<Mistake>) -> Result<Self, serde_json::Error> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Self::unfold(raw, &mut Vec::new(), mistakes)
    }

    fn unfold(raw: &RawValue, at: &mut Vec<Step>, mistakes: &mut Vec<Mistake>) -> Result<Self, serde_json::Error> {
        let text = raw.get();
        if at.len() >= DEEPEST || !text.starts_with(['{', '[']) {
            return Ok(Self::Leaf(text.to_owned()));
        }
        if text.starts_with('[') {
            let elements: Vec<&RawValue> = serde_json::from_str(text)?;
            let mut list = Vec::with_capacity(elements.len());
            for (index, element) in elements.into_iter().enumerate() {
                at.push(Step::Element(index));
                list.push(Self::unfold(element, at, mistakes)?);
                at.pop();
            }
            return Ok(Self::List(list));
        }
        let Fields(fields) = serde_json::from_str(text)?;
        let mut object: Vec<(String, Self)> = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            at.push(Step::Field(name.clone()));
            if object.iter().any(|(known, _)| *known == name) {
                mistakes.push(Mistake::new(place_of(at), "is given twice"));
            } else {
                object.push((name, Self::unfold(value, at, mistakes)?));
            }
            at.pop();
        }
        Ok(Self::Object(object))
    }

    /// The JSON of what is left.
    pub(super) fn to_json(&self) -> String {
        let mut json = String::new();
        self.write_json(&mut json);
        json
    }

    fn write_json(&self, json: &mut String) {
        match self {
            Self::Leaf(text) => json.push_str(text),
            Self::Gone => {}
            Self::List(elements) => {
                json.push('[');
                for (index, element) in elements.iter().filter(|element| !element.is_gone()).enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    element.write_json(json);
                }
                json.push(']');
            }
            Self::Object(fields) => {
                json.push('{');
                for (index, (name, value)) in fields.iter().filter(|(_, value)| !value.is_gone()).enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    // `Value`'s text of a string is its JSON.
                    json.push_str(&serde_json::Value::from(name.as_str()).to_string());
                    json.push(':');
                    value.write_json(json);
                }
                json.push('}');
            }
        }
    }

    pub(super) const fn is_gone(&self) -> bool {
        matches!(self, Self::Gone)
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Leaf(text) if text == "null")
    }

    pub(super) const fn fields_mut(&mut self) -> Option<&mut Vec<(String, Self)>> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(super) fn field_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The elements of the list in that field; none if there is no list.
    pub(super) fn elements_mut(&mut self, name: &str) -> &mut [Self] {
        match self.field_mut(name) {
            Some(Self::List(elements)) => elements,
            _ => &mut [],
        }
    }

    /// The text of a leaf that is a string.
    pub(super) fn string(&self) -> Option<String> {
        let Self::Leaf(text) = self else { return None };
        serde_json::from_str(text).ok()
    }

    /// Collects the ids of the documents in it.
    pub(super) fn ids(&self, ids: &mut BTreeSet<String>) {
        match self {
            Self::Leaf(_) | Self::Gone => {}
            Self::List(elements) => elements.iter().for_each(|element| element.ids(ids)),
            Self::Object(fields) => {
                ids.extend(self.field("id").and_then(Self::string));
                for (_, value) in fields {
                    value.ids(ids);
                }
            }
        }
    }

    /// Sets a field that is left out.
    pub(super) fn fill(&mut self, name: &str, value: Self) {
        if let Self::Object(fields) = self
            && fields.iter().all(|(known, _)| known != name)
        {
            fields.push((name.to_owned(), value));
        }
    }

    /// The value at those steps, which count elements as they were written.
    pub(super) fn at_mut(&mut self, steps: &[Step]) -> Option<&mut Self> {
        steps.iter().try_fold(self, |node, step| match (node, step) {
            (Self::List(elements), Step::Element(index)) => elements.get_mut(*index),
            (node, Step::Field(name)) => node.field_mut(name),
            _ => None,
        })
    }

    /// Steps that count what is left, as steps that count elements as they were written.
    pub(super) fn as_written(&self, steps: Vec<Step>) -> Vec<Step> {
        let mut node = Some(self);
        let mut written = Vec::with_capacity(steps.len());
        for step in steps {
            let (step, next) = match (node, step) {
                (Some(Self::List(elements)), Step::Element(left)) => {
                    let mut present = elements.iter().enumerate().filter(|(_, element)| !element.is_gone());
                    let found = present.nth(left);
                    (Step::Element(found.map_or(left, |(index, _)| index)), found.map(|(_, element)| element))
                }
                (Some(node), Step::Field(name)) => {
                    let next = node.field(&name);
                    (Step::Field(name), next)
                }
                (_, step) => (step, None),
            };
            written.push(step);
            node = next;
        }
        written
    }
}
