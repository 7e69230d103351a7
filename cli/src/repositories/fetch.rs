//! Clones and downloads, kept in the cache.
//!
//! Cloning is left to the `git` command: it knows the user's proxies, credentials and certificates,
//! which libgit2 would have to be taught, and brings no TLS library into the build.

use crate::failure::{Failure, Kind};
use crate::output::Output;
use indicatif::{ProgressBar, ProgressStyle};
use opam_parser::repository::Cache;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn place(cache: &Cache, url: &str, suffix: &str) -> Result<PathBuf, Failure> {
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
pub(super) fn clone(url: &str, refresh: bool, cache: &Cache, output: &mut Output) -> Result<PathBuf, Failure> {
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
            git(command, &format!("fetching {url}"), url, output)?;
        }
        return Ok(path);
    }
    // Into a directory of its own, renamed when it is complete: nobody sees half a clone.
    let unfinished = tempfile::Builder::new().prefix(".unfinished-").tempdir_in(cache.downloads()?);
    let unfinished = unfinished.map_err(|error| system(&format!("cannot make a directory in the cache: {error}")))?;
    let target = unfinished.path().join("clone.git");
    let mut command = Command::new("git");
    command.args(["clone", "--bare", "--progress", "--", url]).arg(&target);
    git(command, &format!("cloning {url}"), url, output)?;
    match fs_err::rename(&target, &path) {
        // Another process was faster.
        Err(_) if path.is_dir() => Ok(path),
        Err(error) => Err(system(&error.to_string())),
        Ok(()) => Ok(path),
    }
}

fn system(message: &str) -> Failure {
    Failure::new(Kind::System, message)
}

fn bar(output: &Output, what: String) -> ProgressBar {
    if !output.shows_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:30} {percent}% {eta}");
    ProgressBar::new(100).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(what)
}

/// Runs git with its progress on our bar.
fn git(mut command: Command, what: &str, url: &str, output: &mut Output) -> Result<(), Failure> {
    command.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        system(&format!("cannot run `git`: {error}")).hint("caravan uses the `git` command to clone and fetch")
    })?;
    let bar = bar(output, what.to_owned());
    let mut said = Vec::new();
    if let Some(errors) = child.stderr.take() {
        let mut errors = BufReader::new(errors);
        let mut line = Vec::new();
        // git ends lines of progress with CR.
        while read_line(&mut errors, &mut line) {
            let text = String::from_utf8_lossy(&line).into_owned();
            match percent(&text) {
                Some(percent) => bar.set_position(percent),
                None if !text.trim().is_empty() => said.push(text),
                None => {}
            }
            line.clear();
        }
    }
    let status = child.wait().map_err(|error| system(&format!("`git` was lost: {error}")))?;
    bar.finish_and_clear();
    if status.success() {
        return Ok(());
    }
    let reason = said.iter().rev().find(|line| line.starts_with("fatal:")).or(said.last());
    let reason = reason.map_or_else(|| status.to_string(), |line| line.trim_start_matches("fatal: ").trim().to_owned());
    Err(system(&format!("{what} failed: {reason}")).hint(format!("`git clone {url}` shows more")))
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
pub(super) fn archive(url: &str, refresh: bool, cache: &Cache, output: &mut Output) -> Result<PathBuf, Failure> {
    let suffix = if url.ends_with(".tar") { ".tar" } else { ".tar.gz" };
    let path = place(cache, url, suffix)?;
    if path.is_file() && !refresh {
        return Ok(path);
    }
    if let Some(local) = url.strip_prefix("file://") {
        return Ok(PathBuf::from(local));
    }
    let failed = |error: &dyn std::fmt::Display| system(&format!("cannot download `{url}`: {error}"));
    let mut response = ureq::get(url).call().map_err(|error| failed(&error))?;
    let length = response.body().content_length();
    let bar = bar(output, format!("downloading {url}"));
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
            bar.set_position(done * 100 / length);
        }
    }
    bar.finish_and_clear();
    file.persist(&path).map_err(|error| failed(&error.error))?;
    Ok(path)
}
