//! The table of codes in `infra/errors.md`.
//!
//! The table is between its two markers; the text around them is left as it is.

use std::fmt::Write as _;

use classpay_service::api::Endpoint;
use classpay_service::error::ErrorCode;

const BEGIN: &str = "<!-- codes -->\n";
const END: &str = "<!-- /codes -->";

/// The text with the table as it should be.
pub fn renewed(text: &str) -> String {
    let (before, rest) = text.split_once(BEGIN).expect("the file has a place for the codes");
    let (_, after) = rest.split_once(END).expect("and the place has an end");
    format!("{before}{BEGIN}{}{END}{after}", table())
}

fn table() -> String {
    let mut table = "\n| code | status | |\n|---|---|---|\n".to_owned();
    for code in ErrorCode::ALL {
        let (status, by_link) = (Endpoint::Checkout.status_of(*code), Endpoint::ProcessLink.status_of(*code));
        let by_link = if by_link == status { String::new() } else { format!(", link {by_link}") };
        writeln!(table, "| `{code}` | {status}{by_link} | {} |", code.sentence()).expect("a string");
    }
    table.push('\n');
    table
}
