//! Where things stand in the file, though something before them was left out.
//!
//! Invariant: a place in a message counts elements as they were written.

use std::collections::BTreeMap;

use classpay_service::strict::{Step, Steps, place_of};

use super::tree::Node;

/// The lists of a file from which something was left out: by their place in what is left, where each element stood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Places(BTreeMap<String, Vec<usize>>);

impl Places {
    pub(super) fn of(root: &Node) -> Self {
        let mut places = Self::default();
        places.collect(root, &mut Vec::new());
        places
    }

    fn collect(&mut self, node: &Node, at: &mut Steps) {
        match node {
            Node::Leaf(_) | Node::Gone => {}
            Node::Object(fields) => {
                for (name, value) in fields.iter().filter(|(_, value)| !matches!(value, Node::Leaf(_))) {
                    at.push(Step::Field(name.clone()));
                    self.collect(value, at);
                    at.pop();
                }
            }
            Node::List(elements) => {
                let present = elements.iter().enumerate().filter(|(_, element)| !element.is_gone());
                let written: Vec<_> = present.clone().map(|(index, _)| index).collect();
                if written.len() < elements.len() {
                    self.0.insert(place_of(at), written);
                }
                for (left, (_, element)) in present.enumerate() {
                    at.push(Step::Element(left));
                    self.collect(element, at);
                    at.pop();
                }
            }
        }
    }

    /// A place in what is left, as the place in the file.
    pub(super) fn as_written(&self, place: &str) -> String {
        if self.0.is_empty() {
            return place.to_owned();
        }
        let (mut left, mut written) = (Vec::new(), Vec::new());
        for step in steps_of(place) {
            written.push(match &step {
                Step::Element(index) => {
                    let of_list = self.0.get(&place_of(&left)).and_then(|list| list.get(*index));
                    Step::Element(of_list.copied().unwrap_or(*index))
                }
                Step::Field(_) => step.clone(),
            });
            left.push(step);
        }
        place_of(&written)
    }
}

/// The steps of a place that [`place_of`] wrote from our own field names, which have neither dots nor brackets.
pub(super) fn steps_of(place: &str) -> Vec<Step> {
    let parts = place.split(['.', '[']).filter(|part| !part.is_empty());
    let step = |part: &str| match part.strip_suffix(']').and_then(|index| index.parse().ok()) {
        Some(index) => Step::Element(index),
        None => Step::Field(part.to_owned()),
    };
    parts.map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_what_was_left_out_before_it() {
        let text = r#"{"classes": [1, {"b": [2, 3, 4]}, {"b": [5, 6]}], "rest": [7]}"#;
        let mut tree = Node::parse(text, &mut Vec::new()).unwrap();
        let classes = tree.elements_mut("classes");
        classes[1].elements_mut("b")[1] = Node::Gone;
        classes[0] = Node::Gone;
        let places = Places::of(&tree);
        for (left, written) in [
            ("classes[0]", "classes[1]"),
            ("classes[0].b[0]", "classes[1].b[0]"),
            ("classes[0].b[1]", "classes[1].b[2]"),
            ("classes[1].b[1].c", "classes[2].b[1].c"),
            ("rest[0]", "rest[0]"),
            ("company.name", "company.name"),
        ] {
            assert_eq!(places.as_written(left), written);
        }
    }
}
