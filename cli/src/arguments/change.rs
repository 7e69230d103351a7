//! The arguments of commands that compare states of a repository.

use super::shared::{Like, PlatformArguments, seconds};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Two states of a repository.
#[derive(Args)]
#[command(next_help_heading = "States")]
pub(crate) struct States {
    /// The earlier state: a revision, or a directory or archive. Without it: where the later state parted
    /// from the branch that changes go to (upstream/master, origin/HEAD, origin/master, master or main),
    /// or, where it is on that branch, its first parent
    #[arg(long, value_name = "REV|PATH")]
    pub(crate) base: Option<String>,
    /// The later state: a revision, or a directory or archive. Without it: the working tree of a checkout,
    /// else HEAD
    #[arg(long, value_name = "REV|PATH")]
    pub(crate) head: Option<String>,
    /// The later state is the earlier one with the packages of a directory
    ///
    /// The directory has them in `packages/`. Without `--base`, the earlier state is the repository as
    /// it is.
    #[arg(long, value_name = "DIR", conflicts_with = "head")]
    pub(crate) add: Option<PathBuf>,
}

/// Several platforms, and compilers on each.
#[derive(Args)]
#[command(next_help_heading = "Platform")]
pub(crate) struct Targets {
    /// An OCaml to look at: 5.4.1, or 5.4 for its newest release; may be repeated. Without it: 4.14 and
    /// the newest release
    #[arg(long, value_name = "VERSION", env = "CARAVAN_OCAML", value_delimiter = ',')]
    pub(crate) ocaml: Vec<String>,
    /// A platform: linux/x86_64/debian-13, macos/arm64; may be repeated. This machine counts for nothing then
    #[arg(long = "platform", value_name = "OS/ARCH[/DISTRO]")]
    pub(crate) platforms: Vec<String>,
    #[command(flatten)]
    pub(crate) platform: PlatformArguments,
}

#[derive(Args)]
pub(crate) struct Impact {
    #[command(flatten)]
    pub(crate) states: States,
    /// Which versions of what depends on the change are to be built again
    #[arg(long, value_enum, default_value = "newest-using", help_heading = "Rebuild set")]
    pub(crate) versions: Versions,
    /// Also versions with `avoid-version` or `deprecated`
    #[arg(long, help_heading = "Rebuild set")]
    pub(crate) include_avoided: bool,
    /// Also what nobody maintains: `x-maintenance-intent` is `(none)`, or it is in an archive
    #[arg(long, help_heading = "Rebuild set")]
    pub(crate) include_abandoned: bool,
    /// Which tests are to be run again
    #[arg(long, value_enum, default_value = "direct", help_heading = "Rebuild set")]
    pub(crate) tests: TestPolicy,
    /// What another tool builds and tests: opam-repo-ci everything that can be installed with the change
    #[arg(long, value_enum, help_heading = "Rebuild set",
        conflicts_with_all = ["versions", "include_avoided", "include_abandoned", "tests"])]
    pub(crate) like: Option<Like>,
    /// At most so many package versions in the rebuild sets of all platforms: those that tell most
    #[arg(long, value_name = "N", help_heading = "Rebuild set")]
    pub(crate) budget: Option<usize>,
    /// List everything, where else the first few stand for many
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Give up after so many seconds on a platform
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) time_limit: Option<u64>,
    #[command(flatten)]
    pub(crate) targets: Targets,
}

#[derive(Args)]
pub(crate) struct Bounds {
    #[command(flatten)]
    pub(crate) states: States,
    /// A package that the change broke; may be repeated
    #[arg(long, value_name = "PACKAGE.VERSION", required_unless_present = "broken_from")]
    pub(crate) broken: Vec<String>,
    /// A file with packages that the change broke, one a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) broken_from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) targets: Targets,
}

#[derive(Args)]
pub(crate) struct Bisect {
    /// Packages, with a version or constraint: what is to be installed together
    #[arg(required = true, value_name = "PACKAGE[.VERSION]")]
    pub(crate) packages: Vec<String>,
    /// The newest commit to look at
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub(crate) head: String,
    /// Where to stop; without it, at the first commit
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,
    /// What is looked for
    #[arg(long = "for", value_enum, default_value = "installable", value_name = "WHAT")]
    pub(crate) sought: Sought,
    /// Every commit that changed it, not only the latest
    #[arg(short, long)]
    pub(crate) all: bool,
    /// With what the packages need for their tests
    #[arg(short = 't', long)]
    pub(crate) with_test: bool,
    /// Give up after so many seconds on a commit
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) time_limit: Option<u64>,
    /// The OCaml to use: 5.4.1, or 5.4 for its newest release
    #[arg(long, value_name = "VERSION", env = "CARAVAN_OCAML", help_heading = "Platform")]
    pub(crate) ocaml: Option<String>,
    /// A platform: linux/x86_64/debian-13, macos/arm64. This machine counts for nothing then
    #[arg(long = "platform", value_name = "OS/ARCH[/DISTRO]", help_heading = "Platform")]
    pub(crate) platforms: Option<String>,
    #[command(flatten)]
    pub(crate) platform: PlatformArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sought {
    /// Whether there is a solution
    Installable,
    /// Which one
    Solution,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestPolicy {
    /// None
    None,
    /// Of what is built again, and those that use the change directly
    Direct,
    /// Also those that use the change through other packages
    Recursive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Versions {
    /// The latest release of each name, if it depends on the change
    Latest,
    /// The newest version of each name that can be installed with the change
    NewestUsing,
    /// All
    All,
}
