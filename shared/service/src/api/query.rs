//! The query of a quote: `enrolments` and `trials`, each as one JSON array, or in PHP's bracket notation.
//!
//! Invariant: an ambiguous query is refused. A list that is given twice, in both notations, or with a repeated field
//! would otherwise be priced as one of its readings.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::extract::{BODY_MAX_BYTES, fitting, from_json};
use crate::error::{Error, ErrorCode};
use crate::wire::items::ItemsBody;
use crate::wire::object::Object;

/// Reads the items of a quote from a raw query. Parameters of other names are ignored.
///
/// # Errors
/// `malformed_json` for a value that is not JSON, `unknown_field` for an unknown field of an item, and `wrong_type` for
/// a list that is missing or given twice, or a value that doesn't fit.
pub fn items(raw_query: &str) -> Result<ItemsBody, Error> {
    if raw_query.len() > BODY_MAX_BYTES {
        return Err(ErrorCode::PayloadTooLarge.into());
    }
    let (mut enrolments, mut trials) = (List::default(), List::default());
    for pair in raw_query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name)?;
        let (list, place) = name.split_at(name.find('[').unwrap_or(name.len()));
        match list {
            "enrolments" => enrolments.take(&name, place, &decoded(value)?)?,
            "trials" => trials.take(&name, place, &decoded(value)?)?,
            _ => {}
        }
    }
    Ok(ItemsBody { enrolments: enrolments.read("enrolments")?, trials: trials.read("trials")? })
}

/// One parameter of a raw query, decoded.
///
/// # Errors
/// `wrong_type` if it is given twice.
pub fn value(raw_query: &str, wanted: &str) -> Result<Option<String>, Error> {
    let mut found = None;
    for pair in raw_query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decoded(name)? == wanted && found.replace(decoded(value)?).is_some() {
            return Err(twice(wanted));
        }
    }
    Ok(found)
}

/// One list, as read so far.
#[derive(Default)]
enum List {
    #[default]
    Missing,
    Empty,
    Json(String),
    /// By index, so that the order of the parameters doesn't matter.
    Brackets(BTreeMap<u16, Map<String, Value>>),
}

impl List {
    /// Adds the parameter `name`; `place` is its part from the first bracket on.
    fn take(&mut self, name: &str, place: &str, value: &str) -> Result<(), Error> {
        if !matches!(place, "" | "[]") {
            return self.take_field(name, place, value);
        }
        if !matches!(self, Self::Missing) {
            return Err(twice(name));
        }
        *self = match (place, value) {
            (_, "") => Self::Empty,
            ("", json) => Self::Json(json.to_owned()),
            _ => return Err(wrong(name, "an item needs an index and a field, as in enrolments[0][classId]")),
        };
        Ok(())
    }

    fn take_field(&mut self, name: &str, place: &str, value: &str) -> Result<(), Error> {
        let (index, field) = index_and_field(place)
            .ok_or_else(|| wrong(name, "expected an index and a field, as in enrolments[0][classId]"))?;
        if let Self::Missing = self {
            *self = Self::Brackets(BTreeMap::new());
        }
        let Self::Brackets(items) = self else { return Err(twice(name)) };
        // PHP's notation has no null, so an empty value means null.
        let value = if value.is_empty() { Value::Null } else { Value::from(value) };
        match items.entry(index).or_default().insert(field.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(twice(name)),
        }
    }

    fn read<T: DeserializeOwned>(self, name: &str) -> Result<Vec<T>, Error> {
        match self {
            Self::Missing => Err(wrong(name, "is missing; an empty list is []")),
            Self::Empty => Ok(Vec::new()),
            Self::Json(json) => {
                let items: Vec<Object<T>> = from_json(json.as_bytes(), name)?;
                Ok(items.into_iter().map(|Object(item)| item).collect())
            }
            Self::Brackets(items) => {
                let items = Value::Array(items.into_values().map(Value::Object).collect());
                fitting(items, name)
            }
        }
    }
}

/// `[0][classId]`.
fn index_and_field(place: &str) -> Option<(u16, &str)> {
    let (index, field) = place.strip_prefix('[')?.strip_suffix(']')?.split_once("][")?;
    let plain = index.bytes().all(|byte| byte.is_ascii_digit()) && !field.is_empty() && !field.contains(['[', ']']);
    plain.then(|| index.parse().ok()).flatten().map(|index| (index, field))
}

/// A form-encoded text: `+` is a space.
fn decoded(text: &str) -> Result<String, Error> {
    let spaced: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    let utf8 = percent_decode_str(&spaced).decode_utf8().map_err(|_| ErrorCode::MalformedJson)?;
    Ok(utf8.into_owned())
}

fn twice(name: &str) -> Error {
    wrong(name, "is given twice, or in two ways")
}

fn wrong(name: &str, what: &str) -> Error {
    let name: String = name.chars().take(64).collect();
    Error::new(ErrorCode::WrongType, format!("{name}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::items::{EnrolmentBody, TrialBody};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    fn encoded(text: &str) -> String {
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
    }

    fn refusal(query: &str) -> (ErrorCode, String) {
        let error = items(query).expect_err(query);
        (error.code, error.messages.join(" "))
    }

    fn basket() -> ItemsBody {
        let enrolment = |class: &str, plan: Option<&str>| EnrolmentBody {
            class_id: class.to_owned(),
            student_id: "stu_1".to_owned(),
            pricing_plan_id: plan.map(str::to_owned),
        };
        let trial = TrialBody {
            class_id: "cls_3".to_owned(),
            student_id: "stu_1".to_owned(),
            trial_at: "2026-11-02".to_owned(),
            time: "09:00".to_owned(),
        };
        ItemsBody { enrolments: vec![enrolment("cls_1", None), enrolment("cls_2", Some("pp_1"))], trials: vec![trial] }
    }

    #[test]
    fn json_in_one_encoded_value_each() {
        let enrolments = r#"[{"classId":"cls_1","studentId":"stu_1"},
            {"classId":"cls_2","studentId":"stu_1","pricingPlanId":"pp_1"}]"#;
        let trials = r#"[{"classId":"cls_3","studentId":"stu_1","trialAt":"2026-11-02","time":"09:00"}]"#;
        let query = format!("enrolments={}&trials={}", encoded(enrolments), encoded(trials));
        assert_eq!(items(&query), Ok(basket()));
    }

    #[test]
    fn brackets_as_php_writes_them_plain_or_encoded_in_any_order() {
        let plain = "trials[0][time]=09:00&enrolments[1][pricingPlanId]=pp_1&enrolments[1][studentId]=stu_1\
            &enrolments[0][classId]=cls_1&enrolments[0][studentId]=stu_1&enrolments[1][classId]=cls_2\
            &enrolments[0][pricingPlanId]=&trials[0][classId]=cls_3&trials[0][studentId]=stu_1\
            &trials[0][trialAt]=2026-11-02";
        assert_eq!(items(plain), Ok(basket()));
        assert_eq!(items(&plain.replace('[', "%5B").replace(']', "%5d").replace(':', "%3A")), Ok(basket()));
    }

    #[test]
    fn an_empty_list_has_three_spellings_and_a_missing_one_none() {
        let empty = ItemsBody { enrolments: vec![], trials: vec![] };
        for query in ["enrolments=[]&trials=%5B%5D", "enrolments=&trials=", "enrolments[]=&trials%5B%5D="] {
            assert_eq!(items(query), Ok(empty.clone()), "{query}");
        }
        assert_eq!(refusal("enrolments=[]"), (ErrorCode::WrongType, "trials: is missing; an empty list is []".into()));
        assert_eq!(refusal("").0, ErrorCode::WrongType);
    }

    #[test]
    fn other_parameters_are_ignored_but_other_fields_are_not() {
        assert!(items("utm_source=mail&enrolments=[]&trials=[]&enrolmentsX=1&x[0][y]=1&%ff=1").is_err());
        assert!(items("utm_source=mail&enrolments=[]&trials=[]&enrolmentsX=1&x[0][y]=1").is_ok());
        let field = "enrolments[0][classId]=c&enrolments[0][price]=1&trials=[]";
        let (code, message) = refusal(field);
        assert_eq!(code, ErrorCode::UnknownField);
        assert!(message.starts_with("enrolments[0].price: unknown field `price`"), "{message}");
        let json = format!("enrolments={}&trials=[]", encoded(r#"[{"price":1}]"#));
        assert_eq!(refusal(&json).0, ErrorCode::UnknownField);
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for ambiguous in [
            "enrolments=[]&enrolments=[]&trials=[]",
            "enrolments=[]&enrolments[0][classId]=c&trials=[]",
            "enrolments[0][classId]=c&enrolments=[]&trials=[]",
            "enrolments[0][classId]=c&enrolments[]=&trials=[]",
            "enrolments[0][classId]=c&enrolments[0][classId]=d&trials=[]",
            "enrolments[0][classId]=c&enrolments[00][classId]=d&trials=[]",
            "enrolments[]=cls_1&trials=[]",
            "enrolments[][classId]=c&trials=[]",
            "enrolments[-1][classId]=c&trials=[]",
            "enrolments[0]=c&trials=[]",
            "enrolments[0][classId][x]=c&trials=[]",
            "enrolments[0=c&trials=[]",
            "enrolments[70000][classId]=c&trials=[]",
        ] {
            assert_eq!(refusal(ambiguous).0, ErrorCode::WrongType, "{ambiguous}");
        }
    }

    #[test]
    fn a_message_names_the_item() {
        let (code, message) = refusal("enrolments[0][classId]=c&trials=[]");
        assert_eq!((code, message.as_str()), (ErrorCode::WrongType, "enrolments[0]: missing field `studentId`"));
        assert_eq!(refusal("enrolments={&trials=[]").0, ErrorCode::MalformedJson);
        assert_eq!(refusal("enrolments=%ff&trials=[]").0, ErrorCode::MalformedJson);
        assert_eq!(refusal("enrolments=null&trials=[]").0, ErrorCode::WrongType);
    }
}
