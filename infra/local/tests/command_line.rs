//! `classpay-local` as a program: what it prints, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::echo::{self, Meeting};

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_classpay-local"));
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program
}

fn stack() -> Command {
    let mut stack = program();
    stack.args(["--memory", "--json", "--port", "0", "--dynamodb-port", "0", "--stripe-port", "0", "--template"]);
    stack.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/echo/template.yaml")).arg("--bin-dir").arg(echo::examples());
    stack
}

/// A stack that is killed when the test is over.
struct Running {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    line: Value,
}

impl Running {
    fn start() -> Self {
        let mut child = stack().stderr(Stdio::inherit()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Self { child, stdout, line: serde_json::from_str(&line).unwrap() }
    }

    fn api(&self) -> &str {
        self.line["api"].as_str().unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.api())).await.unwrap().json().await.unwrap()
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn output(command: &mut Command) -> (bool, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn with_json_it_prints_one_line_when_everything_answers() {
    let mut stack = Running::start();
    let family = stack.line["tokens"]["families"].as_object().unwrap().iter().next().unwrap();
    for (family, token) in [(Some(family.0.as_str()), family.1), (None, &stack.line["tokens"]["staff"])] {
        let call = reqwest::Client::new().get(format!("{}/v1/families/f", stack.api()));
        let event: Value = call.bearer_auth(token.as_str().unwrap()).send().await.unwrap().json().await.unwrap();
        let claims = &event["requestContext"]["authorizer"]["jwt"]["claims"];
        assert_eq!(claims["company_id"], stack.line["companyId"]);
        assert_eq!(claims["role"], if family.is_some() { "family" } else { "staff" });
        assert_eq!(claims["family_id"].as_str(), family);
    }
    assert!(stack.line["stripeAccount"].as_str().unwrap().starts_with("acct_"));
    assert_eq!(stack.line["table"], "classpay-local");
    assert!(stack.line["paymentLinks"].is_array());
    for backend in ["dynamodb", "stripe"] {
        assert!(stack.line[backend].as_str().unwrap().starts_with("http://127.0.0.1:"));
    }
    stack.signal("TERM");
    let mut rest = String::new();
    stack.stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "exactly one line");
}

#[tokio::test]
async fn it_ends_cleanly_when_told_to_and_its_functions_with_it() {
    for signal in ["INT", "TERM"] {
        let mut stack = Running::start();
        let meeting = Meeting::new().await;
        stack.get(&meeting.path("hold")).await;
        let guest = meeting.guest().await;
        stack.signal(signal);
        assert!(stack.child.wait().unwrap().success(), "{signal}");
        guest.gone().await;
    }
}

#[tokio::test]
async fn a_stack_that_is_killed_leaves_no_function_behind() {
    let mut stack = Running::start();
    let meeting = Meeting::new().await;
    stack.get(&meeting.path("hold")).await;
    let guest = meeting.guest().await;
    stack.child.kill().unwrap();
    guest.gone().await;
}

#[tokio::test]
async fn env_prints_what_a_running_stack_gives_a_function() {
    let stack = Running::start();
    let port = stack.api().rsplit(':').next().unwrap();
    let (ok, printed, _) = output(program().args(["env", "echo", "--port", port]));
    assert!(ok);
    assert!(printed.lines().any(|line| line == "TABLE_NAME=classpay-local"), "{printed}");
    let (ok, printed, complaint) = output(program().args(["env", "nonsense", "--port", port]));
    assert!(!ok && printed.is_empty());
    assert!(complaint.contains("there is no function nonsense; there are echo"), "{complaint}");
}

#[test]
fn env_without_a_stack_says_so() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (ok, _, complaint) = output(program().args(["env", "echo", "--port", &free.to_string()]));
    assert!(!ok && complaint.contains("no stack answers on port"), "{complaint}");
}

#[test]
fn token_prints_a_token_and_asks_for_whom() {
    let (ok, token, _) = output(program().args(["token", "--company", "co_1", "--role", "staff"]));
    assert!(ok && token.trim_end().split('.').count() == 3, "{token}");
    let (ok, _, complaint) = output(program().args(["token", "--company", "co_1"]));
    assert!(!ok && complaint.contains("--family"), "{complaint}");
    let (ok, ..) = output(program().args(["token", "--company", "co_1", "--family", "fml_1", "--role", "staff"]));
    assert!(!ok);
}

#[test]
fn a_busy_port_is_named_by_its_option() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    for option in ["--port", "--dynamodb-port", "--stripe-port"] {
        let mut ports = vec!["--port", "0", "--dynamodb-port", "0", "--stripe-port", "0"];
        let place = ports.iter().position(|given| *given == option).unwrap();
        ports[place + 1] = &port;
        let mut command = program();
        command.args(["--memory", "--template", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/echo/template.yaml")]);
        let (ok, _, complaint) = output(command.arg("--bin-dir").arg(echo::examples()).args(ports));
        assert!(!ok && complaint.contains(&format!("{option} {port}: ")), "{complaint}");
    }
}

#[test]
fn a_function_without_a_binary_is_named() {
    let (ok, _, complaint) = output(program().args(["--memory", "--port", "0", "--bin-dir", "/nonexistent"]));
    assert!(!ok && complaint.contains("GetQuoteFunction (functions/get-quote)"), "{complaint}");
}

#[test]
fn what_is_not_a_test_key_starts_nothing() {
    let mut command = stack();
    command.args(["--stripe-url", "https://api.stripe.com"]).env("STRIPE_SECRET_KEY", "sk_live_x");
    let (ok, _, complaint) = output(&mut command);
    assert!(!ok && complaint.contains("is no test key") && !complaint.contains("sk_live_x"), "{complaint}");
}
