//! This machine's time, environment and addresses.
//!
//! This is the only module that reads the machine's time and environment.

use std::net::IpAddr;

use jiff::Timestamp;

/// The machine's own time.
#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
#[must_use]
pub fn machine_time() -> Timestamp {
    Timestamp::now()
}

/// A variable of the environment, if it is set and valid text.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Every variable of the environment that is valid text.
#[must_use]
pub fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// Whether an address belongs to this machine.
#[must_use]
pub fn is_loopback(url: &str) -> bool {
    let Ok(url) = url.parse::<reqwest::Url>() else { return false };
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_loopback() {
        for url in ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000", "http://127.1.2.3"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://dynamodb.eu-west-2.amazonaws.com",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
            "http://0.0.0.0:8000",
            "nonsense",
            "",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
