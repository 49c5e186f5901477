//! The API's document, `infra/openapi.yaml`. It is generated from the types that the functions read and write, from the
//! table of refusals and from the template's routes. A running stack's answers must fit it.
//!
//! Read in this order: this module, [`operations`] (what each operation is), [`answers`] (its answers), [`schemas`]
//! (the shapes), [`document`] (the whole), [`codes`] (what it says of refusals), [`yaml`] (as text), [`heard`] (a stack's own
//! answers).
//!
//! Nothing in the document is written twice. `UPDATE_OPENAPI=1` rewrites it, and `UPDATE_EXAMPLES=1` rewrites the
//! examples that were deleted from `tests/contract/examples` from a stack's answers.

mod answers;
mod codes;
mod document;
mod heard;
mod operations;
mod schemas;
mod tried;
mod yaml;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Once;

use classpay_local::binaries::workspace_root;
use classpay_local::template::{Authorizer, TEMPLATE, Template};
use classpay_tests::Document;
use serde_json::{Value, json};

fn template() -> Template {
    Template::parse(TEMPLATE).expect("the template is sound")
}

fn document_file() -> PathBuf {
    workspace_root().join("infra/openapi.yaml")
}

fn document_text() -> String {
    yaml::text(&document::document(&template()))
}

/// Rewrites the document once, if requested; every test calls this before it reads.
fn renewed() {
    static RENEWED: Once = Once::new();
    RENEWED.call_once(|| {
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(document_file(), document_text()).unwrap();
        }
    });
}

fn published() -> Document {
    renewed();
    Document::published()
}

/// Fails if a file differs from its expected contents, at the first line that differs.
fn hold(file: &Path, expected: &str) {
    renewed();
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().zip(expected.lines()).position(|(is, should)| is != should);
    let line = line.unwrap_or_else(|| text.lines().count().min(expected.lines().count()));
    let there = |text: &str| text.lines().nth(line).unwrap_or("(nothing)").to_owned();
    assert!(
        text == expected,
        "UPDATE_OPENAPI=1 renews {}; line {} is\n{}\nand should be\n{}",
        file.display(),
        line + 1,
        there(&text),
        there(expected)
    );
}

#[test]
fn the_document_is_what_the_types_and_tables_say() {
    hold(&document_file(), &document_text());
}

#[test]
fn the_document_has_the_routes_of_the_template_and_no_other() {
    let in_template: BTreeSet<_> = template()
        .routes
        .iter()
        .map(|route| (route.method.to_lowercase(), route.path.clone(), route.authorizer == Authorizer::Jwt))
        .collect();
    let document = published();
    let in_document: BTreeSet<_> = document
        .operations()
        .map(|(method, path, operation)| {
            let needs_token = !operation["security"].as_array().expect("each operation says it").is_empty();
            (method.to_owned(), path.to_owned(), needs_token)
        })
        .collect();
    assert_eq!(in_document, in_template);
}

#[test]
fn every_example_fits_its_schema() {
    let document = published();
    let mut examples = 0;
    for (method, path, operation) in document.operations() {
        for (place, schema, example) in document::examples(operation) {
            examples += 1;
            let misfits = document.misfits(schema, &example);
            assert!(misfits.is_empty(), "{method} {path}, {place}: {misfits:#?}");
        }
    }
    assert!(examples > 40, "only {examples} examples");
}

#[test]
fn the_published_examples_of_a_checkout_fit() {
    let document = published();
    let checkout = document.operation("checkout");
    let example: Value = serde_json::from_str(include_str!("../checkout-200.json")).unwrap();
    let schema = &checkout["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(document.misfits(schema, &example), Vec::<String>::new());
    let request = json!({
        "items": {
            "trials": [
                {"time": "09:00", "classId": "cls_xxxxxxxx", "trialAt": "2024-08-20", "studentId": "stu_xxxxxxxx"},
            ],
            "enrolments": [{"classId": "cls_xxxxxxxx", "studentId": "stu_xxxxxxxx", "pricingPlanId": "pp_xxxxxxxx"}],
        },
        "paymentIntentId": "pi_xxxxxxxx",
    });
    let schema = &checkout["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(document.misfits(schema, &request), Vec::<String>::new());
}

#[test]
fn what_is_no_answer_of_ours_fits_nothing() {
    let document = published();
    let (_, _, quote) = document.operations().find(|(_, path, _)| path.ends_with("/quote")).unwrap();
    let schema = &quote["responses"]["200"]["content"]["application/json"]["schema"];
    let good = &quote["responses"]["200"]["content"]["application/json"]["example"];
    type Spoil = fn(&mut Value);
    let spoilt: [(&str, Spoil); 5] = [
        ("a field is missing", |quote| drop(quote.as_object_mut().unwrap().remove("quoteHash"))),
        ("a field more", |quote| quote["seasons"][0]["season"]["secret"] = 1.into()),
        ("a float for money", |quote| quote["payment"]["total"] = 10.5.into()),
        ("null where nothing may be", |quote| quote["seasons"] = Value::Null),
        ("a word that is none", |quote| quote["seasons"][0]["season"]["registrationStatus"] = "maybe".into()),
    ];
    assert!(document.misfits(schema, good).is_empty());
    for (what, spoil) in spoilt {
        let mut bad = good.clone();
        spoil(&mut bad);
        assert!(!document.misfits(schema, &bad).is_empty(), "{what}");
    }
}
