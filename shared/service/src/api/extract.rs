//! Reads a request: path, query, body, headers.
//!
//! Invariant: the query is read from its raw text. API Gateway's own list of parameters joins repeated ones with
//! commas, and commas are part of our values. Nothing is read beyond [`BODY_MAX_BYTES`].

use lambda_http::{Request, RequestExt};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};

use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::strict::{self, Step, place_of};
use crate::wire::object::Object;

/// The largest body or query that is read: a basket of 25 items is some 4 KB.
pub const BODY_MAX_BYTES: usize = 64 * 1024;
/// The longest idempotency key; Stripe has the same limit.
const IDEMPOTENCY_KEY_MAX_LEN: usize = 255;
/// The longest message about a field: serde's messages may quote the caller's own value.
const MESSAGE_MAX_CHARS: usize = 200;

/// A parameter of the route, already percent-decoded.
///
/// # Errors
/// `internal` if the route has no such parameter: template and handler disagree.
pub fn path<'r>(request: &'r Request, name: &str) -> Result<&'r str, Error> {
    request
        .path_parameters_ref()
        .and_then(|parameters| parameters.first(name))
        .ok_or_else(|| Error::internal(format!("the route has no parameter {name}")))
}

/// When the Lambda runtime ends this invocation; without a Lambda context, never.
#[must_use]
pub fn deadline(request: &Request) -> Deadline {
    Deadline::at_ms(request.lambda_context_ref().map_or(u64::MAX, |context| context.deadline))
}

/// The query as it was sent, still percent-encoded; empty if there is none.
#[must_use]
pub fn raw_query(request: &Request) -> &str {
    // lambda_http builds the URI from payload 2.0's `rawQueryString`, untouched.
    request.uri().query().unwrap_or_default()
}

/// The body, a JSON object.
///
/// # Errors
/// `payload_too_large`, and what [`from_json`] refuses.
pub fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Error> {
    from_json(request.body().as_ref(), "").map(|Object(body)| body)
}

/// For a field that may be null but must be present, because leaving it out could be a mistake.
///
/// # Errors
/// The deserialiser's.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// The caller's idempotency key, if there is one.
///
/// # Errors
/// `wrong_type` if it is empty, longer than 255 characters, or not all visible ASCII.
pub fn idempotency_key(request: &Request) -> Result<Option<&str>, Error> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    let fits = (1..=IDEMPOTENCY_KEY_MAX_LEN).contains(&value.len());
    match value.to_str() {
        Ok(key) if fits && key.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(key)),
        _ => Err(Error::new(ErrorCode::WrongType, "Idempotency-Key: 1 to 255 visible ASCII characters.")),
    }
}

/// Reads JSON; messages name the position within it, below `root`.
///
/// # Errors
/// `payload_too_large`; `malformed_json` if it is not JSON or not UTF-8; `unknown_field`; `wrong_type` for a missing
/// field and any other value that doesn't fit.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8], root: &str) -> Result<T, Error> {
    if bytes.len() > BODY_MAX_BYTES {
        return Err(ErrorCode::PayloadTooLarge.into());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ErrorCode::MalformedJson)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = fitting(&mut json, root);
    // A misfit may be found before a syntax error, but the syntax error is the one to report.
    if value.is_err() && serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Err(ErrorCode::MalformedJson.into());
    }
    let value = value?;
    json.end().map_err(|_| ErrorCode::MalformedJson)?;
    Ok(value)
}

/// Deserialises JSON strictly.
///
/// # Errors
/// `unknown_field`; `wrong_type` for a missing field and any other value that doesn't fit.
pub(super) fn fitting<'de, T: Deserialize<'de>, D>(json: D, root: &str) -> Result<T, Error>
where
    D: Deserializer<'de, Error = serde_json::Error>,
{
    let (value, unknown) = strict::read(json);
    if let Some(unknown) = unknown.first() {
        let name = unknown.iter().rev().find_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::Element(_) => None,
        });
        let message = format!("{}: unknown field `{}`", place(root, &place_of(unknown)), name.unwrap_or_default());
        return Err(Error::new(ErrorCode::UnknownField, shortened(&message)));
    }
    value.map_err(|error| misfit(root, &error))
}

/// The refusal for valid JSON that doesn't fit the type.
fn misfit(root: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let reason = error.inner().to_string();
    // serde_json ends its messages with a line and column; we name the field instead.
    let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
    // serde has no error kinds, only sentences. None of its other messages begins like this, because a value is quoted
    // later in the sentence.
    let code = if reason.starts_with("unknown field ") { ErrorCode::UnknownField } else { ErrorCode::WrongType };
    let message = match place(root, &error.path().to_string()).as_str() {
        "" => reason.to_owned(),
        place => format!("{place}: {reason}"),
    };
    Error::new(code, shortened(&message))
}

/// Joins `enrolments` and `[0].classId` to `enrolments[0].classId`; serde's path of the root is a single dot.
fn place(root: &str, path: &str) -> String {
    match (root, path) {
        (root, ".") => root.to_owned(),
        ("", path) => path.to_owned(),
        (root, path) if path.starts_with('[') => format!("{root}{path}"),
        (root, path) => format!("{root}.{path}"),
    }
}

fn shortened(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_MAX_CHARS) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::items::ItemsBody;
    use lambda_http::Body;
    use lambda_http::http::HeaderValue;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Checkout {
        #[expect(dead_code, reason = "read to be refused")]
        items: ItemsBody,
    }

    fn refusal(json: &str) -> (ErrorCode, String) {
        let error = from_json::<Checkout>(json.as_bytes(), "").err().expect("refused");
        (error.code, error.messages.join(" "))
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for bad in ["", "{", "{\"items\":}", "{} {}", "not json", "{\"items\":1,", "{\"amount\":1"] {
            assert_eq!(refusal(bad).0, ErrorCode::MalformedJson, "{bad}");
        }
        assert_eq!(from_json::<serde_json::Value>(b"1 2", "").unwrap_err().code, ErrorCode::MalformedJson);
        assert_eq!(from_json::<serde_json::Value>(b"\"\xff\"", "").unwrap_err().code, ErrorCode::MalformedJson);
    }

    #[test]
    fn a_message_names_the_place() {
        let wrong = r#"{"items":{"enrolments":[{"classId":1,"studentId":"s"}],"trials":[]}}"#;
        let expected = "items.enrolments[0].classId: invalid type: integer `1`, expected a string";
        assert_eq!(refusal(wrong), (ErrorCode::WrongType, expected.to_owned()));
        let missing = r#"{"items":{"enrolments":[{"classId":"c"}],"trials":[]}}"#;
        let expected = "items.enrolments[0]: missing field `studentId`";
        assert_eq!(refusal(missing), (ErrorCode::WrongType, expected.to_owned()));
        assert_eq!(refusal("{}"), (ErrorCode::WrongType, "missing field `items`".to_owned()));
    }

    #[test]
    fn an_unknown_field_is_refused_wherever_it_is() {
        let deep = r#"{"items":{"enrolments":[],"trials":[{"price":1}]}}"#;
        let (code, message) = refusal(deep);
        assert_eq!(code, ErrorCode::UnknownField);
        assert!(message.starts_with("items.trials[0].price: unknown field `price`"), "{message}");
        assert_eq!(refusal(r#"{"amount":1}"#).0, ErrorCode::UnknownField);
    }

    #[test]
    fn a_value_that_says_unknown_field_is_still_a_wrong_type() {
        assert_eq!(refusal(r#"{"items":"unknown field `x`"}"#).0, ErrorCode::WrongType);
    }

    #[test]
    fn a_long_value_is_not_echoed_in_full() {
        let (_, message) = refusal(&format!(r#"{{"items":"{}"}}"#, "ü".repeat(1000)));
        assert_eq!(message.chars().count(), MESSAGE_MAX_CHARS + 1);
    }

    #[test]
    fn a_body_of_more_than_64_kib_is_not_read() {
        let body = vec![b' '; BODY_MAX_BYTES + 1];
        assert_eq!(from_json::<serde_json::Value>(&body, "").unwrap_err().code, ErrorCode::PayloadTooLarge);
    }

    #[test]
    fn an_idempotency_key_is_short_visible_text_or_absent() {
        let with = |key: &[u8]| {
            let mut request = Request::new(Body::Empty);
            request.headers_mut().insert("idempotency-key", HeaderValue::from_bytes(key).unwrap());
            idempotency_key(&request).map(|key| key.map(str::to_owned)).map_err(|error| error.code)
        };
        assert_eq!(idempotency_key(&Request::new(Body::Empty)), Ok(None));
        assert_eq!(with(b"a-1"), Ok(Some("a-1".to_owned())));
        for bad in [&b""[..], b"a b", b"\xfc", &[b'x'; 256]] {
            assert_eq!(with(bad), Err(ErrorCode::WrongType));
        }
    }

    #[test]
    fn the_query_of_a_payload_2_0_event_is_read_as_it_was_sent() {
        let event = r#"{"version":"2.0","routeKey":"$default","rawPath":"/q","rawQueryString":"a=%5B1%2C2%5D&a=3",
            "headers":{"host":"x"},"queryStringParameters":{"a":"[1,2],3"},"requestContext":{"http":
            {"method":"GET","path":"/q","protocol":"HTTP/1.1","sourceIp":"1.1.1.1","userAgent":"t"},
            "stage":"$default","timeEpoch":1},"pathParameters":{"familyId":"fml_1"},"isBase64Encoded":false}"#;
        let request = lambda_http::request::from_str(event).unwrap();
        assert_eq!(raw_query(&request), "a=%5B1%2C2%5D&a=3");
        assert_eq!(path(&request, "familyId"), Ok("fml_1"));
        assert_eq!(path(&request, "classId").unwrap_err().code, ErrorCode::Internal);
    }
}
