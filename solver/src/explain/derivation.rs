//! PubGrub's derivation of a contradiction, and the facts of opam files at its leaves.
//!
//! The search that answers questions keeps no derivation. Once it is known that there is no answer, this
//! asks the `pubgrub` crate the same question, and takes its proof apart.

use crate::engine::{Bits, TooWide, Variable, WIDEST};
use crate::error::SolveError;
use crate::mask::Mask;
use crate::policy::Avoid;
use crate::question::{PlatformPackage, PlatformQuestion, Question};
use crate::stop::{Stop, Stopped};
use crate::value::Value;
use crate::view::{Compiled, Requirement};
use opam_parser::index::{NameId, PackageId};
use pubgrub::{
    Dependencies, DependencyProvider, DerivationTree, External, PackageResolutionStatistics, PubGrubError, VersionSet,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::convert::Infallible;
use std::fmt;

/// A fact of the question or of one opam file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Source {
    /// The root at this place was asked for.
    Root(u32),
    /// What a package requires, by its place in [`Compiled::requires`].
    Requires(PackageId, u32),
    /// What a package conflicts with, by its place in [`Compiled::conflicts`].
    Conflicts(PackageId, u32),
    /// The class that a package is in, by its place in [`Compiled::classes`].
    Class(PackageId, u32),
    /// A package contradicts itself.
    Impossible(PackageId),
    /// A package cannot be chosen at all.
    Unavailable(PackageId),
    /// Packages need each other in a cycle, by its place among those found.
    Cycle(u32),
}

/// What the crate pubgrub finds out.
pub(super) enum Derivation {
    /// The facts that exclude an answer.
    Contradiction(FxHashSet<Source>),
    /// There is an answer, if not for what packages want to be installed before them.
    Solvable(Vec<(Variable, Value)>),
}

/// How many steps PubGrub may take, each the choice of a version or what is learned from a conflict. A hundred times what
/// explanations of opam-repository take.
const STEP_LIMIT: u32 = 200_000;

/// Derives the contradiction in a question on one platform that has no answer.
pub(super) fn derive(
    question: &Question<'_, '_>,
    cycles: &[Vec<PlatformPackage>],
    stop: &Stop,
) -> Result<Derivation, SolveError> {
    let result = match question.widest() {
        0..128 => derive_in_width::<2>(question, cycles, stop),
        _ => derive_in_width::<16>(question, cycles, stop),
    };
    let result = match result {
        Err(Trouble::TooWide(_)) => match derive_in_width::<64>(question, cycles, stop) {
            Err(Trouble::TooWide(_)) => derive_in_width::<WIDEST>(question, cycles, stop),
            other => other,
        },
        other => other,
    };
    result.map_err(|trouble| match trouble {
        Trouble::TooWide(too_wide) => too_wide.into(),
        Trouble::Stopped(stopped) => stopped.into(),
    })
}

fn derive_in_width<const W: usize>(
    question: &Question<'_, '_>,
    cycles: &[Vec<PlatformPackage>],
    stop: &Stop,
) -> Result<Derivation, Trouble> {
    let platform = &question.platforms[0];
    let provider = Provider::<W> { question, platform, cycles, stop, state: RefCell::default(), steps: Cell::new(0) };
    match pubgrub::resolve(&provider, Package::Root, ROOT) {
        Ok(solution) => {
            let name = |(package, value): (&Package, &Value)| match package {
                Package::Name(name) if *value != Value::ABSENT => Some((Variable::Name(0, *name), *value)),
                _ => None,
            };
            Ok(Derivation::Solvable(solution.iter().filter_map(name).collect()))
        }
        Err(PubGrubError::NoSolution(tree)) => Ok(Derivation::Contradiction(provider.sources(&tree))),
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(source),
    }
}

/// What the crate pubgrub calls a package: what it chooses a version of. The variables of the search, for
/// one platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Package {
    Root,
    Name(NameId),
    /// A disjunction of a package.
    Choice(PackageId, u32),
    Class(NameId),
    /// Which package of a cycle is left out.
    Cycle(u32),
}

/// The value of [`Package::Root`].
const ROOT: Value = Value::at(0);

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Why there is no derivation.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    TooWide(#[from] TooWide),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

struct Provider<'p, 'q, 'i, const W: usize> {
    question: &'p Question<'q, 'i>,
    platform: &'p PlatformQuestion<'q, 'i>,
    cycles: &'p [Vec<PlatformPackage>],
    stop: &'p Stop,
    state: RefCell<State>,
    steps: Cell<u32>,
}

#[derive(Default)]
struct State {
    /// The order in which packages were first met.
    met: FxHashMap<Package, u32>,
    /// The members of each class, numbered as they come.
    classes: FxHashMap<NameId, Vec<NameId>>,
}

/// What a version depends on, and the fact that says so.
type Dependency<const W: usize> = (Package, Bits<W>, Option<Source>);

impl<const W: usize> Provider<'_, '_, '_, W> {
    fn compiled(&self, package: PackageId) -> &Compiled {
        self.platform.compiled(package)
    }

    fn package(&self, name: NameId, value: Value) -> Option<PackageId> {
        value.package(self.platform.view.index().package_range(name))
    }

    /// What is still possible of a package.
    fn possible(&self, package: Package, range: &Bits<W>) -> Result<Bits<W>, TooWide> {
        let alternatives = |count: usize| match Bits::<W>::have_room_for(count) {
            true => Ok(Bits::alternatives(count)),
            false => Err(TooWide),
        };
        Ok(range.and(&match package {
            Package::Root => Bits::singleton(ROOT),
            Package::Name(name) => {
                if !Bits::<W>::have_room_for(self.platform.view.index().package_range(name).len()) {
                    return Err(TooWide);
                }
                Bits::of(&choosable(self.question, name)).or(&Bits::singleton(Value::ABSENT))
            }
            Package::Choice(package, choice) => match self.question.branches.get(&(package, choice)) {
                Some(chosen) => Bits::singleton(Value::at(*chosen)),
                None => alternatives(self.compiled(package).choices[choice as usize].branches.len())?,
            },
            Package::Class(class) => alternatives(self.state.borrow().classes.get(&class).map_or(0, Vec::len))?,
            Package::Cycle(cycle) => alternatives(self.cycles[cycle as usize].len())?,
        }))
    }

    /// The dependencies of a version.
    fn dependencies(&self, package: Package, value: Value) -> Result<Vec<Dependency<W>>, TooWide> {
        match package {
            Package::Root => Ok(self.root_dependencies()),
            Package::Name(name) => match self.package(name, value) {
                Some(package) => self.package_dependencies(name, package),
                None => Ok(vec![]),
            },
            Package::Choice(package, choice) => {
                let branches = &self.compiled(package).choices[choice as usize].branches;
                let branch = value.position().and_then(|position| branches.get(position));
                Ok(branch.into_iter().flatten().map(|requirement| depend(package, requirement, None)).collect())
            }
            Package::Cycle(cycle) => {
                let left_out = value.position().and_then(|position| self.cycles[cycle as usize].get(position));
                let index = self.platform.view.index();
                let dependency = |(_, package): &PlatformPackage| {
                    let position = index.version_position(*package);
                    if !Bits::<W>::have_room_for(position + 1) {
                        return Err(TooWide);
                    }
                    let version = Bits::singleton(Value::at(position));
                    Ok((Package::Name(index.package_name(*package)), version.complement(), None))
                };
                left_out.map(dependency).into_iter().collect()
            }
            Package::Class(_) => Ok(vec![]),
        }
    }

    fn root_dependencies(&self) -> Vec<Dependency<W>> {
        let roots = (0..)
            .zip(&self.platform.roots)
            .map(|(place, root)| (Package::Name(root.name), Bits::of(&root.mask), Some(Source::Root(place))));
        let cycles =
            (0..self.cycles.len() as u32).map(|cycle| (Package::Cycle(cycle), Bits::FULL, Some(Source::Cycle(cycle))));
        roots.chain(cycles).collect()
    }

    fn package_dependencies(&self, name: NameId, package: PackageId) -> Result<Vec<Dependency<W>>, TooWide> {
        let compiled = self.compiled(package);
        let mut dependencies: Vec<_> = (0..)
            .zip(&compiled.requires)
            .map(|(place, requirement)| depend(package, requirement, Some(Source::Requires(package, place))))
            .collect();
        for (place, (other, mask)) in (0..).zip(&compiled.conflicts) {
            let rest = Bits::of(mask).complement();
            dependencies.push((Package::Name(*other), rest, Some(Source::Conflicts(package, place))));
        }
        for (place, class) in (0..).zip(&compiled.classes) {
            let member = Bits::singleton(self.member(*class, name)?);
            dependencies.push((Package::Class(*class), member, Some(Source::Class(package, place))));
        }
        Ok(dependencies)
    }

    /// The value of a class that stands for a member.
    fn member(&self, class: NameId, name: NameId) -> Result<Value, TooWide> {
        let mut state = self.state.borrow_mut();
        let members = state.classes.entry(class).or_default();
        let place = members.iter().position(|member| *member == name).unwrap_or_else(|| {
            members.push(name);
            members.len() - 1
        });
        if Bits::<W>::have_room_for(place + 1) { Ok(Value::at(place)) } else { Err(TooWide) }
    }

    /// The facts at the leaves of a derivation.
    fn sources(&self, tree: &Tree<W>) -> FxHashSet<Source> {
        // Parts of the derivation are shared; each is looked at once.
        let mut seen = FxHashSet::default();
        let mut waiting = vec![tree];
        let mut sources = FxHashSet::default();
        while let Some(tree) = waiting.pop() {
            match tree {
                DerivationTree::External(leaf) => self.add_sources(leaf, &mut sources),
                DerivationTree::Derived(derived) => {
                    if derived.shared_id.is_none_or(|id| seen.insert(id)) {
                        waiting.push(&derived.cause2);
                        waiting.push(&derived.cause1);
                    }
                }
            }
        }
        sources
    }

    fn add_sources(&self, leaf: &Leaf<W>, sources: &mut FxHashSet<Source>) {
        match leaf {
            External::NoVersions(Package::Name(name), range) | External::Custom(Package::Name(name), range, _) => {
                let choosable = Bits::<W>::of(&choosable(self.question, *name));
                for (value, package) in self.versions(*name, range) {
                    if !choosable.contains(value) {
                        sources.insert(Source::Unavailable(package));
                    } else if self.compiled(package).impossible.is_some() {
                        sources.insert(Source::Impossible(package));
                    }
                }
            }
            External::FromDependencyOf(package, range, wanted, needed) => {
                let values: Vec<Value> = match package {
                    Package::Name(name) => self.versions(*name, range).map(|(value, _)| value).collect(),
                    Package::Root => vec![ROOT],
                    Package::Choice(..) | Package::Class(_) | Package::Cycle(_) => vec![],
                };
                for value in values {
                    let dependencies = self.dependencies(*package, value).unwrap_or_default();
                    let same = |(package, mask, _): &&Dependency<W>| package == wanted && mask == needed;
                    sources.extend(dependencies.iter().filter(same).filter_map(|(_, _, source)| *source));
                }
            }
            External::NoVersions(..) | External::NotRoot(..) | External::Custom(..) => {}
        }
    }

    /// The versions of a name whose values are in a range, with these.
    fn versions(&self, name: NameId, range: &Bits<W>) -> impl Iterator<Item = (Value, PackageId)> {
        let versions = self.platform.view.index().versions_of(name).enumerate();
        versions.map(|(position, package)| (Value::at(position), package)).filter(|(value, _)| range.contains(*value))
    }
}

fn depend<const W: usize>(package: PackageId, requirement: &Requirement, source: Option<Source>) -> Dependency<W> {
    match requirement {
        Requirement::Package(name, mask) => (Package::Name(*name), Bits::of(mask), source),
        Requirement::Choice(choice) => (Package::Choice(package, *choice), Bits::FULL, source),
    }
}

/// The versions of a name that may be chosen when it comes to the worst.
pub(super) fn choosable(question: &Question<'_, '_>, name: NameId) -> Mask {
    let platform = &question.platforms[0];
    let view = platform.view.name(name);
    let mut mask = view.available.clone();
    if question.avoid == Avoid::Never || question.allowed.is_some() {
        mask.subtract(&view.avoided);
        let range = platform.view.index().package_range(name);
        let allowed = question.allowed.iter().flatten();
        let places = allowed.filter_map(|(_, package)| range.position(*package));
        places.filter(|place| view.available.contains(*place)).for_each(|place| mask.insert(place));
        for root in platform.roots.iter().filter(|root| root.name == name && root.exact) {
            let mut asked = view.available.clone();
            asked.intersect(&root.mask);
            mask.unite(&asked);
        }
    }
    mask
}

type Tree<const W: usize> = DerivationTree<Package, Bits<W>, Never>;
type Leaf<const W: usize> = External<Package, Bits<W>, Never>;

impl<const W: usize> DependencyProvider for Provider<'_, '_, '_, W> {
    type P = Package;
    type V = Value;
    type VS = Bits<W>;
    type M = Never;
    type Err = Trouble;
    /// Nothing left, one thing left, required, optional; then the order of discovery.
    type Priority = (u8, Reverse<u32>);

    fn prioritize(&self, package: &Package, range: &Bits<W>, _: &PackageResolutionStatistics) -> Self::Priority {
        let met = self.state.borrow().met.get(package).copied().unwrap_or_default();
        let class = match self.possible(*package, range) {
            Ok(possible) if matches!(package, Package::Name(_)) && possible.contains(Value::ABSENT) => 0,
            Ok(possible) if possible.is_empty() => 3,
            Ok(possible) if possible.single().is_some() => 2,
            Ok(_) => 1,
            Err(_) => 3,
        };
        (class, Reverse(met))
    }

    fn choose_version(&self, package: &Package, range: &Bits<W>) -> Result<Option<Value>, Trouble> {
        let possible = self.possible(*package, range)?;
        Ok(match package {
            Package::Name(_) if possible.contains(Value::ABSENT) => Some(Value::ABSENT),
            Package::Name(name) => {
                let mut possible = possible;
                while let Some(value) = possible.highest() {
                    if self.package(*name, value).is_some_and(|package| self.compiled(package).impossible.is_none()) {
                        break;
                    }
                    possible = possible.without(&Bits::singleton(value));
                }
                possible.highest()
            }
            _ => possible.lowest(),
        })
    }

    fn get_dependencies(
        &self,
        package: &Package,
        value: &Value,
    ) -> Result<Dependencies<Package, Bits<W>, Never>, Trouble> {
        let dependencies = self.dependencies(*package, *value)?;
        let mut state = self.state.borrow_mut();
        for (wanted, _, _) in &dependencies {
            let next = state.met.len() as u32;
            state.met.entry(*wanted).or_insert(next);
        }
        Ok(Dependencies::Available(dependencies.into_iter().map(|(package, mask, _)| (package, mask)).collect()))
    }

    fn should_cancel(&self) -> Result<(), Trouble> {
        self.steps.set(self.steps.get().wrapping_add(1));
        if self.steps.get() > STEP_LIMIT {
            return Err(Stopped::Steps.into());
        }
        if self.steps.get().is_multiple_of(32) { Ok(self.stop.check()?) } else { Ok(()) }
    }
}

/// No package is ever unavailable for reasons that PubGrub is not told in its own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Never(Infallible);

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl<const W: usize> fmt::Display for Bits<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<const W: usize> VersionSet for Bits<W> {
    type V = Value;

    fn empty() -> Self {
        Self::EMPTY
    }

    fn full() -> Self {
        Self::FULL
    }

    fn singleton(value: Value) -> Self {
        Bits::singleton(value)
    }

    fn complement(&self) -> Self {
        Bits::complement(self)
    }

    fn intersection(&self, other: &Self) -> Self {
        self.and(other)
    }

    fn union(&self, other: &Self) -> Self {
        self.or(other)
    }

    fn contains(&self, value: &Value) -> bool {
        Bits::contains(self, *value)
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        !self.intersects(other)
    }

    fn subset_of(&self, other: &Self) -> bool {
        Bits::subset_of(self, other)
    }
}
