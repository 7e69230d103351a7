//! What makes generated files has in common: where they are, and whether they are up to date.

mod files;

pub use files::{Files, Mode};

use anyhow::Context as _;
use std::path::Path;
use std::process::ExitCode;

/// The folder of the workspace.
///
/// # Errors
/// When there is none, which does not happen.
pub fn root() -> anyhow::Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask is in the workspace")
}

/// Names the files that were not up to date. The exit code is 1 if they still are not.
#[expect(clippy::print_stderr, reason = "a program for people")]
pub fn report(mode: Mode, files: &Files) -> ExitCode {
    let word = match mode {
        Mode::Write => "written",
        Mode::Check => "not up to date",
    };
    for path in files.stale() {
        eprintln!("{word}: {}", path.display());
    }
    if mode == Mode::Check && !files.stale().is_empty() {
        eprintln!("`cargo xtask generate` makes them again");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
