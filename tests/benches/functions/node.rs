//! What makes the same calls in Node (tests/node), built if Node is installed.
//!
//! Invariant: nothing is installed or built in the source tree, and what can't be had here only leaves the comparison
//! out; a bundle that doesn't build fails.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use classpay_local::binaries::workspace_root;

/// The oldest that is compared with: what the sources are written for.
const OLDEST: u16 = 20;
/// What was installed last, so that it isn't installed again.
const INSTALLED: &str = "installed-lock.json";

/// Node, with the functions' bundles.
pub struct Node {
    pub major: u16,
    folder: PathBuf,
}

impl Node {
    /// Installs what the sources need and bundles them, if Node is here.
    ///
    /// # Errors
    /// Why there is no comparison on this machine.
    pub fn ready() -> Result<Self, String> {
        let version = run(Command::new("node").arg("--version"))?;
        let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
        let major = major.filter(|major| *major >= OLDEST).ok_or(format!("Node is {}", version.trim()))?;
        let folder = workspace_root().join("target/node");
        copy(&workspace_root().join("tests/node"), &folder).expect("the target folder can be written to");
        let lock = fs::read(folder.join("package-lock.json")).expect("it has just been copied");
        if fs::read(folder.join(INSTALLED)).is_ok_and(|installed| installed == lock) {
            run(Command::new("npm").arg("--version"))?;
        } else {
            eprintln!("installing what the functions in Node need");
            run(Command::new("npm").args(["ci", "--silent"]).current_dir(&folder))?;
            fs::write(folder.join(INSTALLED), lock).expect("the target folder can be written to");
        }
        let bundled = run(Command::new("npm").args(["run", "--silent", "build"]).current_dir(&folder));
        bundled.unwrap_or_else(|problem| panic!("tests/node does not build: {problem}"));
        Ok(Self { major, folder })
    }

    /// The one file that a function is.
    pub fn bundle(&self, function: &str) -> PathBuf {
        self.folder.join(format!("dist/{function}.cjs"))
    }
}

/// The sources alone: the folder may have more in it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.join("src"))?;
    for file in [".npmrc", "package.json", "package-lock.json"] {
        fs::copy(from.join(file), to.join(file))?;
    }
    for file in fs::read_dir(from.join("src"))? {
        let file = file?;
        fs::copy(file.path(), to.join("src").join(file.file_name()))?;
    }
    Ok(())
}

/// What a command prints, or why it failed.
fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().display().to_string();
    let output = command.output().map_err(|problem| format!("{name}: {problem}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
