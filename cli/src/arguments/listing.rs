//! The arguments of commands that list packages and what they depend on.

use super::shared::{Like, PlatformArguments};
use clap::Args;

#[derive(Args)]
pub(crate) struct List {
    /// Names, with `*` for any characters and `?` for any one; all packages without any
    pub(crate) patterns: Vec<String>,
    /// Every version, not only the newest
    #[arg(short = 'V', long)]
    pub(crate) all_versions: bool,
    /// Also versions that are not available on the platform
    #[arg(short = 'A', long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) platform: PlatformArguments,
}

#[derive(Args)]
pub(crate) struct Show {
    /// A package; without a version, the newest that is available
    #[arg(required = true, value_name = "PACKAGE[.VERSION]")]
    pub(crate) packages: Vec<String>,
    /// The opam file as it is in the repository
    #[arg(long)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) platform: PlatformArguments,
}

#[derive(Args)]
pub(crate) struct Revdeps {
    /// A package; with a version or constraint, those that accept such a version. Of several, those
    /// that depend on any
    #[arg(required = true, value_name = "PACKAGE[.VERSION]")]
    pub(crate) packages: Vec<String>,
    /// The list that another tool makes: opam-repo-ci tests what it lists after a change of the packages
    #[arg(long, value_enum, conflicts_with_all = [
        "recursive", "depopts", "with_test", "with_doc", "with_dev_setup", "dev", "post", "no_build",
        "coinstallable_with", "installable", "all",
    ])]
    pub(crate) like: Option<Like>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Args)]
pub(crate) struct Deps {
    /// A package; with a version or constraint, what such a version depends on. Of several, what any
    /// depends on
    #[arg(required = true, value_name = "PACKAGE[.VERSION]")]
    pub(crate) packages: Vec<String>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// Which dependencies count, and which of the packages found are listed.
#[derive(Args)]
pub(crate) struct Listing {
    /// Also through other packages
    #[arg(short = 'r', long)]
    pub(crate) recursive: bool,
    /// Every version, not only the newest
    #[arg(short = 'V', long)]
    pub(crate) all_versions: bool,
    /// Also versions that are not available on the platform
    #[arg(short = 'A', long)]
    pub(crate) all: bool,
    /// Also optional dependencies
    #[arg(long)]
    pub(crate) depopts: bool,
    /// Also dependencies for tests
    #[arg(short = 't', long)]
    pub(crate) with_test: bool,
    /// Also dependencies for documentation
    #[arg(short = 'd', long)]
    pub(crate) with_doc: bool,
    /// Also dependencies for working on the package
    #[arg(long)]
    pub(crate) with_dev_setup: bool,
    /// Also dependencies of development versions
    #[arg(long)]
    pub(crate) dev: bool,
    /// Also dependencies that need not be there before (`post`)
    #[arg(long)]
    pub(crate) post: bool,
    /// Not dependencies that are only needed to build
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Only what can be installed
    #[arg(long)]
    pub(crate) installable: bool,
    /// Only what can be installed together with a package; may be repeated: with all of them
    #[arg(long, value_name = "PACKAGE")]
    pub(crate) coinstallable_with: Vec<String>,
    /// Only what a solution for these packages installs; may be repeated
    #[arg(long, value_name = "PACKAGE")]
    pub(crate) resolve: Vec<String>,
    /// Show as a tree, in which every package has its dependencies once
    #[arg(long)]
    pub(crate) tree: bool,
    /// The OCaml that is installed, for what can be installed: 5.4.1, or 5.4 for its newest release
    #[arg(long, value_name = "VERSION", env = "CARAVAN_OCAML", help_heading = "Platform")]
    pub(crate) ocaml: Option<String>,
    #[command(flatten)]
    pub(crate) platform: PlatformArguments,
}
