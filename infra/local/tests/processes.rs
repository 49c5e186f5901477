//! How functions run: one event at a time in a process, more processes under load, never too many, none beyond its
//! timeout, and none left behind.

use std::collections::BTreeSet;
use std::time::Duration;

use classpay_local::clock::machine_time;
use classpay_local::runtime::PROCESSES_PER_FUNCTION;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::echo::{self, Guest, Meeting};

#[tokio::test]
async fn an_idle_process_is_used_again() {
    let api = echo::echo().await;
    let first = api.pid().await;
    assert_eq!(api.pid().await, first);
    assert_eq!(api.pid().await, first);
}

#[tokio::test]
async fn a_function_is_told_what_lambda_tells_it() {
    let api = echo::echo().await;
    let context = api.get_json("/open?mode=context").await;
    assert_eq!(context["arn"], "arn:aws:lambda:eu-west-2:000000000000:function:echo");
    assert_eq!(context["requestId"].as_str().unwrap().len(), 36);
    let left = context["deadline"].as_i64().unwrap() - machine_time().as_millisecond();
    assert!((1..=20_000).contains(&left), "{left} ms left of 20 s");
    assert!(context["trace"].as_str().unwrap().starts_with("Root=1-"));
}

#[tokio::test]
async fn a_function_has_lambdas_and_the_templates_variables_and_no_others() {
    let api = echo::echo().await;
    let given = api.get_json("/open?mode=environment").await;
    assert_eq!(given["TABLE_NAME"], "classpay-local");
    assert_eq!(given["STRIPE_SECRET_ARN"], classpay_local::secrets::STRIPE_KEY_ARN);
    assert_eq!(given["AWS_ENDPOINT_URL_SECRETS_MANAGER"], format!("{}/_local/secrets", api.stack.api_url));
    assert_eq!(given["STRIPE_API_BASE"], api.stack.stripe_url);
    assert_eq!(given["AWS_ENDPOINT_URL_DYNAMODB"], api.stack.dynamodb_url);
    assert_eq!(given["AWS_LAMBDA_FUNCTION_NAME"], "echo");
    assert_eq!(given["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256");
    assert_eq!(given["AWS_ACCESS_KEY_ID"], "local");
    assert_eq!(given["CLOCK_OFFSET_MS"], "0");
    for name in given.as_object().unwrap().keys() {
        assert!(!name.starts_with("CARGO") && name != "HOME" && name != "USER", "{name} got through");
    }
}

#[tokio::test]
async fn the_stack_tells_the_environment_that_it_gives() {
    let api = echo::echo().await;
    let given = api.get_json("/open?mode=environment").await;
    for name in ["echo", "EchoFunction"] {
        let told = api.request(reqwest::Method::GET, &format!("/_local/env/{name}"));
        let told = told.send().await.unwrap().text().await.unwrap();
        for (name, value) in given.as_object().unwrap() {
            // Each process has its own id, and the trace is the event's.
            if name == "AWS_LAMBDA_RUNTIME_API" || name == "_X_AMZN_TRACE_ID" {
                continue;
            }
            let line = format!("{name}={}", value.as_str().unwrap());
            assert!(told.lines().any(|told| told == line), "{line} is not in\n{told}");
        }
    }
    let unknown = api.request(reqwest::Method::GET, "/_local/env/nonsense").send().await.unwrap();
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn the_stack_tells_the_last_event_of_a_function_and_hands_it_any_other() {
    let api = echo::echo().await;
    let event = || async { api.request(reqwest::Method::GET, "/_local/event/echo").send().await.unwrap() };
    assert_eq!(event().await.status(), 404);
    let given = api.get_json("/open?greeting=hello").await;
    let mut told: Value = event().await.json().await.unwrap();
    assert_eq!(told, given);

    told["headers"]["x-of-my-own"] = "yes".into();
    let handed = api.request(reqwest::Method::POST, "/_local/invoke/echo").body(told.to_string());
    let answer: Value = handed.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["body"], told.to_string());
    assert_eq!(event().await.json::<Value>().await.unwrap(), told);
}

#[tokio::test]
async fn a_process_that_dies_is_a_500_and_the_next_call_gets_another() {
    let api = echo::echo().await;
    let first = api.pid().await;
    for _ in 0..2 {
        let response = api.get("/open?mode=crash").send().await.unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(response.text().await.unwrap(), r#"{"message":"Internal Server Error"}"#);
    }
    assert_ne!(api.pid().await, first);
}

#[tokio::test]
async fn a_function_that_fails_is_a_500_and_its_process_goes_on() {
    let api = echo::echo().await;
    let first = api.pid().await;
    for mode in ["fail", "panic"] {
        assert_eq!(api.get(&format!("/open?mode={mode}")).send().await.unwrap().status(), 500, "{mode}");
    }
    assert_eq!(api.pid().await, first);
}

#[tokio::test]
async fn a_function_that_does_not_start_is_a_500() {
    let api = echo::echo().await;
    assert_eq!(api.get("/stillborn").send().await.unwrap().status(), 500);
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_killed() {
    let api = echo::echo().await;
    let pid = |answer: Value| answer["pid"].as_u64().unwrap();
    let first = pid(api.get_json("/hasty?mode=pid").await);
    assert_eq!(api.get("/hasty?mode=hang").send().await.unwrap().status(), 500);
    assert_ne!(pid(api.get_json("/hasty?mode=pid").await), first);
}

#[tokio::test]
async fn calls_at_the_same_time_have_a_process_each_up_to_the_limit_and_then_wait() {
    let api = echo::echo().await;
    let meeting = Meeting::new().await;
    let mut calls = JoinSet::new();
    for _ in 0..=PROCESSES_PER_FUNCTION {
        calls.spawn(api.get(&meeting.path("meet")).send());
    }
    let mut guests: Vec<Guest> = Vec::new();
    for _ in 0..PROCESSES_PER_FUNCTION {
        guests.push(meeting.guest().await);
    }
    let pids: BTreeSet<u32> = guests.iter().map(|guest| guest.pid).collect();
    assert_eq!(pids.len(), PROCESSES_PER_FUNCTION, "one event at a time in one process");

    // The last call has no slot until another is returned.
    let freed = guests.pop().unwrap().let_go().await;
    let last = meeting.guest().await;
    assert_eq!(last.pid, freed);
    last.let_go().await;
    for guest in guests {
        guest.let_go().await;
    }
    while let Some(answer) = calls.join_next().await {
        assert_eq!(answer.unwrap().unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_gateway_that_gives_up_says_503_and_stops_no_function() {
    let api = echo::impatient_echo(Duration::from_millis(500)).await;
    let meeting = Meeting::new().await;
    let response = api.get(&meeting.path("meet")).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.text().await.unwrap(), r#"{"message":"Service Unavailable"}"#);
    let guest = meeting.guest().await;
    let pid = guest.pid;
    assert_eq!(guest.let_go().await, pid, "it went on");
}

#[tokio::test]
async fn a_caller_that_goes_away_stops_no_function() {
    let api = echo::echo().await;
    let meeting = Meeting::new().await;
    let call = tokio::spawn(api.get(&meeting.path("meet")).send());
    let guest = meeting.guest().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let pid = guest.pid;
    assert_eq!(guest.let_go().await, pid, "it went on");
}

#[tokio::test]
async fn moving_the_clock_restarts_the_functions_with_it() {
    let api = echo::echo().await;
    let first = api.pid().await;
    let moved = api.request(reqwest::Method::POST, "/_local/clock").body(r#"{"now": "2031-05-06T07:08:09Z"}"#);
    assert_eq!(moved.send().await.unwrap().status(), 200);
    assert_ne!(api.pid().await, first);

    let offset: i64 =
        api.get_json("/open?mode=environment").await["CLOCK_OFFSET_MS"].as_str().unwrap().parse().unwrap();
    let now = machine_time().as_millisecond() + offset;
    let expected: jiff::Timestamp = "2031-05-06T07:08:09Z".parse().unwrap();
    assert!((0..60_000).contains(&(now - expected.as_millisecond())), "off by {} ms", now - expected.as_millisecond());
    let event = api.get_json("/open").await;
    assert!(event["requestContext"]["time"].as_str().unwrap().starts_with("06/May/2031:07:"));
    // The token is still valid, because expiry uses the machine's clock.
    assert_eq!(api.get("/v1/families/f").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_stack_that_ends_takes_its_functions_along_busy_or_idle() {
    let api = echo::echo().await;
    let meeting = Meeting::new().await;
    let busy = tokio::spawn(api.get(&meeting.path("meet")).send());
    let busy_guest = meeting.guest().await;
    api.get(&meeting.path("hold")).send().await.unwrap();
    let idle_guest = meeting.guest().await;
    api.stack.stop().await;
    busy_guest.gone().await;
    idle_guest.gone().await;
    assert_eq!(busy.await.unwrap().unwrap().status(), 500);
}

#[tokio::test]
async fn a_scheduled_function_runs_when_the_stacks_clock_says_so_and_when_told_to() {
    let meeting = Meeting::new().await;
    // A scheduled event can't name the meeting point, so the function's table name does.
    let settings = echo::Settings { table: format!("at-{}", meeting.port()), ..echo::settings() };
    let api = echo::start(&settings).await;
    let next_hour = machine_time() + jiff::SignedDuration::from_mins(61);
    let moved = api.request(reqwest::Method::POST, "/_local/clock").body(format!(r#"{{"now": "{next_hour}"}}"#));
    assert_eq!(moved.send().await.unwrap().status(), 200);
    let guest = meeting.guest().await;
    let pid = guest.pid;
    assert_eq!(guest.let_go().await, pid);

    let told = tokio::spawn(api.request(reqwest::Method::POST, "/_local/run/HourlyFunction").send());
    meeting.guest().await.let_go().await;
    let answer: Value = told.await.unwrap().unwrap().json().await.unwrap();
    assert!(answer["pid"].is_u64());
}
