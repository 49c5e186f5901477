//! Reads external input, and names unknown fields.
//!
//! Stored documents are read without this: an older version must be able to read what a newer one wrote, so it ignores
//! their unknown fields. One type serves both.

use serde::Deserialize;
use serde::de::Deserializer;
use serde_ignored::Path;
use serde_path_to_error::Error;

/// One step from the root towards a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into an object's field.
    Field(String),
    /// Into a list's element.
    Element(usize),
}

/// From the root to a value.
pub type Steps = Vec<Step>;

/// `seasons[0].pricingPlans[1]`.
#[must_use]
pub fn place_of(steps: &[Step]) -> String {
    let mut place = String::new();
    for step in steps {
        let dot = if place.is_empty() { "" } else { "." };
        match step {
            Step::Field(name) => place.extend([dot, name]),
            Step::Element(index) => place.push_str(&format!("[{index}]")),
        }
    }
    place
}

/// A value, and the fields that its type doesn't know, in the order of the text. If the value can't be read, the fields
/// are those before the error.
pub(crate) fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> (Result<T, Error<D::Error>>, Vec<Steps>) {
    let mut unknown = Vec::new();
    let mut note = |path: Path<'_>| unknown.push(steps_of(&path));
    let value = serde_path_to_error::deserialize(serde_ignored::Deserializer::new(deserializer, &mut note));
    (value, unknown)
}

fn steps_of(path: &Path<'_>) -> Steps {
    let (mut steps, last) = match path {
        Path::Root => return Vec::new(),
        Path::Seq { parent, index } => (steps_of(parent), Step::Element(*index)),
        Path::Map { parent, key } => (steps_of(parent), Step::Field(key.clone())),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            return steps_of(parent);
        }
    };
    steps.push(last);
    steps
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::Deserializer;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Shelf {
        books: Vec<Option<Book>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Book {
        pages: u8,
    }

    #[test]
    fn every_field_that_nobody_knows_is_found_where_it_is() {
        let text = r#"{"books": [null, {"pages": 2, "a.b": {"c": 1}}], "books2": [], "x": null}"#;
        let (shelf, unknown) = read::<Shelf, _>(&mut Deserializer::from_str(text));
        assert_eq!(shelf.unwrap(), Shelf { books: vec![None, Some(Book { pages: 2 })] });
        assert_eq!(unknown.iter().map(|steps| place_of(steps)).collect::<Vec<_>>(), ["books[1].a.b", "books2", "x"]);
    }

    #[test]
    fn what_is_wrong_hides_no_unknown_field_before_it() {
        let text = r#"{"x": 1, "books": [{"pages": "two"}], "y": 1}"#;
        let (shelf, unknown) = read::<Shelf, _>(&mut Deserializer::from_str(text));
        assert_eq!(shelf.unwrap_err().path().to_string(), "books[0].pages");
        assert_eq!(unknown.iter().map(|steps| place_of(steps)).collect::<Vec<_>>(), ["x"]);
    }
}
