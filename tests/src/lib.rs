//! What the black-box tests share: where the answers of real opam and the real repository are.
//!
//! They lie outside this repository, in the folder that `CARAVAN_SHARED` names, or in `../shared`
//! beside the checkout. The build scripts of the crates that have such tests look for it: where there is none,
//! `cargo test` counts the tests that need it as ignored. With `CARAVAN_SHARED` set, a missing folder is a failure.
//! Cargo sees when the variable changes, but not when `../shared` appears: then touch `tests/build.rs`.
//!
//! Such a test is marked:
//!
//! ```text
//! #[test]
//! #[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
//! fn every_row_is_read_as_opam_reads_it() {
//! ```

// This crate exists for tests alone, where a panic is how to fail.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

pub mod git;
pub mod hard;
mod lifting;
mod memory;
pub mod opened;
mod pigeons;
pub mod steps;

pub use lifting::lifted;
pub use memory::{index_of_texts, source_of_texts};
pub use pigeons::{pigeon_packages, pigeons};

use fs_err as fs;
use opam_parser::index::Index;
use opam_parser::source::{Source, git::GitSource};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the checkout that is being tested.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The shared folder, if there is one: what `CARAVAN_SHARED` names, whether it exists or not, else `../shared`.
pub fn shared_folder() -> Option<PathBuf> {
    match std::env::var_os("CARAVAN_SHARED").filter(|named| !named.is_empty()) {
        Some(named) => Some(named.into()),
        None => Some(workspace().join("../shared")).filter(|beside| beside.is_dir()),
    }
}

/// A file of the shared folder.
///
/// # Panics
///
/// Panics where it is missing, so only tests that are ignored without the shared folder may ask for it.
pub fn shared(file: &str) -> PathBuf {
    let folder = shared_folder();
    let folder = folder.unwrap_or_else(|| panic!("no `{file}`: neither CARAVAN_SHARED nor ../shared is a folder"));
    let path = folder.join(file);
    assert!(path.exists(), "`{}` is missing", path.display());
    path
}

/// A bare clone of one of the shared bundles, made once and kept in the target folder.
pub fn shared_repository(bundle: &str) -> PathBuf {
    let bundle = shared(bundle);
    let name = format!("{}.git", bundle.file_stem().unwrap().to_str().unwrap());
    made_once(&name, |at| {
        run(Command::new("git").args(["clone", "--quiet", "--bare"]).arg(&bundle).arg(at));
    })
}

/// The files of branch `main` of the shared opam-repository.
pub fn shared_checkout() -> PathBuf {
    let repository = shared_repository("opam-repository.bundle");
    made_once("opam-repository", |at| {
        fs::create_dir(at).unwrap();
        run(Command::new("git")
            .arg("--git-dir")
            .arg(&repository)
            .arg("--work-tree")
            .arg(at)
            .args(["checkout", "--quiet", "--force", "main", "--", "."]));
        fs::remove_file(repository.join("index")).unwrap();
    })
}

/// Makes something in the target folder, once for all tests and processes.
fn made_once(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    // The tests of one process run on several threads.
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap();
    let folder = workspace().join("target/shared-data");
    let at = folder.join(name);
    if !at.exists() {
        fs::create_dir_all(&folder).unwrap();
        let unfinished = folder.join(format!("{name}.{}", std::process::id()));
        make(&unfinished);
        // Somebody else may have been faster: then theirs is as good.
        if fs::rename(&unfinished, &at).is_err() {
            fs::remove_dir_all(&unfinished).unwrap();
        }
    }
    at
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The text of a shared file that is compressed with gzip.
pub fn shared_gz(file: &str) -> String {
    let path = shared(file);
    let output = Command::new("gzip").arg("-dc").arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The text of a shared file that is compressed with xz.
pub fn shared_xz(file: &str) -> String {
    let mut text = Vec::new();
    let mut compressed = std::io::BufReader::new(fs::File::open(shared(file)).unwrap());
    lzma_rs::xz_decompress(&mut compressed, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// The index of branch `main` of the shared opam-repository, read from its commit.
pub fn shared_index() -> Index {
    let repository = shared_repository("opam-repository.bundle");
    index_of(&GitSource::open(&repository, "main").unwrap())
}

/// The index of a source, read without a cache.
pub fn index_of(source: &dyn Source) -> Index {
    Index::read(source).unwrap()
}
