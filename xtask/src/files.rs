//! Files that are generated: written, or compared with what they would be.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What is done with a generated file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is written where it differs.
    Write,
    /// It is only compared.
    Check,
}

/// The generated files of one task.
pub struct Files {
    mode: Mode,
    stale: Vec<PathBuf>,
}

impl Files {
    /// None yet.
    pub fn new(mode: Mode) -> Self {
        Self { mode, stale: Vec::new() }
    }

    /// Writes a file, or compares it; one that is up to date is left alone, so that nothing is built again for it.
    pub fn put(&mut self, path: &Path, content: &[u8]) -> anyhow::Result<()> {
        let is_current = match fs_err::read(path) {
            Ok(old) => old == content,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(error.into()),
        };
        if !is_current {
            if self.mode == Mode::Write {
                fs_err::write(path, content)?;
            }
            self.stale.push(path.to_owned());
        }
        Ok(())
    }

    /// The files that were not up to date.
    pub fn stale(&self) -> &[PathBuf] {
        &self.stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_written_and_nothing_by_a_check() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made.rs");
        let put = |mode, content: &[u8]| {
            let mut files = Files::new(mode);
            files.put(&path, content).unwrap();
            !files.stale().is_empty()
        };
        assert!(put(Mode::Check, b"one") && !path.exists());
        assert!(put(Mode::Write, b"one") && !put(Mode::Write, b"one") && !put(Mode::Check, b"one"));
        assert!(put(Mode::Check, b"two"));
        assert_eq!(fs_err::read(&path).unwrap(), b"one");
    }
}
