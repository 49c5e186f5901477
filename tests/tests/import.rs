//! `cargo dev import`, run as a user runs it, against a running stack.

use std::path::Path;
use std::process::Output;

use classpay_tests::{OKAFOR, Stack, binaries, studio};
use tokio::process::Command;

const DEMO: &str = include_str!("../../infra/local/demo-studio.json");

async fn import(stack: &Stack, file: &Path) -> Output {
    let mut import = Command::new(binaries().join("classpay-local"));
    import.arg("import").arg(file).args(["--table", &stack.table().name, "--dynamodb-url", stack.dynamodb_url()]);
    import.output().await.expect("it starts")
}

#[tokio::test]
async fn a_changed_studio_moves_seats_by_the_difference_and_resets_nothing_that_was_sold() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await.status, 200);
    let (left, posted) = (stack.seats_left(studio::BALLET).await, stack.posted(OKAFOR).await);
    let mut changed: serde_json::Value = serde_json::from_str(DEMO).unwrap();
    let classes = changed["classes"].as_array_mut().unwrap();
    let ballet = classes.iter_mut().find(|class| class["id"] == studio::BALLET).unwrap();
    ballet["capacity"] = (ballet["capacity"].as_i64().unwrap() + 3).into();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("studio.json");
    std::fs::write(&file, changed.to_string()).unwrap();

    for written in ["1 documents", "0 documents"] {
        let done = import(&stack, &file).await;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && said.contains(written), "{said} {}", String::from_utf8_lossy(&done.stderr));
    }
    assert_eq!((stack.seats_left(studio::BALLET).await, stack.posted(OKAFOR).await), (left + 3, posted));
}

#[tokio::test]
async fn a_file_with_mistakes_names_them_all_and_changes_nothing() {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let broken = DEMO.replacen("\"rate\": \"20.000\"", "\"rate\": \"120.000\"", 1).replacen("\"gbp\"", "\"xyz\"", 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("studio.json");
    std::fs::write(&file, broken).unwrap();
    let refused = import(&stack, &file).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(said.contains("taxRates[0].rate") && said.contains("company.settings.billing.currency"), "{said}");
    assert!(before.changes(&stack.table().picture().await).is_empty());
}
