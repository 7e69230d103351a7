//! What happens while a question is being answered, for those who watch.

use crate::key::Key;

/// Something that does not stop the answer, but that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What it is: a sentence without a full stop, or a diagnostic with its excerpt.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The message has its own form, as a diagnostic has, and is shown as it is.
    pub is_diagnostic: bool,
}

/// Gets told what happens while a question is being answered. Every method has an empty default; all of them may be
/// called from any thread.
pub trait Observer: Sync {
    /// A line of the log that the question's protocol has.
    fn log(&self, line: &str) {
        let _ = line;
    }

    /// Something does not stop the answer, but somebody should know.
    fn warn(&self, warning: Warning) {
        let _ = warning;
    }

    /// So much of a stage is done: `solving`, 256 of 4,600. A `total` of 0 means that nobody knows how much there is.
    /// `done == total` ends the stage.
    fn progress(&self, stage: &str, done: usize, total: usize) {
        let _ = (stage, done, total);
    }

    /// Whether diagnostics are wanted in colour.
    fn wants_colors(&self) -> bool {
        false
    }

    /// What was kept for a key, if anything.
    fn recall(&self, key: &Key) -> Option<Vec<u8>> {
        let _ = key;
        None
    }

    /// Keeps something for whoever asks for the key.
    fn remember(&self, key: Key, bytes: Vec<u8>) {
        let _ = (key, bytes);
    }

    /// A platform of a request was solved: how long that took, in seconds.
    fn solved(&self, seconds: f64) {
        let _ = seconds;
    }

    /// So many package versions were looked at.
    fn explored(&self, packages: u64) {
        let _ = packages;
    }
}

/// Does nothing with what it is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
