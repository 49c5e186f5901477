//! Decodes Stripe's form encoding into typed parameters, and words Stripe's errors for invalid ones.
//!
//! Invariant: a parameter that a call doesn't know is refused, never ignored, even if the real Stripe knows it. A
//! mistake in an ignored parameter would show only at the real Stripe.

use classpay_stripe_model::ApiError;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// Form-encoding mode: accepts both `[` and `%5B`.
const CONFIG: serde_qs::Config = serde_qs::Config::new().use_form_encoding(true);

/// The parameters of one call, still encoded, without `expand`, which every call accepts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    raw: String,
    pub expand: Vec<String>,
    /// Decoded, in the order received, including `expand`.
    pub pairs: Vec<(String, String)>,
    /// Decoded and sorted by name: the form in which an idempotency key compares parameters.
    pub canonical: String,
}

impl Form {
    pub fn parse(query: &str, body: &str) -> Result<Self, ApiError> {
        let mut form = Self::default();
        for pair in query.split('&').chain(body.split('&')).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if name == "expand" || name.starts_with("expand[") {
                form.expand.push(value.clone());
            } else {
                if !form.raw.is_empty() {
                    form.raw.push('&');
                }
                form.raw += &pair.replace("%5b", "%5B").replace("%5d", "%5D");
            }
            form.pairs.push((name, value));
        }
        let mut sorted: Vec<_> = form.pairs.iter().collect();
        // A stable sort keeps the order of the elements in `a[]=1&a[]=2`, which is significant.
        sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (name, value) in sorted {
            form.canonical += &format!("{name}={value}\n");
        }
        Ok(form)
    }

    /// At creation there is nothing to unset, so Stripe refuses an empty value.
    pub fn without_empty(&self) -> Result<&Self, ApiError> {
        for pair in self.raw.split('&') {
            if let Some((name, "")) = pair.split_once('=')
                && name != "metadata"
                && !name.contains(['[', '%'])
            {
                return Err(ApiError::empty(name));
            }
        }
        Ok(self)
    }

    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let parsed = serde_qs::Deserializer::with_config(CONFIG, self.raw.as_bytes())
            .map_err(|error| ApiError::invalid(format!("Invalid request: {error}")))?;
        serde_path_to_error::deserialize(parsed).map_err(|error| {
            let path = brackets(error.path());
            refusal(&path, &error.into_inner().to_string())
        })
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let byte = std::str::from_utf8(&digits)
                    .ok()
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                    .ok_or_else(|| ApiError::invalid("Invalid percent-encoding."))?;
                bytes.push(byte);
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).map_err(|_| ApiError::invalid("Invalid UTF-8 in a parameter."))
}

/// `payment_method_options.card.capture_method` → `payment_method_options[card][capture_method]`.
fn brackets(path: &serde_path_to_error::Path) -> String {
    let mut name = String::new();
    for segment in path.iter() {
        let part = match segment {
            Segment::Map { key } => key.clone(),
            Segment::Seq { index } => index.to_string(),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        name = if name.is_empty() { part } else { format!("{name}[{part}]") };
    }
    name
}

fn quoted(message: &str) -> &str {
    message.split('`').nth(1).unwrap_or_default()
}

/// Translates serde's errors into Stripe's: for a parameter that Stripe accepts and the stand-in doesn't, or for a form
/// to `/_control/`. Errors that Stripe itself would report come from its description earlier.
fn refusal(path: &str, message: &str) -> ApiError {
    let field = quoted(message);
    let inside = if path.is_empty() { field.to_owned() } else { format!("{path}[{field}]") };
    if message.starts_with("unknown field") {
        let known = path == field || path.ends_with(&format!("[{field}]"));
        return ApiError::unknown_parameter(if known { path } else { &inside });
    }
    if message.starts_with("missing field") {
        return ApiError::missing(&inside);
    }
    ApiError::invalid(format!("Invalid {path}: {message}")).param(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use classpay_stripe_model::fields::Metadata;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        amount: Option<i64>,
        inner: Option<Inner>,
        list: Option<Vec<String>>,
        metadata: Option<Metadata>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        yes: bool,
    }

    fn outer(body: &str) -> Result<Outer, (Option<String>, Option<String>)> {
        let form = Form::parse("", body).expect("an encoded form");
        form.typed().map_err(|error| (error.0.detail.code.map(Into::into), error.0.detail.param))
    }

    #[test]
    fn brackets_may_be_literal_or_encoded() {
        for body in [
            "amount=5&inner[yes]=true&list[]=a&list[]=b&metadata[a+b]=1%262",
            "amount=5&inner%5Byes%5D=true&list%5b0%5d=a&list%5B1%5D=b&metadata%5Ba%20b%5D=1%262",
        ] {
            let outer = outer(body).expect(body);
            assert_eq!(outer.amount, Some(5));
            assert!(outer.inner.expect("inner").yes);
            assert_eq!(outer.list.expect("list"), ["a", "b"]);
            assert_eq!(outer.metadata.expect("metadata")["a b"], "1&2");
        }
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let named = |body: &str, code: Option<&'static str>, param: &str| {
            assert_eq!(outer(body).map(|_| ()), Err((code.map(str::to_owned), Some(param.to_owned()))), "{body}");
        };
        named("amont=5", Some("parameter_unknown"), "amont");
        named("inner[no]=1", Some("parameter_unknown"), "inner[no]");
        named("amount=5x", None, "amount");
        named("inner=1", None, "inner");
        named("inner[yes]=maybe", None, "inner[yes]");
    }

    #[test]
    fn the_order_of_names_is_no_difference_and_the_order_of_a_list_is() {
        let canonical = |body| Form::parse("", body).expect("an encoded form").canonical;
        assert_eq!(canonical("a=1&b%5Bc%5D=2"), canonical("b[c]=2&a=1"));
        assert_ne!(canonical("a[]=1&a[]=2"), canonical("a[]=2&a[]=1"));
    }
}
