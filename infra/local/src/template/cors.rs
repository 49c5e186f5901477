//! The API's CORS settings: which pages may call it, and how.
//!
//! The allowed origins are a parameter of the deployment and are not read here.

use super::TemplateError;
use super::node::Node;

/// The API's `CorsConfiguration`; each list is joined as in its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    pub methods: String,
    pub headers: String,
    pub exposed: String,
    /// How long a browser may cache the answer, in seconds.
    pub max_age_s: u64,
}

/// `None` if no page of another origin may call the API.
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
