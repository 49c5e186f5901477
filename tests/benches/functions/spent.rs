//! What a process has used: CPU to the nanosecond, and its peak of memory.
//!
//! Invariant: a figure is read when the process has nothing left to do. The kernel adds a thread's time up when the
//! thread leaves the CPU, so that one that runs shows too little.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::sleep;

/// A process that used nothing for so long, and of which every thread sleeps, waits for somebody.
const QUIET: Duration = Duration::from_millis(2);

/// The time that something took, and the CPU's part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    pub wall: Duration,
    pub cpu: Duration,
}

/// The CPU time that a process has used when it next waits for somebody.
pub async fn cpu_when_quiet(process: u32) -> Duration {
    let mut last = None;
    loop {
        sleep(QUIET).await;
        let (used, is_asleep) = (cpu(process), is_asleep(process));
        if is_asleep && last == Some(used) {
            return used;
        }
        last = Some(used);
    }
}

/// Of all threads that live. One that has ended takes its time with it; the functions end none while they serve.
fn cpu(process: u32) -> Duration {
    let used = |thread: PathBuf| {
        let text = fs::read_to_string(thread.join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(threads(process).filter_map(used).sum())
}

fn is_asleep(process: u32) -> bool {
    threads(process).all(|thread| {
        // The state follows the name, which is in brackets and may have any characters.
        let text = fs::read_to_string(thread.join("stat")).unwrap_or_default();
        text.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('S'))
    })
}

fn threads(process: u32) -> impl Iterator<Item = PathBuf> {
    let folder = fs::read_dir(format!("/proc/{process}/task")).expect("Linux, and a process that lives");
    folder.flatten().map(|thread| thread.path())
}

/// The most memory that a process ever had, in KiB.
pub fn peak_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("Linux, and a process that lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel says it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
