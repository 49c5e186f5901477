//! What Stripe says of a request that isn't as described, and what we say of an answer that isn't.
//!
//! Invariant: the parameter is named as the caller wrote it, `a[b][0]`, and one mistake is told at a time: what is
//! unknown first, then what is missing, then what is wrong.

use classpay_stripe_model::ApiError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

/// A parameter or a field that isn't as described.
pub(super) struct Mistake {
    path: Vec<String>,
    given: Value,
    what: What,
    /// The validator's words.
    words: String,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Unknown,
    Missing,
    NoneOf(Vec<String>),
    LongerThan(u64),
    /// It should be a whole number, or a boolean …
    Not(&'static str),
    Other,
}

/// The mistake that is told of all of them.
pub(super) fn first<'a>(errors: impl Iterator<Item = ValidationError<'a>>) -> Option<Mistake> {
    let mistakes = errors.map(|error| Mistake::of(&error));
    mistakes.min_by(|left, right| left.what.cmp(&right.what))
}

impl Mistake {
    fn of(error: &ValidationError) -> Self {
        let mut path: Vec<String> = error.instance_path().segments().map(|segment| segment.to_string()).collect();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let what = match error.kind() {
            ValidationErrorKind::AnyOf { context } => return Self::meant(error, context),
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                path.extend(unexpected.first().cloned());
                What::Unknown
            }
            ValidationErrorKind::Required { property } => {
                path.push(text(property));
                What::Missing
            }
            ValidationErrorKind::Enum { options } => {
                What::NoneOf(options.as_array().into_iter().flatten().map(text).collect())
            }
            ValidationErrorKind::MaxLength { limit } => What::LongerThan(*limit),
            ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => What::Not(match kind {
                JsonType::Integer => "integer",
                JsonType::Boolean => "boolean",
                JsonType::Array => "array",
                JsonType::Object => "object",
                JsonType::String => "string",
                JsonType::Number => "number",
                JsonType::Null => "null",
            }),
            _ => What::Other,
        };
        Self { path, given: error.instance().as_ref().clone(), what, words: error.to_string() }
    }

    /// None of several schemas fits: the mistake is in the one that was meant, which is the one that fits best.
    fn meant(error: &ValidationError, context: &[Vec<ValidationError>]) -> Self {
        let here = error.instance_path().segments().count();
        let of_each = context.iter().filter_map(|errors| {
            let mistakes = || errors.iter().map(Self::of);
            let first = mistakes().min_by(|left, right| left.what.cmp(&right.what))?;
            // Of another type altogether; one that is nearly right; one that isn't.
            let rank = (first.path.len() == here && matches!(first.what, What::Not(_)), weight(errors));
            Some((rank, first))
        });
        let other = || Self {
            path: error.instance_path().segments().map(|segment| segment.to_string()).collect(),
            given: error.instance().as_ref().clone(),
            what: What::Other,
            words: error.to_string(),
        };
        of_each.min_by_key(|(rank, _)| *rank).map_or_else(other, |(_, mistake)| mistake)
    }

    /// As Stripe says it of a request.
    pub fn refusal(&self) -> ApiError {
        let mut names = self.path.iter();
        let mut param = names.next().cloned().unwrap_or_default();
        for name in names {
            param += &format!("[{name}]");
        }
        let given = self.given.as_str().unwrap_or_default();
        if given.is_empty() && self.given.is_string() {
            return ApiError::empty(&param);
        }
        match &self.what {
            What::Unknown => ApiError::unknown_parameter(&param),
            What::Missing => ApiError::missing(&param),
            What::Not("integer") => {
                let message = format!("Invalid integer: {given}");
                ApiError::invalid(message).code("parameter_invalid_integer").param(param)
            }
            What::Not("boolean") => ApiError::invalid(format!("Invalid boolean: {given}")).param(param),
            What::Not(kind) => ApiError::invalid(format!("Invalid {kind}")).param(param),
            What::NoneOf(words) => {
                let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
                let message = format!("Invalid {param}: must be one of {}", words.join(", "));
                ApiError::invalid(message).param(param)
            }
            What::LongerThan(most) => {
                let message = format!("Invalid string: {given}; must be at most {most} characters");
                ApiError::invalid(message).param(param)
            }
            What::Other => ApiError::invalid(format!("Invalid {param}: {}", self.words)).param(param),
        }
    }
}

/// How much is wrong.
fn weight(errors: &[ValidationError]) -> usize {
    let of = |error: &ValidationError| match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.len(),
        _ => 1,
    };
    errors.iter().map(of).sum()
}

/// Where in an answer, and what. The first name of the path is the answer's own.
pub(super) fn in_answer(error: &ValidationError) -> String {
    let mistake = Mistake::of(error);
    let shown: String = mistake.words.chars().take(MOST_CHARACTERS).collect();
    format!("/{}: {shown}", mistake.path[1..].join("/"))
}

/// Of the validator's words, which quote what they are about.
const MOST_CHARACTERS: usize = 300;
