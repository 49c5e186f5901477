//! The functions' processes, as the operating system sees them.
//!
//! Invariant: only children of this test's own stack are found, and so only they are killed.

use std::process::Command;

use crate::Stack;

impl Stack {
    /// Kills the processes of a function as the out-of-memory killer would. How many there were.
    ///
    /// # Panics
    /// If one can't be killed.
    #[must_use]
    pub fn kill_function(&self, name: &str) -> usize {
        let stack = self.id().expect("the stack runs");
        let processes = children(stack).filter(|(_, command)| command == name);
        let killed = processes.map(|(process, _)| {
            let status = Command::new("kill").args(["-9", &process.to_string()]).status().expect("kill can be run");
            assert!(status.success(), "process {process} can be killed");
        });
        killed.count()
    }
}

/// The children of a process with their commands' names, the way `/proc/…/stat` writes them.
fn children(parent: u32) -> impl Iterator<Item = (u32, String)> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes.filter_map(move |process| {
        // It may have ended meanwhile.
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (head, tail) = stat.rsplit_once(')')?;
        let (_, command) = head.split_once('(')?;
        let its_parent: u32 = tail.split_whitespace().nth(1)?.parse().ok()?;
        (its_parent == parent).then(|| (process, command.to_owned()))
    })
}
