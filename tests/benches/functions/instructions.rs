//! How many instructions the functions take, counted by valgrind's callgrind and held to a table in the repository.
//!
//! Invariant: the count doesn't depend on what else the machine does, so it may fail a build; a time may not.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use classpay_local::binaries::workspace_root;
use classpay_local::clock::machine_time;
use tempfile::NamedTempFile;
use tokio::process::Command;

use crate::report::aligned;
use crate::work::Work;
use crate::world::{Ground, World};

/// A count may be so many per cent above the table's.
const TOLERANCE_PERCENT: u64 = 10;
/// How many requests come before those that are counted: the first ones of a process do more.
const WARM_UP: usize = 10;

/// What is counted: a start, or requests.
struct Count {
    name: &'static str,
    work: Work,
    requests: usize,
}

const COUNTS: [Count; 5] = [
    Count { name: "get-quote, start to the first event", work: Work::Quote, requests: 0 },
    Count { name: "a warm quote of 5 lines", work: Work::QuoteOfLines(5), requests: 40 },
    Count { name: "a warm quote of 25 lines", work: Work::QuoteOfLines(25), requests: 20 },
    Count { name: "basket-checkout, start to the first event", work: Work::Checkout, requests: 0 },
    Count { name: "a warm checkout", work: Work::Checkout, requests: 40 },
];

/// The functions that are counted.
pub fn functions() -> Vec<&'static str> {
    COUNTS.iter().map(|count| count.work.function()).collect()
}

/// Counts, and says how that compares with the table; `keep` writes the table anew. Whether nothing grew too much.
pub async fn instructions(ground: &Arc<Ground>, keep: bool) -> bool {
    let file = workspace_root().join("tests/benches/instructions.md");
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let mut lines = vec![["instructions", "counted", "table", ""].map(str::to_owned).to_vec()];
    let mut rows = String::new();
    let mut is_well = true;
    for count in &COUNTS {
        eprintln!("counting {}", count.name);
        let counted = count.count(ground).await;
        let _infallible = writeln!(rows, "| {} | {} |", count.name, grouped(counted));
        let before = row(&kept, count.name);
        let verdict = match before {
            None if keep => "new",
            None => "NOT IN THE TABLE",
            Some(before) if counted * 100 > before * (100 + TOLERANCE_PERCENT) => "GREW",
            Some(_) => "as before",
        };
        is_well &= matches!(verdict, "new" | "as before");
        lines.push(vec![
            count.name.to_owned(),
            grouped(counted),
            before.map_or_else(|| "-".to_owned(), grouped),
            verdict.to_owned(),
        ]);
    }
    println!("\n{}", aligned(&lines));
    if keep {
        std::fs::write(&file, table(&rows)).expect("the repository can be written to");
        return true;
    }
    if !is_well {
        println!("More than {TOLERANCE_PERCENT} % above {}. If it is worth it, --keep.", file.display());
    }
    is_well
}

impl Count {
    async fn count(&self, ground: &Arc<Ground>) -> u64 {
        let mut world = World::open(ground, &self.work.studio(2 * WARM_UP + self.requests)).await;
        if self.requests == 0 {
            return total(&mut world, self.work, 0).await;
        }
        let before = total(&mut world, self.work, WARM_UP).await;
        let after = total(&mut world, self.work, WARM_UP + self.requests).await;
        let requests = u64::try_from(self.requests).expect("not that many");
        (after - before) / requests
    }
}

/// All that a process takes from its start through so many requests until it waits for the next.
async fn total(world: &mut World, work: Work, requests: usize) -> u64 {
    let events = work.prepare(world, requests).await;
    world.end_helpers().await;
    let log = NamedTempFile::new().expect("a file can be made");
    let mut program = world.start_under(valgrind(log.path()), work.function()).await;
    for event in events {
        let (answer, _) = program.invoke(event).await;
        work.check(&answer);
    }
    program.terminate().await;
    let said = std::fs::read_to_string(log.path()).expect("it was written");
    let line = said.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = line.unwrap_or_else(|| panic!("callgrind counted nothing:\n{said}"));
    count.trim().parse().expect("a number")
}

/// What counts the program that is named next.
fn valgrind(log: &Path) -> Command {
    let mut command = Command::new(program("valgrind"));
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(format!("--log-file={}", log.display()));
    command
}

/// Where a program is: the one that is started has no PATH.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|place| place.is_file()).unwrap_or_else(|| panic!("{name} is not installed"))
}

/// What the table says of something.
fn row(table: &str, name: &str) -> Option<u64> {
    let cells = |line: &'_ str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let row = table.lines().map(cells).find(|cells| cells.get(1).is_some_and(|cell| cell == name))?;
    row.get(2)?.replace(',', "").parse().ok()
}

fn table(rows: &str) -> String {
    let rustc = std::process::Command::new("rustc").arg("--version").output().expect("there is a compiler");
    let rustc = String::from_utf8_lossy(&rustc.stdout).trim().to_owned();
    let date = machine_time().strftime("%Y-%m-%d");
    format!(
        "# Instructions\n\n\
         What the functions take, counted by valgrind's callgrind on {processor}, {date}, {rustc}: a start with both connections\n\
         opened; a request of a process that has had {WARM_UP}, TLS and the Runtime API in it. They are built as\n\
         `cargo test` builds them. `cargo bench --profile dev --workspace --bench functions -- --instructions --binaries\n\
         target/debug` counts again and fails where one has grown by more than {TOLERANCE_PERCENT} %; with `--keep` it writes\n\
         this file.\n\n\
         | what | instructions |\n|---|---:|\n{rows}",
        processor = std::env::consts::ARCH,
    )
}

/// 1234567 as 1,234,567.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}
