//! The arguments of commands that plan for many packages and platforms.

use super::shared::{PlatformArguments, seconds};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Several platforms, each with its compiler.
#[derive(Args)]
#[command(next_help_heading = "Platform")]
pub(crate) struct CataloguePlatforms {
    /// A platform (debian-13-5.4, fedora-44-4.14_arm64; 5.4 alone is on the usual distribution), a set of
    /// them (ocaml-ci), or OS/ARCH[/DISTRO] with `--ocaml`; may be repeated. `caravan platforms` lists them
    #[arg(long = "platform", value_name = "PLATFORM|SET", value_delimiter = ',')]
    pub(crate) platforms: Vec<String>,
    /// An OCaml for this machine, or for every OS/ARCH[/DISTRO]: 5.4.1, or 5.4 for its newest release; may be
    /// repeated
    #[arg(long, value_name = "VERSION", env = "CARAVAN_OCAML", value_delimiter = ',')]
    pub(crate) ocaml: Vec<String>,
    /// Platforms and sets of your own, in TOML: see `caravan platforms --toml`
    #[arg(long, value_name = "FILE", env = "CARAVAN_CATALOGUE")]
    pub(crate) catalogue: Option<PathBuf>,
}

/// Which packages, and what they are asked for with.
#[derive(Args)]
pub(crate) struct Rows {
    /// Names, with `*` for any characters and `?` for any one; all packages without any
    #[arg(value_name = "PATTERN")]
    pub(crate) patterns: Vec<String>,
    /// Every version, not only the newest of each name that is not to be avoided
    #[arg(short = 'V', long)]
    pub(crate) all_versions: bool,
}

#[derive(Args)]
pub(crate) struct Health {
    #[command(flatten)]
    pub(crate) rows: Rows,
    /// Each with what it needs for its tests
    #[arg(short = 't', long)]
    pub(crate) with_test: bool,
    /// Each with what it needs for its documentation
    #[arg(short = 'd', long)]
    pub(crate) with_doc: bool,
    /// Compare two platforms, compilers or commits: what is lost, what is won, and what stands in the way
    ///
    /// Each is a platform (5.4, debian-13-5.4), a commit (@HEAD~10), or both (5.4@HEAD~10).
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub(crate) compare: Option<Vec<String>>,
    /// How many of the constraints that stand in the way to look for
    #[arg(long, value_name = "N", default_value_t = 10, requires = "compare")]
    pub(crate) blockers: usize,
    /// List everything, also what can be installed
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) time_limit: Option<u64>,
    #[command(flatten)]
    pub(crate) catalogue_platforms: CataloguePlatforms,
}

#[derive(Args)]
pub(crate) struct Builds {
    #[command(flatten)]
    pub(crate) rows: Rows,
    /// Each with what it needs for its tests
    #[arg(short = 't', long)]
    pub(crate) with_test: bool,
    /// How many builds can be done at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) workers: u16,
    /// How long builds take: a package and seconds on each line; `*` is for all others. Without it every
    /// build takes a second
    #[arg(long, value_name = "FILE")]
    pub(crate) times: Option<PathBuf>,
    /// Write an OBuilder spec for each platform, in which every job is a nested build
    #[arg(long, value_name = "DIR", help_heading = "Recipes")]
    pub(crate) obuilder: Option<PathBuf>,
    /// Write a Dockerfile for each platform, in which what jobs share is a stage
    #[arg(long, value_name = "DIR", help_heading = "Recipes")]
    pub(crate) dockerfile: Option<PathBuf>,
    /// One recipe for each job, not for each platform
    #[arg(long, help_heading = "Recipes")]
    pub(crate) per_job: bool,
    #[command(flatten)]
    pub(crate) catalogue_platforms: CataloguePlatforms,
}

#[derive(Args)]
pub(crate) struct Docs {
    /// Names, with `*` for any characters and `?` for any one; all packages without any
    #[arg(value_name = "PATTERN")]
    pub(crate) patterns: Vec<String>,
    /// Only the newest version of each name that is not to be avoided
    #[arg(long)]
    pub(crate) latest: bool,
    /// A commit whose documentation is there already: only what is new since then is planned
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,
    /// A platform of the catalogue; its compiler is the newest that may be used
    #[arg(long, value_name = "PLATFORM", default_value = "docs-ci", help_heading = "Platform")]
    pub(crate) platform: String,
    /// Platforms and sets of your own, in TOML: see `caravan platforms --toml`
    #[arg(long, value_name = "FILE", env = "CARAVAN_CATALOGUE", help_heading = "Platform")]
    pub(crate) catalogue: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Lock {
    /// The project, with its opam files
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// Who is to read the lock file
    #[arg(long = "for", value_enum, default_value = "opam", value_name = "TOOL")]
    pub(crate) tool: LockFor,
    /// Where to write it: for opam a directory, for opam-monorepo a file; without it, beside the opam files
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// Without what the project's tests need
    #[arg(long)]
    pub(crate) build_only: bool,
    /// Also packages that build with jbuilder, dune's predecessor
    #[arg(long, help_heading = "For opam-monorepo")]
    pub(crate) allow_jbuilder: bool,
    /// Only packages with the tag `cross-compile`
    #[arg(long, help_heading = "For opam-monorepo")]
    pub(crate) require_cross_compile: bool,
    /// The OCaml to use: 5.4.1, or 5.4 for its newest release
    #[arg(long, value_name = "VERSION", env = "CARAVAN_OCAML", help_heading = "Platform")]
    pub(crate) ocaml: Option<String>,
    #[command(flatten)]
    pub(crate) platform: PlatformArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LockFor {
    /// `NAME.opam.locked` for each package of the project, as `opam lock` writes it
    Opam,
    /// `PROJECT.opam.locked`, for packages that are built from their sources together with the project
    OpamMonorepo,
}

#[derive(Args)]
pub(crate) struct ListPlatforms {
    /// Platforms and sets; without any, the sets are listed
    #[arg(value_name = "PLATFORM|SET")]
    pub(crate) platforms: Vec<String>,
    /// Print the catalogue that caravan has, to be edited and given to `--catalogue`
    #[arg(long, conflicts_with = "platforms")]
    pub(crate) toml: bool,
    /// Platforms and sets of your own, in TOML
    #[arg(long, value_name = "FILE", env = "CARAVAN_CATALOGUE")]
    pub(crate) catalogue: Option<PathBuf>,
}
