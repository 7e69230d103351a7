//! An index as one platform sees it: filters evaluated, constraints as masks of versions.
//!
//! Compiling is lazy: a package is compiled when a solve first reaches it, once for all solves and
//! threads, so that asking one question costs what that question touches and asking thousands
//! compiles everything once.

mod amend;
mod compile;
mod masks;

pub use amend::Amendments;
pub use masks::Masks;

use crate::dialect::{Dialect, Rules};
use crate::environment::{DependencyFlags, Environment, Variables};
use crate::mask::Mask;
use crate::platform::Platform;
use crate::problem::{Flags as RootFlags, Setting};
use opam_parser::file::Flags as OpamFlags;
use opam_parser::filter::{Value, eval, eval_to_bool};
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::version;
use std::sync::OnceLock;

/// A platform's view of an index.
pub struct View<'i> {
    index: &'i Index,
    dialect: Dialect,
    rules: Rules,
    variables: Variables,
    /// The dependency flags of packages that were not themselves asked for.
    everyone: RootFlags,
    amendments: Amendments,
    /// How many versions the name with the most of them has.
    widest: usize,
    names: Vec<OnceLock<NameView>>,
    packages: Vec<OnceLock<Compiled>>,
    /// What must be installed before a package.
    before: Vec<OnceLock<Versions>>,
}

/// What the platform allows of a name.
#[derive(Clone, Debug)]
pub struct NameView {
    /// Versions whose `available` is true (rules S14 to S17).
    pub available: Mask,
    /// Those of them that the dialect avoids: `avoid-version` and, in opam's, `deprecated`.
    pub avoided: Mask,
    /// It stands for something of the system: flag `conf` or a name that begins with `conf-`.
    pub conf: bool,
    /// It is `ocaml` or some version of it has the flag `compiler`.
    pub compiler: bool,
    by_revision: OnceLock<Option<Box<[u32]>>>,
}

/// Names, each with some of its versions.
pub type Versions = Box<[(NameId, Mask)]>;

/// A package's demands, without filters.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// What it requires, in the order in which it is written.
    pub requires: Vec<Requirement>,
    /// The disjunctions in it.
    pub choices: Vec<Choice>,
    /// What it must not be together with.
    pub conflicts: Vec<(NameId, Mask)>,
    /// The classes of which it must be the only member.
    pub classes: Vec<NameId>,
    /// It contradicts itself, so it can never be installed.
    pub impossible: Option<Impossible>,
}

impl Compiled {
    /// Every package that its requirements mention, those of all branches of disjunctions included.
    pub fn needs(&self) -> impl Iterator<Item = (NameId, &Mask)> {
        let branches = self.choices.iter().flat_map(|choice| choice.branches.iter().flatten());
        self.requires.iter().chain(branches).filter_map(|requirement| match requirement {
            Requirement::Package(name, mask) => Some((*name, mask)),
            Requirement::Choice(_) => None,
        })
    }
}

/// Why a version can never be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// It conflicts with itself, and the dialect minds (rule Z4).
    ConflictsWithItself,
    /// It requires another version of itself (rule S10).
    RequiresAnotherVersion,
}

/// One conjunct of a package's dependencies.
#[derive(Clone, Debug)]
pub enum Requirement {
    /// One of these versions of a package.
    Package(NameId, Mask),
    /// One branch of a disjunction ([`Compiled::choices`]).
    Choice(u32),
}

/// A disjunction between different packages; earlier branches are preferred.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Each with all that it requires.
    pub branches: Vec<Vec<Requirement>>,
}

impl<'i> View<'i> {
    /// The view of a platform. Costs nothing for each package until it is looked at.
    pub fn new(index: &'i Index, platform: &Platform) -> Self {
        Self::in_dialect(index, platform, Dialect::Opam)
    }

    /// The view that a setting asks for. Its repositories and pins make the index
    /// ([`Setting::index`]).
    pub fn of(index: &'i Index, setting: &Setting) -> Self {
        Self::in_dialect(index, &setting.platform, setting.dialect)
    }

    /// The view of a platform, as a dialect reads opam files.
    pub fn in_dialect(index: &'i Index, platform: &Platform, dialect: Dialect) -> Self {
        let rules = dialect.rules();
        let mut names = Vec::new();
        names.resize_with(index.name_count(), OnceLock::new);
        let mut packages = Vec::new();
        packages.resize_with(index.package_count(), OnceLock::new);
        let widest = index.names().map(|name| index.package_range(name).len()).max().unwrap_or(0);
        let mut before = Vec::new();
        before.resize_with(index.package_count(), OnceLock::new);
        let variables = Variables::new(index, platform, &rules);
        let everyone = RootFlags::default();
        let amendments = Amendments::new();
        Self { index, dialect, rules, variables, everyone, amendments, widest, names, packages, before }
    }

    /// The same view, but with tests, documentation and so on of every package, not only of roots, as
    /// `opam list --coinstallable-with` has it (rule D11).
    #[must_use]
    pub fn with_everyones(self, flags: RootFlags) -> Self {
        let mut made = Self::in_dialect(self.index, self.variables.platform(), self.dialect);
        made.everyone = flags;
        made
    }

    /// The index.
    pub fn index(&self) -> &'i Index {
        self.index
    }

    /// The platform that this is the view of.
    pub fn platform(&self) -> &Platform {
        self.variables.platform()
    }

    /// Whose reading of opam files this is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many versions the name with the most of them has.
    pub fn widest(&self) -> usize {
        self.widest
    }

    /// The variables as a package sees them.
    pub fn environment(&self, package: PackageId, flags: DependencyFlags) -> Environment<'_, 'i> {
        Environment { variables: &self.variables, index: self.index, package, flags }
    }

    /// How many packages were compiled so far: those that solves reached.
    pub fn explored(&self) -> usize {
        self.packages.iter().filter(|package| package.get().is_some()).count()
    }

    /// What the platform allows of a name.
    pub fn name(&self, name: NameId) -> &NameView {
        self.names[name.place()].get_or_init(|| {
            let versions = self.index.versions_of(name);
            let text = self.index.name(name);
            let mut view = NameView {
                available: Mask::empty(versions.len()),
                avoided: Mask::empty(versions.len()),
                conf: text.starts_with("conf-"),
                compiler: text == "ocaml",
                by_revision: OnceLock::new(),
            };
            for (place, package) in versions.enumerate() {
                let flags = self.index.flags(package);
                view.conf |= flags.intersects(OpamFlags::CONF) && text != "ocaml";
                view.compiler |= flags.intersects(OpamFlags::COMPILER);
                if self.is_available(package) {
                    view.available.insert(place);
                    if self.is_avoided(package) {
                        view.avoided.insert(place);
                    }
                }
            }
            view
        })
    }

    /// Places of a name's versions, oldest first, but of versions that differ only in their packaging
    /// (`4.08.1` and `4.08.1-1`) the newest first; `None` where there are no such versions.
    pub fn by_revision(&self, name: NameId) -> Option<&[u32]> {
        let made = self.name(name).by_revision.get_or_init(|| {
            let packages: Vec<PackageId> = self.index.versions_of(name).collect();
            let upstream = |package: &PackageId| self.upstream(*package);
            let groups = packages.chunk_by(|a, b| upstream(a) == upstream(b));
            if groups.clone().all(|group| group.len() == 1) {
                return None;
            }
            let start = self.index.package_range(name).start;
            Some(groups.flat_map(|group| group.iter().rev()).map(|package| package.0 - start).collect())
        });
        made.as_deref()
    }

    /// A version without the number of its packaging.
    fn upstream(&self, package: PackageId) -> &str {
        let text = self.index.version(self.index.package_version(package));
        match text.rsplit_once('-') {
            Some((upstream, revision)) if revision.bytes().all(|b| b.is_ascii_digit()) => upstream,
            _ => text,
        }
    }

    /// Whether the dialect avoids a version: it has `avoid-version` or, for opam, `deprecated`.
    pub fn is_avoided(&self, package: PackageId) -> bool {
        let flags = self.index.flags(package);
        flags.intersects(OpamFlags::AVOID_VERSION)
            || self.rules.avoids_deprecated && flags.intersects(OpamFlags::DEPRECATED)
    }

    /// Of packages in opam's order, for each name the newest that this platform has and that is not to be
    /// avoided; where there is none, the newest.
    pub fn newest_of_each_name(&self, packages: &[PackageId]) -> Vec<PackageId> {
        self.index.newest_of_each_name(packages, |package| !self.is_available(package) || self.is_avoided(package))
    }

    /// Whether a package's `available` is true here.
    pub fn is_available(&self, package: PackageId) -> bool {
        if let Some(said) = self.amendments.availability(package) {
            return said;
        }
        let filter = self.index.available(package);
        filter.is_true() || {
            let environment = self.environment(package, DependencyFlags::default());
            match self.rules.available_may_be_string {
                true => eval_to_bool(filter, &environment, false),
                false => matches!(eval(filter, &environment), Value::Bool(true)),
            }
        }
    }

    /// The dependency flags of a package that was not itself asked for, with those of a root where it
    /// was.
    pub fn flags(&self, package: PackageId, root: Option<RootFlags>) -> DependencyFlags {
        let is_dev = match self.rules.dev_by_source {
            true => self.index.is_dev(package),
            false => {
                let version = self.index.version(self.index.package_version(package));
                version::compare(version.as_bytes(), b"dev").is_eq()
            }
        };
        let root = root.unwrap_or_default().united(self.everyone);
        DependencyFlags {
            with_test: Some(root.with_test),
            with_doc: Some(root.with_doc),
            with_dev_setup: Some(root.with_dev_setup),
            ..DependencyFlags::solving(root.dev.unwrap_or(is_dev))
        }
    }

    /// A package's demands when it is nobody's root.
    pub fn package(&self, package: PackageId) -> &Compiled {
        self.packages[package.place()].get_or_init(|| self.compile(package, self.flags(package, None)))
    }
}
