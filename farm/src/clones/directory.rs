//! What lies at the place of a clone, and what a fetch that failed has left there.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use walkdir::WalkDir;

/// What lies at the place of a clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or an empty directory.
    Nothing,
    /// A bare repository that stands by itself.
    Clone,
    /// Something that is not used.
    Unusable(&'static str),
}

/// Directories in which clones are made have names that begin so; no host's name does.
const UNFINISHED: &str = ".unfinished-";
/// What was begun so long ago was left behind by a process that was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);
/// How often to try to lock a clone that another process fetches into.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks at the place of a clone, and nowhere else: git and libgit2 would go on to the directories around it. A clone
/// whose objects lie elsewhere leads there; `allow_files`: that is allowed.
pub(super) fn look(path: &Path, allow_files: bool) -> Found {
    let Ok(mut entries) = std::fs::read_dir(path) else {
        return match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
            _ => Found::Unusable("it is not a directory that can be read"),
        };
    };
    if entries.next().is_none() {
        return Found::Nothing;
    }
    let is_directory = |name: &str| path.join(name).is_dir();
    let is_bare = path.join("HEAD").is_file() && path.join("config").is_file();
    if !is_bare || !is_directory("objects") || !is_directory("refs") {
        return Found::Unusable("it is not a bare git repository");
    }
    let leads_elsewhere = path.join("commondir").exists()
        || path.join("objects").is_symlink()
        || path.join("objects/info/alternates").symlink_metadata().is_ok_and(|data| data.len() > 0);
    match leads_elsewhere && !allow_files {
        true => Found::Unusable("it takes objects from another repository of this machine, which is not allowed here"),
        false => Found::Clone,
    }
}

/// Runs `git config` on the settings of a clone, and nothing that these include.
async fn config(path: &Path, arguments: &[&str]) -> io::Result<std::process::Output> {
    let mut command = Command::new("git");
    command.arg("config").arg("--file").arg(path.join("config")).arg("--no-includes").args(arguments);
    command.stdin(Stdio::null()).kill_on_drop(true).output().await
}

/// The URL that a clone was made from, if it says so.
pub(super) async fn origin(path: &Path) -> Option<String> {
    let output = config(path, &["--get", "remote.origin.url"]).await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end_matches('\n').to_owned())
}

/// Writes down the URL that a clone was made from.
///
/// # Errors
/// When it cannot be written.
pub(super) async fn set_origin(path: &Path, url: &str) -> io::Result<()> {
    match config(path, &["remote.origin.url", url]).await?.status {
        status if status.success() => Ok(()),
        status => Err(io::Error::other(format!("the settings of a clone cannot be written: {status}"))),
    }
}

/// A new directory to make a clone in, on the same file system.
pub(super) fn unfinished(directory: &Path) -> io::Result<tempfile::TempDir> {
    fs_err::create_dir_all(directory)?;
    for entry in fs_err::read_dir(directory)?.flatten() {
        let modified = entry.metadata().and_then(|data| data.modified());
        let old = modified.is_ok_and(|then| then.elapsed().is_ok_and(|age| age > ABANDONED));
        if old && entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes()) {
            let _ = fs_err::remove_dir_all(entry.path());
        }
    }
    tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(directory)
}

/// Waits until no other process fetches into a clone, and keeps others from it as long as the file is open.
pub(super) async fn lock(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path.join("caravan.lock"))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Removes what a fetch that was ended has left: packs that are not complete, and locks, because of which git would
/// refuse to fetch ever again. The clone has to be locked.
pub(super) fn remove_leftovers(path: &Path) {
    for entry in WalkDir::new(path).min_depth(1).into_iter().flatten() {
        let name = entry.file_name().as_encoded_bytes();
        let is_lock = name.ends_with(b".lock") && name != b"caravan.lock";
        let is_unfinished = name.starts_with(b"tmp_") && entry.path().starts_with(path.join("objects"));
        if entry.file_type().is_file() && (is_lock || is_unfinished) {
            let _ = fs_err::remove_file(entry.path());
        }
    }
}

/// How large the files below a directory are, in bytes.
pub(super) fn size(path: &Path) -> u64 {
    let files = WalkDir::new(path).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    // A file may be gone by now.
    files.filter_map(|entry| entry.metadata().ok()).map(|data| data.len()).sum()
}
