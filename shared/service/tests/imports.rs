//! Which parts of this crate may know of what: the layers of the service, held by what its files name.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps, and says what")]

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// The files that have one of these words, but those under one of these places.
fn files_that_name(words: &[&str], places: &[&str]) -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    assert!(all.len() > 100, "the source is read");
    for place in places {
        assert!(source.join(place).exists(), "there is a {place}");
    }
    let names = |path: &&PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        words.iter().any(|word| text.contains(word))
    };
    let is_elsewhere = |path: &&PathBuf| !places.iter().any(|place| path.starts_with(source.join(place)));
    all.iter().filter(is_elsewhere).filter(names).cloned().collect()
}

#[test]
fn nothing_below_the_edge_knows_http_requests_or_statuses() {
    let edge = ["api", "runtime.rs", "lib.rs"];
    let found = files_that_name(&["crate::api", "lambda_http", "StatusCode", "status_code"], &edge);
    assert_eq!(found, Vec::<PathBuf>::new());
}

#[test]
fn no_type_of_the_sdk_is_above_the_table() {
    let found = files_that_name(&["aws_sdk_dynamodb"], &["store/dynamodb"]);
    assert_eq!(found, Vec::<PathBuf>::new());
}

#[test]
fn no_type_of_stripe_s_library_is_above_its_adapter() {
    let found =
        files_that_name(&["stripe_core::", "stripe_shared::", "stripe_client_core::", "stripe_misc::"], &["stripe"]);
    assert_eq!(found, Vec::<PathBuf>::new());
}

#[test]
fn one_file_captures_or_cancels() {
    let found = files_that_name(&["capture_intent(", "cancel_intent("], &["settlement/drive.rs", "stripe"]);
    assert_eq!(found, Vec::<PathBuf>::new());
}
