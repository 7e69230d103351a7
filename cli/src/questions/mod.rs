//! Arguments as questions: one function for each command. Nothing is answered here.

mod change;
mod listing;
mod packages;
mod plan;
mod project;

pub(crate) use change::{bisect, bounds, impact};
pub(crate) use listing::{deps, revdeps};
pub(crate) use packages::{installable, list, show, solve};
pub(crate) use plan::{builds, docs, health, platforms};
pub(crate) use project::lock;

use crate::arguments::{Global, PlatformArguments, RepoPrecedence};
use crate::failure::{Failure, Kind};
use caravan::platform::Description;
use caravan::question::Text;
use caravan::vocabulary::{Atom, AtomError, Platform, Precedence, Setting};
use caravan::{Local, Options, Question};
use std::path::Path;

/// The repositories that the arguments name.
pub(crate) fn repositories(global: &Global) -> Result<Local, Failure> {
    Ok(Local::new(Options {
        repositories: named(global),
        precedence: precedence(global),
        at: global.at.clone(),
        refresh: global.refresh,
        cache: global.cache_dir.clone(),
        default: std::env::var("CARAVAN_DEFAULT_REPO").ok(),
    })?)
}

fn named(global: &Global) -> Vec<String> {
    if !global.repo.is_empty() {
        return global.repo.clone();
    }
    let variable = std::env::var("CARAVAN_REPO").unwrap_or_default();
    variable.split(';').filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// Which of several repositories counts.
fn precedence(global: &Global) -> Precedence {
    match global.repo_precedence {
        RepoPrecedence::First => Precedence::FirstWins,
        RepoPrecedence::Last => Precedence::LastWins,
    }
}

/// A question in JSON, from a file or standard input.
pub(crate) fn from_file(path: &Path) -> Result<Question, Failure> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("`{}` is not a question: {error}", path.display()))
            .hint("docs/json.md describes questions")
    })
}

/// The text of a file; `-` is standard input.
fn read_text(path: &Path) -> Result<String, Failure> {
    let text =
        if path == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { fs_err::read_to_string(path) };
    text.map_err(|error| Failure::new(Kind::System, error.to_string()))
}

fn atom(text: &str) -> Result<Atom, Failure> {
    text.parse().map_err(|error: AtomError| {
        Failure::usage(format!("`{text}` names no package: {error}"))
            .hint("write a name, NAME.VERSION, or a constraint between quotes: 'cohttp>=6'")
    })
}

fn atoms(texts: &[String]) -> Result<Vec<Text<Atom>>, Failure> {
    texts.iter().map(|text| atom(text).map(Text)).collect()
}

fn description(arguments: &PlatformArguments) -> Description {
    Description {
        os: arguments.os.clone(),
        arch: arguments.arch.clone(),
        distro: arguments.distro.clone(),
        variables: arguments.variables.clone(),
    }
}

/// This machine, or another one that is described by what differs.
fn one_platform(arguments: &PlatformArguments) -> Result<Platform, Failure> {
    Ok(caravan::platform::described(&description(arguments))?)
}

/// Platforms that are described in full, or without any that of [`one_platform`].
fn several_platforms(texts: &[String], arguments: &PlatformArguments) -> Result<Vec<Platform>, Failure> {
    Ok(caravan::platform::platforms(texts, &description(arguments))?)
}

/// A setting in which nothing is pinned.
fn setting(global: &Global, platform: Platform) -> Setting {
    Setting { precedence: precedence(global), ..Setting::new(platform) }
}
