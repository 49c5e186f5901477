//! The command line of `cargo dev`.
//!
//! Invariant: with `--json` exactly one line goes to stdout, once everything answers. Everything else goes to stderr.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use classpay_operator::stack::TABLE;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::gateway::INTEGRATION_TIMEOUT;
use crate::stack::{Settings, Stack};
use crate::template::{TEMPLATE, Template};
use crate::{Problem, binaries, welcome};

/// The API, DynamoDB and Stripe on this machine, with the functions' own binaries behind them.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    start: Start,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Operator(classpay_operator::Command),
    /// Prints the environment that a running stack gives a function, as KEY=VALUE lines.
    Env(Env),
}

#[derive(Debug, Args)]
struct Start {
    /// The API's port (0: any that is free).
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// The embedded DynamoDB's port (0: any that is free).
    #[arg(long, default_value_t = 8000)]
    dynamodb_port: u16,
    /// The Stripe stand-in's port (0: any that is free).
    #[arg(long, default_value_t = 12111)]
    stripe_port: u16,
    /// Keeps nothing: the state is gone when the stack ends.
    #[arg(long, conflicts_with = "data_dir")]
    memory: bool,
    /// Where the state is kept [default: target/dev].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A studio to load instead of the demo studio; demo-us is another demo, in the United States.
    #[arg(long, value_name = "FILE.json")]
    catalogue: Option<PathBuf>,
    /// Where the stack's clock starts, such as 2026-09-01T09:00:00Z.
    #[arg(long, value_name = "RFC3339")]
    now: Option<Timestamp>,
    /// A DynamoDB to use instead of the embedded one, with your AWS_* variables unless it is local.
    #[arg(long, value_name = "URL")]
    dynamodb_url: Option<String>,
    /// A Stripe to use instead of the stand-in, with the test key in STRIPE_SECRET_KEY.
    #[arg(long, value_name = "URL")]
    stripe_url: Option<String>,
    /// The table's name.
    #[arg(long, default_value = TABLE, value_name = "NAME")]
    table: String,
    /// Creates a missing table also in a DynamoDB that is not local.
    #[arg(long)]
    create_table: bool,
    /// Builds and runs the functions optimised.
    #[arg(long)]
    release: bool,
    /// Prints one line of JSON on stdout when all is ready.
    #[arg(long)]
    json: bool,
    /// Functions that are built already.
    #[arg(long, value_name = "DIR", hide = true)]
    bin_dir: Option<PathBuf>,
    /// Another template than infra/template.yaml.
    #[arg(long, value_name = "FILE", hide = true)]
    template: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Env {
    /// The function: its package (get-quote) or its resource (GetQuoteFunction).
    function: String,
    /// The port of the running stack's API.
    #[arg(long, default_value_t = 9000)]
    port: u16,
}

/// Executes the command line.
pub async fn run(cli: Cli) -> Result<(), Problem> {
    match cli.command {
        Some(Command::Operator(command)) => classpay_operator::run(command).await,
        Some(Command::Env(env)) => print_environment(&env).await,
        None => start(cli.start).await,
    }
}

async fn print_environment(env: &Env) -> Result<(), Problem> {
    let url = format!("http://127.0.0.1:{}/_local/env/{}", env.port, env.function);
    let trouble = |_| {
        Problem::new(format!(
            "no stack answers on port {}: start it with `cargo dev`, or say where it is with --port",
            env.port
        ))
    };
    let answer = reqwest::get(url).await.map_err(trouble)?;
    let found = answer.status().is_success();
    let text = answer.text().await.map_err(trouble)?;
    if !found {
        return Err(Problem::new(text.trim_end()));
    }
    print!("{text}");
    Ok(())
}

async fn start(start: Start) -> Result<(), Problem> {
    // Installed before anything is started, so that an early Ctrl-C leaves no child behind.
    let trouble = |problem| Problem::new(format!("cannot listen for signals: {problem}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(trouble)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(trouble)?;
    tokio::select! {
        ready = bring_up(&start) => {
            let stack = ready?;
            if start.json {
                println!("{}", welcome::json_line(&stack));
            } else {
                eprint!("{}", welcome::message(&stack));
            }
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            stack.stop().await;
            Ok(())
        }
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

async fn bring_up(start: &Start) -> Result<Stack, Problem> {
    let template = match &start.template {
        None => Template::parse(TEMPLATE),
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|problem| Problem::new(format!("--template {}: {problem}", file.display())))?;
            Template::parse(&text)
        }
    };
    let template = template.map_err(|problem| Problem::new(problem.to_string()))?;
    let binaries = match &start.bin_dir {
        Some(folder) => binaries::in_folder(folder, &template),
        None => {
            eprintln!("Building the functions …");
            binaries::build(start.release).await?
        }
    };
    let default_dir = || binaries::workspace_root().join("target/dev");
    let settings = Settings {
        port: start.port,
        dynamodb_port: start.dynamodb_port,
        stripe_port: start.stripe_port,
        data_dir: (!start.memory).then(|| start.data_dir.clone().unwrap_or_else(default_dir)),
        catalogue: start.catalogue.clone(),
        now: start.now,
        dynamodb_url: start.dynamodb_url.clone(),
        stripe_url: start.stripe_url.clone(),
        table: start.table.clone(),
        create_table: start.create_table,
        integration_timeout: INTEGRATION_TIMEOUT,
    };
    Stack::start(&settings, template, &binaries).await
}
