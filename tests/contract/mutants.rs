//! Mutation tests of the safeguards: `tests/mutants.toml` removes one at a time, and a test must fail.
//!
//! `MUTANTS=all cargo test -p classpay-tests --test contract mutants -- --nocapture` runs them all in a copy of the tree under
//! `target/mutants`, each with a build of its own: more than an hour. `MUTANTS=seat` runs those whose sentence contains
//! that word. Each names one test, or a few. Nextest runs it, and it prints the seed on which it failed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde::Deserialize;

/// Nextest's exit code when a test has failed and nothing else was wrong.
const A_TEST_FAILED: i32 = 100;
/// How much of a test's output is printed if a mutant is not caught.
const SHOWN_LINES: usize = 25;

#[derive(Deserialize)]
struct List {
    mutant: Vec<Mutant>,
}

/// A safeguard, its removal, and the test that notices.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    safeguard: String,
    caught_by: Test,
    edit: Vec<Edit>,
}

/// One test, or a few.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    package: String,
    /// The test binary; `None` for the tests in the package's own files.
    binary: Option<String>,
    /// The test's name, with its modules.
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: PathBuf,
    find: String,
    replace: String,
}

impl Edit {
    /// The file with this replaced.
    fn of(&self, tree: &Path) -> Result<String, String> {
        let text = fs::read_to_string(tree.join(&self.file)).map_err(|error| format!("{:?}: {error}", self.file))?;
        match text.matches(&self.find).count() {
            1 => Ok(text.replace(&self.find, &self.replace)),
            times => Err(format!("{:?} has this {times} times: {}", self.file, self.find)),
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn mutants() -> Vec<Mutant> {
    let list = fs::read_to_string(root().join("tests/mutants.toml")).unwrap();
    toml::from_str::<List>(&list).unwrap().mutant
}

#[expect(clippy::disallowed_methods, reason = "the environment selects the mutants")]
fn wish() -> Option<String> {
    std::env::var("MUTANTS").ok()
}

#[test]
fn what_each_mutant_replaces_occurs_exactly_once() {
    let wrong: Vec<_> =
        mutants().iter().flat_map(|mutant| &mutant.edit).filter_map(|edit| edit.of(&root()).err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_mutant_is_caught_by_the_test_that_it_names() {
    let Some(wish) = wish() else { return };
    let mut mutants = mutants();
    mutants.retain(|mutant| wish == "all" || mutant.safeguard.contains(&wish));
    assert!(!mutants.is_empty(), "no safeguard has the word {wish}");
    let (tree, mut escaped) = (root().join("target/mutants/tree"), Vec::new());
    copy(&root(), &tree);
    for mutant in &mutants {
        let (began, how) = (Instant::now(), mutant.run(&tree));
        copy(&root(), &tree);
        let seconds = began.elapsed().as_secs();
        match how {
            Ok(found) => {
                println!("caught   {seconds:>5} s  {found:<16}  {}  [{}]", mutant.safeguard, mutant.caught_by.name)
            }
            Err(how) => {
                println!("ESCAPED  {seconds:>5} s  {}  [{}]\n{how}", mutant.safeguard, mutant.caught_by.name);
                escaped.push(&mutant.safeguard);
            }
        }
    }
    assert!(escaped.is_empty(), "{escaped:#?}");
}

impl Mutant {
    /// Runs the test in the tree without the safeguard. Returns how it was caught, or the output.
    fn run(&self, tree: &Path) -> Result<String, String> {
        for edit in &self.edit {
            let mutated = edit.of(tree)?;
            fs::write(tree.join(&edit.file), mutated).map_err(|error| error.to_string())?;
        }
        let Test { package, binary, name } = &self.caught_by;
        let mut nextest = Command::new("cargo");
        nextest.current_dir(tree).env("CARGO_TARGET_DIR", tree.with_file_name("target"));
        nextest.env_remove("MUTANTS").args(["nextest", "run", "--workspace", "--no-fail-fast"]);
        match binary {
            Some(binary) => nextest.args(["--test", binary]),
            None => nextest.arg("--lib"),
        };
        nextest.args(["-E", &format!("package({package}) and test(={name})")]);
        let output = nextest.output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(A_TEST_FAILED) {
            return Ok(found(&text));
        }
        let lines: Vec<_> = text.lines().collect();
        Err(lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n"))
    }
}

/// The seed or the scenario on which a test reports to have failed.
fn found(text: &str) -> String {
    let after = |mark: &str| {
        let (_, rest) = text.split_once(mark)?;
        rest.split_whitespace().next().map(|value| format!("{}{value}", mark.to_lowercase().replace('=', " ")))
    };
    after("again: SEED=").or_else(|| after("again: SCENARIO=")).unwrap_or_default().replace("again: ", "")
}

/// Makes `tree` equal to `root`. Unchanged files are left alone, so that they aren't rebuilt.
fn copy(root: &Path, tree: &Path) {
    let listed = Command::new("git").current_dir(root).args(["ls-files", "-z", "-co", "--exclude-standard"]).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    for file in listed.split_terminator('\0') {
        // A deleted file is listed until the deletion is committed.
        let Ok(bytes) = fs::read(root.join(file)) else { continue };
        let to = tree.join(file);
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root.join(file), &to).unwrap();
    }
}
