//! As much of a core as Lambda gives to a function of some memory, by a control group of the kernel's.
//!
//! Invariant: nothing but the processes measured is ever put into the group, and it goes when the benchmark ends.

use std::path::{Path, PathBuf};
use std::{fs, io, process};

/// With so much memory a function has one whole core; with less it has that part of it.
const MIB_OF_A_CORE: u64 = 1769;
/// The kernel shares the CPU out anew so often. Lambda's own period.
const PERIOD_US: u64 = 20_000;

/// A share of a core.
pub struct Quota {
    group: PathBuf,
}

impl Quota {
    /// What a function of so many MiB gets.
    ///
    /// # Errors
    /// There is no group that this user may make; says where it was tried.
    pub fn of_memory(mib: u64) -> Result<Self, String> {
        let name = format!("classpay-bench-{}", process::id());
        let quota_us = (PERIOD_US * mib / MIB_OF_A_CORE).max(1000);
        let parents = parents();
        let made = parents.iter().find_map(|parent| make(&parent.join(&name), quota_us).ok());
        made.map(|group| Self { group }).ok_or_else(|| format!("no control group can be made under {parents:?}"))
    }

    /// From now on the process has no more.
    ///
    /// # Errors
    /// This user may not move it.
    pub fn limit(&self, process: u32) -> io::Result<()> {
        fs::write(self.group.join("cgroup.procs"), process.to_string())
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // What was in it has ended; an empty group that can't be removed limits nobody.
        fs::remove_dir(&self.group).unwrap_or_default();
    }
}

/// Where a group can be, by what this process says of its own: in version 1 below the controller of the CPU, in version
/// 2 in the one tree; and if not below our own group, then below one that ours is in.
fn parents() -> Vec<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut parents = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let root = match controllers {
            "" => "/sys/fs/cgroup".to_owned(),
            _ if controllers.split(',').any(|controller| controller == "cpu") => {
                format!("/sys/fs/cgroup/{controllers}")
            }
            _ => continue,
        };
        let below = Path::new(path.trim_start_matches('/')).ancestors();
        parents.extend(below.map(|ancestor| Path::new(&root).join(ancestor)));
    }
    parents
}

fn make(group: &Path, quota_us: u64) -> io::Result<PathBuf> {
    fs::create_dir(group)?;
    let limited = if group.join("cpu.max").exists() {
        fs::write(group.join("cpu.max"), format!("{quota_us} {PERIOD_US}"))
    } else {
        // Without the controller neither file is there, and one can't be made.
        fs::write(group.join("cpu.cfs_period_us"), PERIOD_US.to_string())
            .and_then(|()| fs::write(group.join("cpu.cfs_quota_us"), quota_us.to_string()))
    };
    match limited {
        Ok(()) => Ok(group.to_owned()),
        Err(problem) => {
            fs::remove_dir(group)?;
            Err(problem)
        }
    }
}
