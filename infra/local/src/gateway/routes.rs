//! Matches a request to a function.
//!
//! Invariant: a literal segment wins over a parameter, and a parameter is never empty.

use std::collections::BTreeMap;

use crate::template::Route;

/// A route and the values of its parameters in this request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matched<'a> {
    pub route: &'a Route,
    pub parameters: BTreeMap<String, String>,
}

/// The route of a request. A path that has routes for other methods only doesn't match.
pub(super) fn find<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<Matched<'a>> {
    routes
        .iter()
        .filter(|route| route.method == method || route.method == "ANY")
        .filter_map(|route| Some((route, parameters(&route.path, path)?)))
        .min_by_key(|(route, parameters)| (parameters.len(), route.method == "ANY"))
        .map(|(route, parameters)| Matched { route, parameters })
}

fn parameters(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (mut expected, mut given) = (pattern.split('/'), path.split('/'));
    let mut parameters = BTreeMap::new();
    loop {
        match (expected.next(), given.next()) {
            (None, None) => return Some(parameters),
            (Some(expected), Some(given)) => match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !given.is_empty() => {
                    parameters.insert(name.to_owned(), percent_decoded(given, false));
                }
                None if expected == given => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// Undoes percent encoding. A `%` that doesn't begin an escape stands for itself, and in a query `+` is a space.
pub(super) fn percent_decoded(text: &str, in_query: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        // Checked for digits first: the number parser also accepts a sign.
        let pair = bytes
            .get(at + 1..at + 3)
            .filter(|pair| pair.iter().all(u8::is_ascii_hexdigit))
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match (bytes[at], pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 2;
            }
            (b'+', _) if in_query => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Authorizer;

    fn route(method: &str, path: &str) -> Route {
        Route { method: method.into(), path: path.into(), function: "F".into(), authorizer: Authorizer::Jwt }
    }

    #[test]
    fn a_segment_written_out_wins_over_a_parameter() {
        let routes = [route("GET", "/v1/{thing}"), route("GET", "/v1/health")];
        assert_eq!(find(&routes, "GET", "/v1/health").unwrap().route.path, "/v1/health");
        assert_eq!(find(&routes, "GET", "/v1/other").unwrap().route.path, "/v1/{thing}");
    }

    #[test]
    fn a_parameter_is_decoded_and_never_empty() {
        let routes = [route("GET", "/v1/basket/{familyId}/quote")];
        let matched = find(&routes, "GET", "/v1/basket/fml%5F1%20a+b/quote").unwrap();
        assert_eq!(matched.parameters["familyId"], "fml_1 a+b");
        assert_eq!(find(&routes, "GET", "/v1/basket//quote"), None);
        assert_eq!(find(&routes, "GET", "/v1/basket/a/quote/"), None);
        assert_eq!(find(&routes, "POST", "/v1/basket/a/quote"), None);
    }

    #[test]
    fn a_percent_sign_that_encodes_nothing_stands_for_itself() {
        assert_eq!(percent_decoded("100%&%zz%4", false), "100%&%zz%4");
        assert_eq!(percent_decoded("%+f%2B+", true), "% f+ ");
    }
}
