//! The folder in which a stack keeps its state between runs.
//!
//! Invariant: one stack at a time. The operating system holds the lock, so a stack that was killed leaves none behind.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::Problem;

/// A folder that only this stack uses.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Holds the lock while it is open.
    _lock: File,
}

impl DataDir {
    /// Locks the folder, creating it if necessary.
    ///
    /// # Errors
    /// Another stack uses the folder, or it can't be written to.
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

    /// The path of one part of the state.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}
