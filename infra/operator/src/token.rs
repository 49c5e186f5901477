//! `cargo dev token`: tokens that a stack on this machine accepts.
//!
//! The key is public and protects nothing: no deployed API trusts its issuer. Expiry is measured by the machine's own
//! clock.

use clap::{Args, ValueEnum};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use crate::Problem;
use crate::machine::machine_time;

/// The issuer of local tokens. `.invalid` never resolves.
pub const ISSUER: &str = "https://local.classpay.invalid/";

/// The audience of local tokens.
pub const AUDIENCE: &str = "classpay-local";

/// The signing key. It protects nothing, because the stack listens on loopback only.
pub const DEVELOPMENT_KEY: &[u8] = b"classpay local development key: not a secret, trusted by no deployed API";

/// The lifetime: long enough for a working day.
const LIFETIME_S: i64 = 24 * 60 * 60;

/// The caller for whom a token speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A member of the studio's staff.
    Staff,
    /// A family, by its id.
    Family(String),
}

/// A bearer token for a day.
#[must_use]
pub fn mint_token(company_id: &str, holder: &Holder) -> String {
    let now = machine_time().as_second();
    let mut claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + LIFETIME_S,
        "company_id": company_id,
    });
    match holder {
        Holder::Staff => {
            claims["role"] = json!("staff");
            claims["sub"] = json!(format!("staff:{company_id}"));
        }
        Holder::Family(family_id) => {
            claims["role"] = json!("family");
            claims["family_id"] = json!(family_id);
            claims["sub"] = json!(format!("family:{family_id}"));
        }
    }
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(DEVELOPMENT_KEY))
        .expect("HS256 signs any JSON with any key")
}

/// `cargo dev token`.
#[derive(Debug, Args)]
pub struct Token {
    /// The company the caller belongs to.
    #[arg(long, value_name = "CO_ID")]
    company: String,
    /// The family that calls.
    #[arg(long, value_name = "FML_ID")]
    family: Option<String>,
    /// Who calls [default: family if one is given].
    #[arg(long)]
    role: Option<Role>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    Family,
    Staff,
}

/// Prints a token.
///
/// # Errors
/// The command line doesn't say which caller the token is for.
pub(crate) fn run(token: Token) -> Result<(), Problem> {
    let holder = match (token.role, token.family) {
        (Some(Role::Staff), None) => Holder::Staff,
        (None | Some(Role::Family), Some(family)) => Holder::Family(family),
        (Some(Role::Staff), Some(_)) => return Err(Problem::new("staff reach every family: leave --family out")),
        (None | Some(Role::Family), None) => {
            return Err(Problem::new("whose token? Give --family fml_…, or --role staff"));
        }
    };
    println!("{}", mint_token(&token.company, &holder));
    Ok(())
}
