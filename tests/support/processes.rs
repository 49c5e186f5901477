//! The functions' processes, as the operating system sees them.
//!
//! Only children of this test's own stack are found, so only they are killed.

use std::process::Command;

use crate::Stack;

impl Stack {
    /// Kills the processes of a function as the out-of-memory killer would, and waits until they are gone. Returns how
    /// many there were.
    ///
    /// # Panics
    /// If one can't be killed.
    #[must_use]
    pub fn kill_function(&self, name: &str) -> usize {
        let processes = self.processes_of(name);
        for process in &processes {
            assert!(kill(*process), "process {process} can be killed");
        }
        processes.len()
    }

    /// The processes of a function.
    ///
    /// # Panics
    /// If the stack has ended.
    #[must_use]
    pub fn processes_of(&self, name: &str) -> Vec<u32> {
        let stack = self.id().expect("the stack runs");
        children(stack).filter(|(_, program)| program == name).map(|(process, _)| process).collect()
    }
}

/// Kills a process of a stack and waits until the stack has noticed. Returns false if it had already exited.
///
/// # Panics
/// If `kill` can't be run.
#[must_use]
pub fn kill(process: u32) -> bool {
    let mut command = Command::new("kill");
    let output = command.args(["-9", &process.to_string()]).output().expect("kill can be run");
    // It is listed until its parent has waited for it.
    while std::fs::exists(format!("/proc/{process}")).unwrap_or_default() {
        std::thread::yield_now();
    }
    output.status.success()
}

/// The children of a process with their programs' names, which `/proc/…/stat` cuts off after 15 letters.
fn children(parent: u32) -> impl Iterator<Item = (u32, String)> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes.filter_map(move |process| {
        // It may have exited meanwhile.
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let its_parent: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        if its_parent != parent {
            return None;
        }
        let line = std::fs::read_to_string(format!("/proc/{process}/cmdline")).ok()?;
        let program = std::path::Path::new(line.split('\0').next()?).file_name()?.to_str()?;
        Some((process, program.to_owned()))
    })
}
