//! The address at which the functions call Stripe.
//!
//! Our key goes only to Stripe or to this machine, whatever the environment says.

use std::process::Stdio;
use std::time::Duration;

use classpay_tests::{Stack, binaries};
use tokio::process::Command;

#[tokio::test]
async fn a_function_that_is_sent_elsewhere_does_not_start() {
    let stack = Stack::start().await;
    let environment = stack.caller(None).get("/_local/env/create-payment-session").await.text;
    let pairs = environment.lines().filter_map(|line| line.split_once('='));
    let pairs: Vec<_> = pairs.filter(|(name, _)| *name != "STRIPE_API_BASE").collect();
    for elsewhere in
        ["https://stripe.example.com", "https://api.stripe.com.example.com", "https://api.stripe.com@example.com"]
    {
        let mut function = Command::new(binaries().join("create-payment-session"));
        function.env_clear().envs(pairs.iter().copied()).env("STRIPE_API_BASE", elsewhere);
        let started = function.stdin(Stdio::null()).kill_on_drop(true).output();
        let ended = tokio::time::timeout(Duration::from_secs(20), started).await.expect("it ends by itself").unwrap();
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!ended.status.success() && said.contains("STRIPE_API_BASE"), "{elsewhere}: {said}");
    }
}
