//! The arguments of commands that solve on each platform.

use super::shared::{PlatformArguments, seconds};
use caravan::vocabulary;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// One platform or several, and the compiler on them.
#[derive(Args)]
pub(crate) struct Platforms {
    /// The OCaml to use: 5.4.1, or 5.4 for its newest release
    #[arg(long, value_name = "VERSION", env = "CARAVAN_OCAML", help_heading = "Platform")]
    pub(crate) ocaml: Option<String>,
    /// A platform: linux/x86_64/debian-13, macos/arm64; may be repeated. This machine counts for nothing then
    #[arg(long = "platform", value_name = "OS/ARCH[/DISTRO]", help_heading = "Platform")]
    pub(crate) platforms: Vec<String>,
    #[command(flatten)]
    pub(crate) platform: PlatformArguments,
}

#[derive(Args)]
pub(crate) struct Solve {
    /// Packages, with a version or constraint: utop, utop.2.14.0, 'cohttp-lwt-unix>=6'; or a project's
    /// directory, whose opam files are solved for, with their tests
    #[arg(required_unless_present = "problem", value_name = "PACKAGE|DIR")]
    pub(crate) targets: Vec<String>,
    /// With what the named packages need for their tests
    #[arg(short = 't', long)]
    pub(crate) with_test: bool,
    /// With what the named packages need for their documentation
    #[arg(short = 'd', long)]
    pub(crate) with_doc: bool,
    /// With what the named packages recommend for working on them
    #[arg(long)]
    pub(crate) with_dev_setup: bool,
    /// Which versions to prefer
    #[arg(long, value_enum, default_value = "newest")]
    pub(crate) prefer: Prefer,
    /// With `--prefer oldest`, what else to push down to its oldest version; may be repeated
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) push_down: Vec<PushDown>,
    /// What to do about versions with `avoid-version` or `deprecated`; without it, what the dialect does
    #[arg(long, value_enum)]
    pub(crate) avoid: Option<Avoid>,
    /// What to do about packages that want to be installed before each other; without it, what the
    /// dialect does
    #[arg(long, value_enum)]
    pub(crate) cycles: Option<Cycles>,
    /// Whose reading of opam files counts
    #[arg(long, value_enum, default_value = "opam")]
    pub(crate) dialect: Dialect,
    /// A question in JSON (see docs/json.md) instead of packages and options; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "targets", "with_test", "with_doc", "with_dev_setup", "prefer", "push_down", "avoid", "cycles", "dialect",
        "time_limit", "platforms", "same_versions", "variables",
    ])]
    pub(crate) problem: Option<PathBuf>,
    /// Say for every package that is not at its newest version (with `--prefer oldest`, its oldest) why
    #[arg(long)]
    pub(crate) explain_versions: bool,
    /// Check the answer: that every rule holds, and that nothing in it can be better
    #[arg(long, conflicts_with_all = ["explain_versions", "same_versions"])]
    pub(crate) check: bool,
    /// Name the file and line of each fact of an explanation
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) time_limit: Option<u64>,
    /// The same versions on all platforms, where that is possible
    #[arg(long, requires = "platforms", help_heading = "Platform")]
    pub(crate) same_versions: bool,
    #[command(flatten)]
    pub(crate) platforms: Platforms,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PushDown {
    /// Packages that stand for something of the system (`conf-…`)
    Conf,
    /// Compilers, and `ocaml`
    Compilers,
    /// Releases of the opam file alone: 4.08.1 rather than 4.08.1-1
    Revisions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Avoid {
    /// They do not exist
    Never,
    /// Only where there is no solution without
    IfNeeded,
    /// After all other versions of their name
    LastOfName,
    /// Like any other version
    Ignore,
}

impl From<Avoid> for vocabulary::Avoid {
    fn from(avoid: Avoid) -> Self {
        match avoid {
            Avoid::Never => Self::Never,
            Avoid::IfNeeded => Self::IfNeeded,
            Avoid::LastOfName => Self::LastOfName,
            Avoid::Ignore => Self::Ignore,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cycles {
    /// They cannot be installed
    Refuse,
    /// They can
    Allow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    /// opam 2.6
    Opam,
    /// The opam-0install command
    #[value(name = "opam-0install")]
    Opam0install,
    /// solver-service
    SolverService,
}

#[derive(Args)]
pub(crate) struct Installable {
    /// Packages, with a version or constraint; all without any
    pub(crate) packages: Vec<String>,
    /// Every version, not only the newest
    #[arg(short = 'V', long)]
    pub(crate) all_versions: bool,
    /// Each with what it needs for its tests
    #[arg(short = 't', long)]
    pub(crate) with_test: bool,
    /// Each with what it needs for its documentation
    #[arg(short = 'd', long)]
    pub(crate) with_doc: bool,
    /// What to do about versions with `avoid-version` or `deprecated`
    #[arg(long, value_enum)]
    pub(crate) avoid: Option<Avoid>,
    /// Also list those that can be installed
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Give up after so many seconds on a platform
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) time_limit: Option<u64>,
    #[command(flatten)]
    pub(crate) platforms: Platforms,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Prefer {
    /// The newest that fit
    Newest,
    /// The oldest that fit: the lower bounds
    Oldest,
}
