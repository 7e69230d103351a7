//! The command line.

mod change;
pub(crate) mod farm;
mod listing;
mod planning;
mod shared;
mod solving;

pub(crate) use change::*;
pub(crate) use listing::*;
pub(crate) use planning::*;
pub(crate) use shared::*;
pub(crate) use solving::*;

use caravan::STEP_LIMIT;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The help text about exit codes; `README.md` has the same table.
const EXIT_CODES: &str = "\
Exit codes:
  0  answered
  1  the answer is no: there is no solution, a file has errors, a comparison found something lost
  2  the command line is wrong
  3  there is no such package or version
  4  the repository cannot be read
  5  a broken opam file is in the way
  6  the system does not let us: cache directory, network, output
  7  the time limit was reached
`impact` has only 0 (nothing broke), 1 (something broke) and 2 (it could not be told).";

/// A solver and reverse-dependency engine for opam repositories
#[derive(Parser)]
#[command(name = "caravan", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that a variable may give, too, and what makes them meaningless. clap counts variables as
/// given when it looks for conflicts, but only what stands on the command line is one.
const CONFLICTS: [(&str, &[&str]); 2] =
    [("platforms", &["os", "arch", "distro"]), ("problem", &["os", "arch", "distro", "ocaml"])];

impl Command {
    /// What the command can print.
    pub(crate) fn formats(&self) -> &'static [Format] {
        use Format::{Dot, Github, HealthCheck, Html, Json, Markdown, Text};
        match self {
            Self::Revdeps(_) | Self::Deps(_) | Self::Builds(_) => &[Text, Json, Dot],
            Self::Impact(_) => &[Text, Json, Markdown, Github],
            Self::Health(_) => &[Text, Json, Markdown, Html, HealthCheck],
            // Services have protocols instead, and tasks are answered in JSON, whatever is said.
            Self::Serve(_)
            | Self::SolverService(_)
            | Self::DocsCiSolver(_)
            | Self::MirageCiSolver(_)
            | Self::Submit(_)
            | Self::Worker(_) => &[Text],
            _ => &[Text, Json],
        }
    }

    /// Whether it looks at repositories.
    pub(crate) fn reads_repositories(&self) -> bool {
        !matches!(
            self,
            Self::Parse(_)
                | Self::Cache(_)
                | Self::Completions(_)
                | Self::Man(_)
                | Self::Serve(_)
                | Self::SolverService(_)
                | Self::DocsCiSolver(_)
                | Self::MirageCiSolver(_)
                | Self::Submit(_)
                | Self::Worker(_)
        )
    }
}

impl Arguments {
    /// The arguments of this process. Ends it if they are wrong, or help is wanted.
    pub(crate) fn read() -> Self {
        let mut command = Self::command();
        let matches =
            command.try_get_matches_from_mut(called_as(std::env::args_os())).unwrap_or_else(|error| error.exit());
        if let Some((_, matches)) = matches.subcommand() {
            let given = |id: &str| {
                matches.try_contains_id(id).unwrap_or(false)
                    && matches.value_source(id) == Some(ValueSource::CommandLine)
            };
            for (option, others) in CONFLICTS {
                if let Some(other) = others.iter().find(|other| given(option) && given(other)) {
                    let option = option.trim_end_matches('s');
                    let message =
                        format!("`--{option}` says all of the platform, so `--{other}` cannot be used with it");
                    command.error(ErrorKind::ArgumentConflict, message).exit();
                }
            }
        }
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// The programs that this one stands in for: a link with such a name is the command.
const NAMES: [(&str, &str); 3] = [
    ("solver-service", "solver-service"),
    ("ocaml-docs-ci-solver", "docs-ci-solver"),
    ("mirage-ci-solver", "mirage-ci-solver"),
];

/// Arguments with the command that the program's name stands for.
fn called_as(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let name = arguments.first().and_then(|program| Path::new(program).file_name()?.to_str().map(str::to_owned));
    let known = name.and_then(|name| NAMES.iter().find(|(program, _)| *program == name));
    if let Some((_, command)) = known {
        arguments.insert(1, (*command).into());
    }
    arguments
}

#[derive(Args)]
pub(crate) struct Global {
    /// A repository: a directory, GIT[#REV], an archive, or a URL of one of them; may be repeated
    ///
    /// Without it: the checkout that you stand in, else the repositories of opam's root, else
    /// caravan's own clone of opam-repository. In CARAVAN_REPO several are separated by `;`.
    #[arg(long, global = true, value_name = "REPO", help_heading = "Repositories")]
    pub(crate) repo: Vec<String>,

    /// Of several repositories that have the same version of a package, which one counts
    #[arg(
        long,
        global = true,
        value_enum,
        env = "CARAVAN_REPO_PRECEDENCE",
        default_value = "first",
        help_heading = "Repositories"
    )]
    pub(crate) repo_precedence: RepoPrecedence,

    /// Answer as of a revision, or as of a date (2026-08-01, or with a time: 2026-08-01T12:00Z)
    #[arg(long, global = true, value_name = "REV|DATE", env = "CARAVAN_AT", help_heading = "Repositories")]
    pub(crate) at: Option<String>,

    /// Fetch what is new in clones and downloads first
    #[arg(long, global = true, help_heading = "Repositories")]
    pub(crate) refresh: bool,

    /// Where indexes and clones are kept
    #[arg(long, global = true, value_name = "DIR", env = "CARAVAN_CACHE_DIR", help_heading = "Repositories")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// How many steps of search one solve may take; what takes more is not told
    #[arg(long, global = true, value_name = "STEPS", env = "CARAVAN_STEP_LIMIT", default_value_t = STEP_LIMIT)]
    pub(crate) step_limit: u64,

    /// What to print
    #[arg(long, global = true, value_enum, env = "CARAVAN_FORMAT", default_value = "text")]
    pub(crate) format: Format,

    /// Colours and progress bars
    #[arg(long, global = true, value_enum, env = "CARAVAN_COLOR", default_value = "auto")]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RepoPrecedence {
    /// That of the repository named first, as in opam
    First,
    /// That of the repository named last, as in solver-service
    Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs: see docs/json.md
    Json,
    /// A graph for Graphviz, of `revdeps`, `deps` and `builds`
    Dot,
    /// A comment for a pull request, of `impact`, or a summary, of `health`
    Markdown,
    /// Annotations for GitHub's workflows, of `impact`
    Github,
    /// A page for a browser, of `health`
    Html,
    /// The JSON of opam-health-check, of `health`
    HealthCheck,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Which versions to install
    Solve(Solve),
    /// Which packages can be installed
    Installable(Installable),
    /// Packages by name, with their newest versions
    List(List),
    /// What is known about a package
    Show(Show),
    /// Which packages depend on a package
    Revdeps(Revdeps),
    /// Which packages a package depends on
    Deps(Deps),
    /// What a change of a repository does: what breaks, what to build again
    Impact(Impact),
    /// Upper bounds that keep what a change broke installable with older versions, as a patch
    Bounds(Bounds),
    /// Which commit made something installable or uninstallable, or changed its solution
    Bisect(Bisect),
    /// What can be installed on which platforms, and why the rest cannot
    Health(Health),
    /// The distinct builds that realise the solutions of many packages, and when to do them
    Builds(Builds),
    /// What to build for the documentation of every version of every package
    Docs(Docs),
    /// A project's solution as a lock file
    Lock(Lock),
    /// The platforms that plans are made for
    Platforms(ListPlatforms),
    /// Answer a question in JSON, as services take it
    Ask(Ask),
    /// Answer questions over HTTP
    Serve(farm::Serve),
    /// Stand in for ocurrent/solver-service: over Cap'n Proto, for one parent, or for an OCluster scheduler
    SolverService(farm::SolverService),
    /// Stand in for ocaml-docs-ci's solver: one client over standard input, which is a socket
    DocsCiSolver(farm::DocsCiSolver),
    /// Stand in for mirage-ci's solver: one client over standard input, which is a socket
    MirageCiSolver(farm::MirageCiSolver),
    /// Have an OCluster scheduler's workers do tasks
    Submit(farm::Submit),
    /// What services start: one job at a time
    #[command(hide = true)]
    Worker(farm::Worker),
    /// Check opam files
    Parse(Parse),
    /// The cache of indexes and clones
    Cache(Cache),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Write the manual pages
    Man(Man),
}

#[derive(Args)]
pub(crate) struct Ask {
    /// A file with a question (see docs/json.md); `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) question: PathBuf,
}

#[derive(Args)]
pub(crate) struct Parse {
    /// opam files, or directories with opam files in them; `-` is standard input
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Print the files in opam's normal style
    #[arg(long)]
    pub(crate) print: bool,
}

#[derive(Args)]
pub(crate) struct Cache {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

#[derive(Subcommand)]
pub(crate) enum CacheCommand {
    /// Where it is
    Path,
    /// What is in it
    Info,
    /// Remove all that is in it
    Clean,
}

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args)]
pub(crate) struct Man {
    /// Where to write the pages, one for each command
    pub(crate) directory: PathBuf,
}
