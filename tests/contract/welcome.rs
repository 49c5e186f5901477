//! The commands that a starting stack prints, run as printed.

use std::process::Stdio;

use classpay_tests::binaries;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Starts a stack with these options, as a newcomer does, and reads its message.
async fn start(options: &[&str]) -> (Child, String) {
    let mut command = Command::new(binaries().join("classpay-local"));
    command.args(["--memory", "--port", "0", "--dynamodb-port", "0", "--stripe-port", "0", "--bin-dir"]);
    let mut stack = command
        .arg(binaries())
        .args(options)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a stack that starts");
    let mut lines = BufReader::new(stack.stderr.take().expect("a stack that starts")).lines();
    let mut message = String::new();
    while let Some(line) = lines.next_line().await.expect("a stack that starts") {
        message += &line;
        message.push('\n');
        if line.starts_with("Ctrl-C") {
            // The functions' later log output needs a reader.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (stack, message);
        }
    }
    panic!("the stack did not start: {message}");
}

/// The indented lines after the table of addresses, up to the line with this prefix.
fn commands(message: &str) -> String {
    let walk = message.split_once("A family buys a place.").expect("a walk").1;
    let indented = walk.lines().filter(|line| line.starts_with("  "));
    indented.map(|line| format!("{}\n", line.trim_start())).collect()
}

/// Runs the commands printed with these options. Returns the quote and the link.
async fn walk_through(options: &[&str]) -> (Value, Value) {
    let (_stack, message) = start(options).await;
    let script = commands(&message);
    let run = Command::new("sh").args(["-e", "-c", &script]).output().await.expect("a shell and curl");
    let shown = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{script}\n{shown}\n{}", String::from_utf8_lossy(&run.stderr));
    // The answers follow each other without a line break.
    let answers: Vec<Value> = serde_json::Deserializer::from_str(&shown).into_iter().map(Result::unwrap).collect();
    let [quote, session, held, checkout, captured, link, link_held, paid] = answers.as_slice() else {
        panic!("eight answers, not {}: {shown}", answers.len());
    };
    let total = &quote["payment"]["total"];
    assert_eq!(session["paymentIntent"]["amount"], *total);
    assert_eq!((&held["status"], &captured["status"]), (&"requires_capture".into(), &"succeeded".into()));
    assert_eq!(captured["amount_received"], *total);
    let mut kinds: Vec<_> =
        checkout.as_array().expect("a list").iter().map(|t| t["transaction"]["type"].clone()).collect();
    assert_eq!(kinds.pop(), Some("credit".into()));
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| kind == "debit"), "{kinds:?}");
    assert_eq!((&link["paymentLink"]["status"], &link_held["status"]), (&"open".into(), &"requires_capture".into()));
    assert_eq!(paid["paymentLink"]["status"], "paid");
    (quote["payment"].clone(), link.clone())
}

#[tokio::test]
async fn the_printed_commands_lead_from_a_quote_to_ledger_entries_and_through_a_link() {
    let (payment, link) = walk_through(&[]).await;
    for charged in [payment, link] {
        // In London, where the law forbids a fee.
        assert_eq!((&charged["processingFee"], &charged["processingFeePercent"]), (&json!(0), &json!(0)));
        assert_eq!(charged["total"], charged["subtotal"]);
    }
}

#[tokio::test]
async fn the_other_demo_studio_is_named_and_takes_a_fee() {
    let (payment, link) = walk_through(&["--catalogue", "demo-us"]).await;
    for charged in [payment, link] {
        let amount = |name: &str| charged[name].as_i64().unwrap();
        assert_eq!(charged["processingFeePercent"], json!(2.9));
        // 2.9 %, to the nearest cent.
        assert_eq!(amount("processingFee"), (amount("subtotal") * 29 + 500) / 1_000);
        assert_eq!(amount("total"), amount("subtotal") + amount("processingFee"));
    }
}
