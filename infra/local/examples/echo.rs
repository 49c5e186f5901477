//! A function for the local stack's own tests. It answers with its event, or misbehaves as the event asks.
//!
//! What it does depends on nothing but the event and its environment.

#![expect(clippy::disallowed_methods, reason = "its environment is what is tested")]

use std::process;

use lambda_http::lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var("FAILS_AT_START").is_ok() {
        process::exit(4);
    }
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    let asked = |name: &str| event["queryStringParameters"][name].as_str().unwrap_or_default().to_owned();
    match asked("mode").as_str() {
        "crash" => process::exit(3),
        "panic" => panic!("as asked"),
        "fail" => Err("as asked".into()),
        "hang" => std::future::pending().await,
        "pid" => Ok(json!({"pid": process::id()})),
        "environment" => Ok(json!(std::env::vars().collect::<std::collections::BTreeMap<_, _>>())),
        "context" => Ok(json!({
            "requestId": context.request_id,
            "deadline": context.deadline,
            "arn": context.invoked_function_arn,
            "trace": context.xray_trace_id,
        })),
        // Answers with the request's body unchanged.
        "answer" => Ok(serde_json::from_str(event["body"].as_str().unwrap_or_default())?),
        "meet" => meet(asked("at")).await,
        _ if event["source"] == "aws.scheduler" => {
            let table = std::env::var("TABLE_NAME")?;
            meet(format!("127.0.0.1:{}", table.trim_start_matches("at-"))).await
        }
        // Leaves a connection open, which closes when the process ends.
        "hold" => {
            let mut line = TcpStream::connect(asked("at")).await?;
            line.write_u32(process::id()).await?;
            std::mem::forget(line);
            Ok(json!({"pid": process::id()}))
        }
        _ => Ok(json!({
            "statusCode": 200,
            "headers": {"content-type": "application/json"},
            "body": event.to_string(),
        })),
    }
}

/// Reports that it is at work, and continues once the report is answered.
async fn meet(at: String) -> Result<Value, Error> {
    let mut meeting = TcpStream::connect(at).await?;
    meeting.write_u32(process::id()).await?;
    meeting.read_u8().await?;
    meeting.write_u32(process::id()).await?;
    Ok(json!({"pid": process::id()}))
}
