//! The functions' own binaries, built first or taken from a folder.
//!
//! We run what cargo says it has just built, never an older file that happens to be in the target folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use classpay_operator::machine::{variable, variables};
use serde_json::Value;
use tokio::process::Command;

use crate::Problem;
use crate::template::Template;

/// Binaries by the name of their package.
pub type Binaries = BTreeMap<String, PathBuf>;

/// The folder of the repository.
#[must_use]
pub fn workspace_root() -> PathBuf {
    // The folder of this package (infra/local) at build time.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Lets cargo build every binary of the workspace and reads from its output where they are.
pub async fn build(release: bool) -> Result<Binaries, Problem> {
    let mut cargo = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    cargo.args(["build", "--workspace", "--bins", "--quiet", "--message-format", "json-render-diagnostics"]);
    if release {
        cargo.arg("--release");
    }
    // `cargo run` sets variables about the package that runs. A nested cargo would see a changed environment, and build
    // scripts that read it, such as ring's, would run again each time.
    for (name, _) in variables() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_BIN_NAME" {
            cargo.env_remove(&name);
        }
    }
    let output = cargo
        .current_dir(workspace_root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|problem| Problem::new(format!("cargo does not start: {problem}")))?;
    if !output.status.success() {
        return Err(Problem::new("the functions do not build"));
    }
    let lines = output.stdout.split(|byte| *byte == b'\n');
    Ok(lines.filter_map(|line| built_binary(&serde_json::from_slice(line).ok()?)).collect())
}

fn built_binary(message: &Value) -> Option<(String, PathBuf)> {
    let executable = message.get("executable")?.as_str()?;
    let name = message.get("target")?.get("name")?.as_str()?;
    Some((name.to_owned(), PathBuf::from(executable)))
}

/// The binaries in a folder.
#[must_use]
pub fn in_folder(folder: &Path, template: &Template) -> Binaries {
    let place = |package: &String| (package.clone(), folder.join(package));
    let places = template.functions.values().map(|function| place(&function.package));
    places.filter(|(_, path)| path.is_file()).collect()
}

/// Checks that every function of the template has its binary.
///
/// # Errors
/// Names the functions that lack one.
pub fn complete(binaries: &Binaries, template: &Template) -> Result<(), Problem> {
    let missing: Vec<_> = template
        .functions
        .values()
        .filter(|function| !binaries.contains_key(&function.package))
        .map(|function| format!("{} (functions/{})", function.resource, function.package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Problem::new(format!("no binary for {}", missing.join(", "))))
}
