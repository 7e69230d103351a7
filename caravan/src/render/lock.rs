//! The answer of `lock` as text.

use super::options::TextOptions;
use crate::answer::LockAnswer;
use crate::escape::line;
use std::fmt::Write;

/// What the command line says that it wrote.
pub(super) fn text(answer: &LockAnswer, _: TextOptions, out: &mut String) {
    for file in &answer.files {
        let count = file.packages.len();
        let vendored =
            file.vendored.as_ref().map(|all| format!(", {} of them vendored", all.len())).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "wrote {}: {count} packages{vendored}", line(&file.path));
    }
}
