//! Git repositories of opam files, made for a test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A git repository of opam files.
pub struct Repository {
    directory: tempfile::TempDir,
}

impl Default for Repository {
    fn default() -> Self {
        Self::new()
    }
}

impl Repository {
    /// One without commits.
    pub fn new() -> Self {
        let made = Self { directory: tempfile::tempdir().expect("a directory") };
        made.git(&["init", "--quiet", "--initial-branch=main"]);
        made
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs git in it.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
            .args(arguments)
            .current_dir(self.path())
            .output()
            .expect("git");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Adds packages, `NAME.VERSION` and text, and gives the commit.
    pub fn commit(&self, packages: &[(&str, &str)]) -> String {
        for (package, body) in packages {
            let name = package.split('.').next().unwrap_or_default();
            let directory: PathBuf = self.path().join("packages").join(name).join(package);
            fs_err::create_dir_all(&directory).expect("a directory");
            fs_err::write(directory.join("opam"), opam(body)).expect("a file");
        }
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "a change"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// An opam file.
pub fn opam(body: &str) -> String {
    format!("opam-version: \"2.0\"\n{body}\n")
}

/// OCaml 5.0 and 4.14.
pub const COMPILERS: [(&str, &str); 4] = [
    ("ocaml-base-compiler.5.0.0", "flags: compiler"),
    ("ocaml-base-compiler.4.14.2", "flags: compiler"),
    ("ocaml.5.0.0", "depends: \"ocaml-base-compiler\" {= \"5.0.0\"}"),
    ("ocaml.4.14.2", "depends: \"ocaml-base-compiler\" {= \"4.14.2\"}"),
];
