//! What each function costs and how long it takes, beside a function that does nothing, built in the same profile.
//! `cargo bench -p classpay-tests --bench functions` measures all of them; `-- --help` names what can be chosen.
//!
//! Read in this order: here (what is measured), [`measure`] (how), [`work`] (the rows), [`world`] (what a row has for
//! itself), [`program`] (a process and its Runtime API), [`stand_in`] (DynamoDB and Stripe behind TLS), [`node`] (what
//! makes the same calls in Node), [`report`], [`goals`], [`cost`]; and [`instructions`], which a build may fail by.
//!
//! Invariant: the functions are built as they are deployed: for themselves, so that no feature that only the tests need
//! is in them.

mod cost;
mod figures;
mod goals;
mod http;
mod instructions;
mod measure;
mod node;
mod program;
mod quota;
mod report;
mod spent;
mod stand_in;
mod work;
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use classpay_local::binaries::{self, in_folder, workspace_root};
use classpay_local::template::{TEMPLATE, Template};
use serde_json::{Value, json};

use figures::Size;
use measure::Extent;
use node::Node;
use quota::Quota;
use report::Row;
use stand_in::Authority;
use work::Work;
use world::{Ground, Latency};

/// Measures the functions as they are deployed, beside one that does nothing.
#[derive(Debug, Parser)]
struct Options {
    /// Only these functions, with hello-world; may be repeated.
    #[arg(long, value_name = "FUNCTION")]
    only: Vec<String>,
    /// Cold starts of each.
    #[arg(long, default_value_t = 20)]
    starts: usize,
    /// Warm requests of what changes nothing.
    #[arg(long, default_value_t = 1000)]
    requests: usize,
    /// Warm requests of what changes something.
    #[arg(long, default_value_t = 200)]
    changes: usize,
    /// Beside them, the quote of growing baskets and of families with growing histories.
    #[arg(long)]
    growth: bool,
    /// How many milliseconds each call to DynamoDB and each to Stripe waits.
    #[arg(long, default_value = "4,250", value_parser = latency, value_name = "MS,MS")]
    latency: Latency,
    /// The requests that follow a cold start get the CPU that Lambda gives to so many MiB; 0: all there is.
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    memory: u64,
    /// Counts instructions instead, and fails if they are many more than the table in tests/benches/instructions.md says.
    #[arg(long)]
    instructions: bool,
    /// Writes that table anew.
    #[arg(long, requires = "instructions")]
    keep: bool,
    /// The functions lie there, seen from the workspace, each named as its package; nothing is built.
    #[arg(long, value_name = "FOLDER", requires = "instructions")]
    binaries: Option<PathBuf>,
    /// One line of JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn latency(text: &str) -> Result<Latency, String> {
    let (aws, stripe) = text.split_once(',').ok_or("two numbers with a comma, such as 4,250")?;
    let ms =
        |text: &str| text.trim().parse().map(Duration::from_millis).map_err(|problem| format!("{text:?}: {problem}"));
    Ok(Latency { aws: ms(aws)?, stripe: ms(stripe)? })
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let template = Template::parse(TEMPLATE).expect("the template is sound");
    for function in template.functions.values() {
        let measured = Work::ALL.iter().any(|work| work.function() == function.package);
        assert!(measured, "{} is in the template and has no row", function.package);
    }
    let mut works = chosen(&options.only);
    works.extend(Work::GROWTH.iter().filter(|_| options.growth));
    let binaries = match &options.binaries {
        Some(folder) => in_folder(&workspace_root().join(folder), &template),
        None if options.instructions => {
            // What only prepares a row need not be optimised.
            let mut binaries = binaries::build(false).await.expect("the functions build");
            binaries.extend(build(&instructions::functions()));
            binaries
        }
        None => build(&Work::ALL.map(Work::function)),
    };
    let node = if options.instructions { None } else { node(&mut works) };
    // Preparing one row takes what others do: every function is there.
    let ground = Arc::new(Ground { template, binaries, node, authority: Authority::new() });
    if options.instructions {
        let is_well = instructions::instructions(&ground, options.keep).await;
        return if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let quota = quota(options.memory);
    let extent =
        Extent { starts: options.starts.max(1), reads: options.requests.max(1), changes: options.changes.max(1) };
    let size = |work: Work| match (work, &ground.node) {
        (Work::InNode(work, _), Some(node)) => Size::of(&node.bundle(work.function())),
        _ => Size::of(&ground.binaries[work.function()]),
    };
    let measured = measure::measure(&ground, &works, extent, options.latency, quota.as_ref()).await;
    let rows: Vec<_> = measured.iter().map(|row| Row::new(row, size(row.work))).collect();
    let goals = goals::goals(&rows, quota.is_some());
    if options.json {
        let rows: Vec<Value> = rows.iter().map(Row::json).collect();
        let goals: Vec<Value> = goals.iter().map(goals::Goal::json).collect();
        println!("{}", json!({"rows": rows, "goals": goals}));
        return ExitCode::SUCCESS;
    }
    println!("\n{}", report::figures(&rows));
    println!("{}", explanation(&options, quota.is_some()));
    println!("{}", report::ratios(&rows));
    println!("{}", report::in_node(&rows));
    println!("{}", cost::cost(&rows));
    println!("{}", goals::table(&goals));
    ExitCode::SUCCESS
}

/// The rows of the functions that were asked for, after the one that they are divided by.
fn chosen(only: &[String]) -> Vec<Work> {
    for name in only {
        assert!(Work::ALL.iter().any(|work| work.function() == name), "there is no function {name}");
    }
    let wanted =
        |work: &Work| only.is_empty() || *work == Work::HelloWorld || only.iter().any(|name| name == work.function());
    Work::ALL.into_iter().filter(wanted).collect()
}

/// Node, where it is and there is something to compare with it: then that is measured as well.
fn node(works: &mut Vec<Work>) -> Option<Node> {
    if Work::in_node(works, 0).is_empty() {
        return None;
    }
    match Node::ready() {
        Ok(node) => {
            works.extend(Work::in_node(works, node.major));
            Some(node)
        }
        Err(problem) => {
            eprintln!("The comparison with Node is left out: {problem}.");
            None
        }
    }
}

/// Has cargo build the functions, and no other package beside them: another's features would be theirs, too.
fn build(packages: &[&str]) -> BTreeMap<String, PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--quiet", "--message-format", "json-render-diagnostics"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    // A benchmark's environment names the package under test; to build scripts that would be a change.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    eprintln!("building the functions as they are deployed");
    let built =
        cargo.current_dir(workspace_root()).stderr(std::process::Stdio::inherit()).output().expect("cargo starts");
    assert!(built.status.success(), "the functions do not build");
    let binary = |line: &[u8]| {
        let message: Value = serde_json::from_slice(line).ok()?;
        let program = PathBuf::from(message.get("executable")?.as_str()?);
        Some((message["target"]["name"].as_str()?.to_owned(), program))
    };
    built.stdout.split(|byte| *byte == b'\n').filter_map(binary).collect()
}

/// The limit, where this user may set one.
fn quota(memory_mib: u64) -> Option<Quota> {
    if memory_mib == 0 {
        return None;
    }
    match Quota::of_memory(memory_mib) {
        Ok(quota) => Some(quota),
        Err(problem) => {
            eprintln!("The CPU is not limited: {problem}.");
            None
        }
    }
}

fn explanation(options: &Options, limited: bool) -> String {
    let Latency { aws, stripe } = options.latency;
    let limit = if limited {
        format!("with the CPU of {} MiB", options.memory)
    } else {
        "without a limit to the CPU".to_owned()
    };
    format!(
        "Medians of {} cold starts in turns, and of {} warm requests ({} where each changes something).\n\
         ready: until it asks for its first event. first, then: the first requests after a start, {limit}.\n\
         warm: without a limit. A call waits {} ms at DynamoDB (D) and {} ms at Stripe (S).\n\
         calls: a request's. connections: opened before it was ready + while it warmed up + later in 1,000 requests.\n",
        options.starts,
        options.requests,
        options.changes,
        aws.as_millis(),
        stripe.as_millis(),
    )
}
