//! What the API tells browsers: which pages may call it, and how.
//!
//! Invariant: the origins are a parameter of the deployment and not read here.

use super::TemplateError;
use super::node::Node;

/// The API's `CorsConfiguration`, each list as its header has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    pub methods: String,
    pub headers: String,
    pub exposed: String,
    /// How long a browser may remember the answer, in seconds.
    pub max_age_s: u64,
}

/// `None`: no page of another origin may call the API.
pub(super) fn read(api: &Node<'_>) -> Result<Option<Cors>, TemplateError> {
    let Some(cors) = api.child("CorsConfiguration")? else { return Ok(None) };
    let list = |name: &str| -> Result<String, TemplateError> {
        let texts: Result<Vec<&str>, _> = cors.required(name)?.items()?.iter().map(Node::text).collect();
        Ok(texts?.join(","))
    };
    cors.required("AllowOrigins")?;
    Ok(Some(Cors {
        methods: list("AllowMethods")?,
        headers: list("AllowHeaders")?,
        exposed: list("ExposeHeaders")?,
        max_age_s: cors.required("MaxAge")?.whole_number()?,
    }))
}
