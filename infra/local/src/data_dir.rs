//! The folder that a stack keeps its state in between two runs.
//!
//! Invariant: one stack at a time. The lock is the operating system's, so that a stack that was
//! killed leaves none behind.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::Problem;

/// A folder that is this stack's alone.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Holds the lock for as long as it is open.
    _lock: File,
}

impl DataDir {
    /// Takes the folder; it is made if it is not there.
    ///
    /// # Errors
    /// Another stack has it, or it cannot be written to.
    pub fn claim(path: &Path) -> Result<Self, Problem> {
        let trouble = |problem: std::io::Error| Problem::new(format!("--data-dir {}: {problem}", path.display()));
        std::fs::create_dir_all(path).map_err(trouble)?;
        let lock = File::create(path.join("lock")).map_err(trouble)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Problem::new(format!(
                "another stack is running on {}: end it, or choose another folder with --data-dir, or none with --memory",
                path.display()
            ))),
            Err(TryLockError::Error(problem)) => Err(trouble(problem)),
        }
    }

    /// Where a part of the state is kept.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}
