//! Clones and downloads, kept in the cache.
//!
//! Cloning is left to the `git` command: it knows the user's proxies, credentials and certificates,
//! which libgit2 would have to be taught, and brings no TLS library into the build.

use crate::error::{Error, ErrorKind};
use crate::observer::Observer;
use opam_parser::repository::Cache;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn place(cache: &Cache, url: &str, suffix: &str) -> Result<PathBuf, Error> {
    // The last part of the URL makes the directory readable, the hash makes it unique.
    let last = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let readable: String = last
        .trim_end_matches(suffix)
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .take(40)
        .collect();
    let hash = xxhash_rust::xxh3::xxh3_64(url.as_bytes());
    Ok(cache.downloads()?.join(format!("{readable}-{hash:016x}{suffix}")))
}

/// A bare clone of a git repository, made the first time.
pub(crate) fn clone_repository(
    url: &str,
    refresh: bool,
    cache: &Cache,
    observer: &dyn Observer,
) -> Result<PathBuf, Error> {
    let path = place(cache, url, ".git")?;
    if path.is_dir() {
        if refresh {
            let mut command = Command::new("git");
            command.arg("--git-dir").arg(&path).args([
                "fetch",
                "--progress",
                "--prune",
                "origin",
                "+refs/heads/*:refs/heads/*",
            ]);
            git(command, &format!("fetching {url}"), url, observer)?;
        }
        return Ok(path);
    }
    // Into a directory of its own, renamed when it is complete: nobody sees half a clone.
    let unfinished = tempfile::Builder::new().prefix(".unfinished-").tempdir_in(cache.downloads()?);
    let unfinished = unfinished.map_err(|error| system(&format!("cannot make a directory in the cache: {error}")))?;
    let target = unfinished.path().join("clone.git");
    let mut command = Command::new("git");
    command.args(["clone", "--bare", "--progress", "--", url]).arg(&target);
    git(command, &format!("cloning {url}"), url, observer)?;
    match fs_err::rename(&target, &path) {
        // Another process was faster.
        Err(_) if path.is_dir() => Ok(path),
        Err(error) => Err(system(&error.to_string())),
        Ok(()) => Ok(path),
    }
}

fn system(message: &str) -> Error {
    Error::new(ErrorKind::System, message)
}

/// Runs git; its progress is ours, in per cent.
fn git(mut command: Command, what: &str, url: &str, observer: &dyn Observer) -> Result<(), Error> {
    command.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        system(&format!("cannot run `git`: {error}")).with_hint("caravan uses the `git` command to clone and fetch")
    })?;
    let mut said = Vec::new();
    if let Some(errors) = child.stderr.take() {
        let mut errors = BufReader::new(errors);
        let mut line = Vec::new();
        // git ends lines of progress with CR.
        while read_line(&mut errors, &mut line) {
            let text = String::from_utf8_lossy(&line).into_owned();
            match percent(&text) {
                Some(percent) => observer.progress(what, percent as usize, 100),
                None if !text.trim().is_empty() => said.push(text),
                None => {}
            }
            line.clear();
        }
    }
    let status = child.wait().map_err(|error| system(&format!("`git` was lost: {error}")))?;
    observer.progress(what, 100, 100);
    if status.success() {
        return Ok(());
    }
    let reason = said.iter().rev().find(|line| line.starts_with("fatal:")).or(said.last());
    let reason = reason.map_or_else(|| status.to_string(), |line| line.trim_start_matches("fatal: ").trim().to_owned());
    Err(system(&format!("{what} failed: {reason}")).with_hint(format!("`git clone {url}` shows more")))
}

fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> bool {
    let mut byte = [0];
    loop {
        match reader.read(&mut byte) {
            Ok(0) | Err(_) => return !line.is_empty(),
            Ok(_) if matches!(byte[0], b'\n' | b'\r') => return true,
            Ok(_) => line.push(byte[0]),
        }
    }
}

/// `Receiving objects:  45% (…)`
fn percent(line: &str) -> Option<u64> {
    let (phase, rest) = line.split_once(':')?;
    let known = phase.ends_with("objects") || phase.ends_with("deltas");
    rest.split_once('%').filter(|_| known)?.0.trim().parse().ok()
}

/// An archive, downloaded the first time.
pub(crate) fn download_archive(
    url: &str,
    refresh: bool,
    cache: &Cache,
    observer: &dyn Observer,
) -> Result<PathBuf, Error> {
    let suffix = if url.ends_with(".tar") { ".tar" } else { ".tar.gz" };
    let path = place(cache, url, suffix)?;
    if path.is_file() && !refresh {
        return Ok(path);
    }
    if let Some(local) = url.strip_prefix("file://") {
        return Ok(PathBuf::from(local));
    }
    download(url, &path, observer)?;
    Ok(path)
}

#[cfg(feature = "download")]
fn download(url: &str, path: &Path, observer: &dyn Observer) -> Result<(), Error> {
    use std::io::{Read, Write};
    let failed = |error: &dyn std::fmt::Display| system(&format!("cannot download `{url}`: {error}"));
    let mut response = ureq::get(url).call().map_err(|error| failed(&error))?;
    let length = response.body().content_length();
    let stage = format!("downloading {url}");
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file =
        tempfile::Builder::new().prefix(".unfinished-").tempfile_in(directory).map_err(|error| failed(&error))?;
    let mut reader = response.body_mut().as_reader();
    let (mut buffer, mut done) = (vec![0; 1 << 16], 0_u64);
    loop {
        let count = reader.read(&mut buffer).map_err(|error| failed(&error))?;
        if count == 0 {
            break;
        }
        file.write_all(&buffer[..count]).map_err(|error| failed(&error))?;
        done += count as u64;
        if let Some(length) = length.filter(|length| *length > 0) {
            observer.progress(&stage, (done * 100 / length) as usize, 100);
        }
    }
    observer.progress(&stage, 100, 100);
    file.persist(path).map_err(|error| failed(&error.error))?;
    Ok(())
}

#[cfg(not(feature = "download"))]
fn download(url: &str, _: &Path, _: &dyn Observer) -> Result<(), Error> {
    Err(Error::question(format!("`{url}` would have to be downloaded, which this program was built without"))
        .with_hint("build it with the feature `download`, or download the archive and name the file"))
}
