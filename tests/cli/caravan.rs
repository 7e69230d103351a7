//! Runs the binary as a person would, away from this machine's own settings.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A place to run in: an empty home, an empty cache, a fixed platform.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for part in ["home", "here"] {
            fs_err::create_dir(folder.path().join(part)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self, part: &str) -> PathBuf {
        self.folder.path().join(part)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caravan"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("CARAVAN_CACHE_DIR", self.path("cache"))
            .env("CARAVAN_OS", "linux")
            .env("CARAVAN_ARCH", "x86_64")
            .env("CARAVAN_DISTRO", "debian-13")
            .current_dir(self.path("here"));
        command
    }

    /// What a person sees: the exit code, stdout, stderr. Paths of this machine are replaced.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.show(&mut self.command(arguments))
    }

    pub(crate) fn show(&self, command: &mut Command) -> String {
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let text = text.replace(&workspace().display().to_string(), "[WORKSPACE]");
            text.replace(&self.folder.path().display().to_string(), "[PLACE]")
        };
        let mut shown = format!("exit code: {}\n", output.status.code().unwrap());
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !bytes.is_empty() {
                shown += &format!("--- {name}\n{}", text(bytes));
            }
        }
        shown
    }
}

pub(crate) fn workspace() -> PathBuf {
    fs_err::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

/// The example repository, as an argument of `--repo`.
pub(crate) fn examples() -> String {
    workspace().join("examples/repository").display().to_string()
}

pub(crate) fn fixture(name: &str) -> String {
    workspace().join("tests/fixtures").join(name).display().to_string()
}
