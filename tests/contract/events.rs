//! The inputs with which `sam` and `cargo lambda` run a function by hand: sample events, environment and routes.
//!
//! Invariant: all of it equals what the running stack gives its functions, so that it can't go stale.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use classpay_local::binaries::workspace_root;
use classpay_local::template::{TEMPLATE, Template};
use classpay_tests::studio::{OKAFOR, ballet_for_ada, open_studio_for_ada};
use classpay_tests::{Answer, COSTUMES, Stack, signature};
use serde_json::{Value, json};

/// The start of the stack's clock and the time in the events: 2026-09-07T08:00:00Z.
const NOW_S: i64 = 1_788_768_000;
/// The placeholder in the events for a link that the stack prints, whose id differs at each start.
const LINK: &str = "pay_00000000000000000000000001";

fn template() -> Template {
    Template::parse(TEMPLATE).expect("the template is sound")
}

/// The files that differ from their expected contents; empty if they are to be rewritten.
fn outdated(files: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let mut outdated = Vec::new();
    for (file, text) in files {
        if std::env::var_os("UPDATE_EVENTS").is_some() {
            std::fs::write(file, text).unwrap();
        } else if std::fs::read_to_string(file).ok().as_ref() != Some(text) {
            outdated.push(format!("{} should be:\n{text}", file.display()));
        }
    }
    outdated
}

/// Calls every endpoint once successfully and runs the settlement job. Returns the ids of the links used.
async fn call_everything(stack: &Stack) -> [String; 2] {
    let family = stack.family(OKAFOR);
    let expect = |status: u16, answer: Answer| assert_eq!(answer.status, status, "{}", answer.text);
    expect(200, family.quote(OKAFOR, &ballet_for_ada()).await);
    expect(200, family.session(OKAFOR, &ballet_for_ada()).await);
    // A free place: the one checkout that needs no earlier payment.
    expect(204, family.checkout(OKAFOR, None, &open_studio_for_ada()).await);
    let made = stack.link(None).await;
    expect(200, stack.staff().get(&format!("/v1/payment-links?transactionId={COSTUMES}")).await);
    expect(204, stack.revoke_link(&made).await);
    let printed = stack.payment_links().first().expect("a link").clone();
    stack.authorise_link(&printed).await;
    expect(200, stack.process_link(&printed, None).await);
    expect(200, stack.caller(None).post("/_local/run/settle-payments", &json!({})).await);
    // About an unknown intent, so that the signature can be as constant as the rest.
    let told = json!({"id": "evt_00000000000000000000000001", "object": "event", "type": "payment_intent.succeeded",
        "created": NOW_S, "account": stack.account(), "livemode": false,
        "data": {"object": {"id": "pi_00000000000000000000000001", "object": "payment_intent"}}})
    .to_string();
    expect(200, stack.send_signed(&told, &signature("whsec_local", &told, NOW_S)).await);
    [made, printed]
}

async fn last_event(stack: &Stack, function: &str) -> Value {
    let answer = stack.caller(None).get(&format!("/_local/event/{function}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// The event with values that differ in each run replaced by constants.
fn lasting(event: &Value, links: &[String]) -> Value {
    let text = links.iter().fold(event.to_string(), |text, link| text.replace(link, LINK));
    let mut event: Value = serde_json::from_str(&text).unwrap();
    let replacements = [
        ("/headers/authorization", json!("Bearer the gateway has checked it: the claims are below")),
        ("/headers/host", json!("127.0.0.1:9000")),
        ("/headers/x-amzn-trace-id", json!("Root=1-00000000-000000000000000000000000")),
        ("/headers/x-forwarded-port", json!("9000")),
        ("/requestContext/authorizer/jwt/claims/exp", json!((NOW_S + 24 * 60 * 60).to_string())),
        ("/requestContext/authorizer/jwt/claims/iat", json!(NOW_S.to_string())),
        ("/requestContext/requestId", json!("AAAAAAAAAAAAAAA=")),
        ("/requestContext/time", json!("07/Sep/2026:08:00:00 +0000")),
        ("/requestContext/timeEpoch", json!(NOW_S * 1000)),
        ("/id", json!("00000000-0000-4000-8000-000000000000")),
        ("/time", json!("2026-09-07T08:00:00Z")),
    ];
    for (pointer, value) in replacements {
        if let Some(found) = event.pointer_mut(pointer) {
            *found = value;
        }
    }
    event
}

#[tokio::test]
async fn the_sample_events_are_those_that_the_functions_are_handed() {
    let stack = Stack::start().await;
    let links = call_everything(&stack).await;
    let folder = workspace_root().join("infra/events");
    let mut files = BTreeMap::new();
    for function in template().functions.values() {
        let event = last_event(&stack, &function.package).await;
        let text = format!("{:#}\n", lasting(&event, &links));
        files.insert(folder.join(format!("{}.json", function.package)), text);
    }
    std::fs::create_dir_all(&folder).unwrap();
    let outdated = outdated(&files);
    assert!(outdated.is_empty(), "UPDATE_EVENTS=1 renews them:\n{}", outdated.join("\n"));
    let there = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    assert_eq!(there.collect::<BTreeSet<_>>(), files.into_keys().collect(), "one event per function, and no other");
}

/// A stack's default ports.
fn usual_port(variable: &str) -> u16 {
    match variable {
        "AWS_ENDPOINT_URL_DYNAMODB" => 8000,
        "STRIPE_API_BASE" => 12111,
        _ => 9000,
    }
}

/// The environment that a stack on the default ports gives a function, without the variables that a Lambda runtime
/// sets.
async fn environment(stack: &Stack, function: &str) -> BTreeMap<String, String> {
    let told = stack.caller(None).get(&format!("/_local/env/{function}")).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let mut environment = BTreeMap::new();
    for line in told.text.lines() {
        let (name, value) = line.split_once('=').expect("KEY=VALUE");
        let is_the_runtime_s = name.starts_with("AWS_LAMBDA_") || ["PATH", "LANG", "TZ", "_HANDLER"].contains(&name);
        // The default stack's clock is the machine's.
        if is_the_runtime_s || name == "CLOCK_OFFSET_MS" {
            continue;
        }
        let value = match value.strip_prefix("http://127.0.0.1:") {
            None => value.to_owned(),
            Some(rest) => {
                let path = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                format!("http://127.0.0.1:{}{path}", usual_port(name))
            }
        };
        environment.insert(name.to_owned(), value);
    }
    environment
}

#[tokio::test]
async fn sam_and_cargo_lambda_have_the_environment_of_a_stack_on_the_usual_ports() {
    let stack = Stack::start().await;
    let mut for_sam = BTreeMap::new();
    let mut for_cargo_lambda = BTreeMap::new();
    for (resource, function) in template().functions {
        let environment = environment(&stack, &function.package).await;
        for_cargo_lambda.extend(environment.clone());
        // SAM passes on the variables that the template names, and nothing else.
        let named = environment.into_iter().filter(|(name, _)| function.environment.contains_key(name));
        for_sam.insert(resource, named.collect::<BTreeMap<_, _>>());
    }
    // One for all functions.
    for_cargo_lambda.remove("AWS_SDK_UA_APP_ID");
    let lines: String = for_cargo_lambda.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let infra = workspace_root().join("infra");
    let for_sam = format!("{:#}\n", json!(for_sam));
    let files = [(infra.join("sam-local.json"), for_sam), (infra.join("cargo-lambda.env"), lines)];
    let outdated = outdated(&files.into());
    assert!(outdated.is_empty(), "UPDATE_EVENTS=1 renews them:\n{}", outdated.join("\n"));
}

/// The settings for `cargo lambda watch` in the root's `Cargo.toml`.
fn router() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut metadata = Command::new(cargo);
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(workspace_root());
    let metadata: Value = serde_json::from_slice(&metadata.output().expect("cargo starts").stdout).expect("JSON");
    metadata["metadata"]["lambda"]["watch"]["router"].clone()
}

#[test]
fn cargo_lambda_has_the_routes_of_the_template() {
    let template = template();
    let mut routes: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for route in &template.routes {
        let function = template.functions[&route.function].package.clone();
        routes.entry(route.path.clone()).or_default().insert((route.method.clone(), function));
    }
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let router = router();
    let router = router.as_object().expect("Cargo.toml: workspace.metadata.lambda.watch.router");
    let router: BTreeMap<_, BTreeSet<_>> = router
        .iter()
        .map(|(path, routes)| {
            let routes = routes.as_array().expect("a list").iter();
            (path.clone(), routes.map(|route| (text(&route["method"]), text(&route["function"]))).collect())
        })
        .collect();
    assert_eq!(router, routes);
}
