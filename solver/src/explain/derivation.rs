//! PubGrub's derivation of a contradiction, and the facts of opam files at its leaves.
//!
//! The search that answers questions keeps no reasons. Once it is known that there is no answer, this
//! asks the `pubgrub` crate the same question, and takes its proof apart.

use crate::engine::Bits;
use crate::mask::{ABSENT, Mask};
use crate::problem::Avoid;
use crate::question::Question;
use crate::solve::search::Placed;
use crate::stop::Stop;
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
    /// Packages need each other in a circle, by its place among those found.
    Cycle(u32),
}

/// Why there is no derivation.
#[derive(Debug)]
pub(super) enum NoDerivation {
    /// There is an answer, if not for what packages want to be installed before them.
    Solvable(Vec<(crate::engine::Var, u32)>),
    Stopped,
    /// More versions or alternatives than can be counted.
    TooWide,
}

/// The facts that exclude an answer for a question on one platform.
pub(super) fn facts(
    question: &Question<'_, '_>,
    cycles: &[Vec<Placed>],
    stop: &Stop,
) -> Result<FxHashSet<Source>, NoDerivation> {
    let result = match question.widest() {
        0..128 => derive::<2>(question, cycles, stop),
        128..1024 => derive::<16>(question, cycles, stop),
        _ => Err(Failed::TooWide),
    };
    let result = match result {
        Err(Failed::TooWide) if question.widest() < Bits::<64>::CAPACITY => derive::<64>(question, cycles, stop),
        other => other,
    };
    result.map_err(|failed| match failed {
        Failed::Solvable(decisions) => NoDerivation::Solvable(decisions),
        Failed::Stopped => NoDerivation::Stopped,
        Failed::TooWide => NoDerivation::TooWide,
    })
}

enum Failed {
    Solvable(Vec<(crate::engine::Var, u32)>),
    Stopped,
    TooWide,
}

fn derive<const W: usize>(
    question: &Question<'_, '_>,
    cycles: &[Vec<Placed>],
    stop: &Stop,
) -> Result<FxHashSet<Source>, Failed> {
    let provider = Provider::<W> { question, cycles, stop, state: RefCell::default(), steps: Cell::new(0) };
    match pubgrub::resolve(&provider, Var::Root, 0_u32) {
        Ok(solution) => {
            let name = |(var, bit): (&Var, &u32)| match var {
                Var::Name(name) if *bit != ABSENT => Some((crate::engine::Var::Name(0, *name), *bit)),
                _ => None,
            };
            Err(Failed::Solvable(solution.iter().filter_map(name).collect()))
        }
        Err(PubGrubError::NoSolution(tree)) => Ok(provider.sources(&tree)),
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(match source {
            Trouble::TooWide => Failed::TooWide,
            Trouble::Stopped => Failed::Stopped,
        }),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Var {
    Root,
    Name(NameId),
    Choice(PackageId, u32),
    Class(NameId),
    /// Which package of a circle is left out.
    Cycle(u32),
}

impl fmt::Display for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Trouble {
    #[error("too many alternatives")]
    TooWide,
    #[error("stopped")]
    Stopped,
}

struct Provider<'p, 'q, 'i, const W: usize> {
    question: &'p Question<'q, 'i>,
    cycles: &'p [Vec<Placed>],
    stop: &'p Stop,
    state: RefCell<State>,
    steps: Cell<u32>,
}

#[derive(Default)]
struct State {
    /// The order in which variables were first met.
    met: FxHashMap<Var, u32>,
    /// The members of each class, numbered as they come.
    classes: FxHashMap<NameId, Vec<NameId>>,
}

impl<const W: usize> Provider<'_, '_, '_, W> {
    fn compiled(&self, package: PackageId) -> &Compiled {
        self.question.sides[0].compiled(package)
    }

    fn package(&self, name: NameId, bit: u32) -> PackageId {
        PackageId(self.question.sides[0].view.index().package_range(name).start + bit - 1)
    }

    /// What is still possible of a variable.
    fn possible(&self, var: Var, range: &Bits<W>) -> Result<Bits<W>, Trouble> {
        let alternatives = |count: usize| match count <= Bits::<W>::CAPACITY {
            true => Ok(Bits::range(0, count as u32)),
            false => Err(Trouble::TooWide),
        };
        Ok(range.and(&match var {
            Var::Root => Bits::singleton(0),
            Var::Name(name) => Bits::of(&choosable(self.question, name)).or(&Bits::singleton(ABSENT)),
            Var::Choice(package, choice) => match self.question.branches.get(&(package, choice)) {
                Some(chosen) => Bits::singleton(*chosen),
                None => alternatives(self.compiled(package).choices[choice as usize].branches.len())?,
            },
            Var::Class(class) => alternatives(self.state.borrow().classes.get(&class).map_or(0, Vec::len))?,
            Var::Cycle(cycle) => alternatives(self.cycles[cycle as usize].len())?,
        }))
    }

    /// The demands of a value, each with the fact that makes it.
    fn demands(&self, var: Var, bit: u32) -> Result<Vec<(Var, Bits<W>, Option<Source>)>, Trouble> {
        let require = |package, requirement: &Requirement, source| match requirement {
            Requirement::Package(name, mask) => (Var::Name(*name), Bits::of(mask), source),
            Requirement::Choice(choice) => (Var::Choice(package, *choice), Bits::FULL, source),
        };
        Ok(match var {
            Var::Root => {
                let roots = self.question.sides[0].roots.iter().enumerate();
                let mut demands: Vec<_> = roots
                    .map(|(place, root)| (Var::Name(root.name), Bits::of(&root.mask), Some(Source::Root(place as u32))))
                    .collect();
                for cycle in 0..self.cycles.len() as u32 {
                    demands.push((Var::Cycle(cycle), Bits::FULL, Some(Source::Cycle(cycle))));
                }
                demands
            }
            Var::Name(_) if bit == ABSENT => vec![],
            Var::Name(name) => {
                let package = self.package(name, bit);
                let compiled = self.compiled(package);
                let mut demands: Vec<_> = (0_u32..)
                    .zip(&compiled.requires)
                    .map(|(place, requirement)| require(package, requirement, Some(Source::Requires(package, place))))
                    .collect();
                for (place, (other, mask)) in (0_u32..).zip(&compiled.conflicts) {
                    let rest = Bits::of(mask).complement();
                    demands.push((Var::Name(*other), rest, Some(Source::Conflicts(package, place))));
                }
                for (place, class) in (0_u32..).zip(&compiled.classes) {
                    let member = self.member(*class, name)?;
                    demands.push((Var::Class(*class), Bits::singleton(member), Some(Source::Class(package, place))));
                }
                demands
            }
            Var::Choice(package, choice) => {
                let branch = &self.compiled(package).choices[choice as usize].branches[bit as usize];
                branch.iter().map(|requirement| require(package, requirement, None)).collect()
            }
            Var::Cycle(cycle) => {
                let (_, package) = self.cycles[cycle as usize][bit as usize];
                let index = self.question.sides[0].view.index();
                let name = index.package_name(package);
                let version = Bits::singleton(package.0 - index.package_range(name).start + 1);
                vec![(Var::Name(name), version.complement(), None)]
            }
            Var::Class(_) => vec![],
        })
    }

    fn member(&self, class: NameId, name: NameId) -> Result<u32, Trouble> {
        let mut state = self.state.borrow_mut();
        let members = state.classes.entry(class).or_default();
        let place = members.iter().position(|member| *member == name).unwrap_or_else(|| {
            members.push(name);
            members.len() - 1
        });
        if place < Bits::<W>::CAPACITY { Ok(place as u32) } else { Err(Trouble::TooWide) }
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
        let versions = |name: NameId| 1..=self.question.sides[0].view.index().package_range(name).len() as u32;
        match leaf {
            External::NoVersions(Var::Name(name), range) | External::Custom(Var::Name(name), range, _) => {
                let choosable = Bits::<W>::of(&choosable(self.question, *name));
                for bit in versions(*name).filter(|bit| range.contains(*bit) && !choosable.contains(*bit)) {
                    sources.insert(Source::Unavailable(self.package(*name, bit)));
                }
                for bit in versions(*name).filter(|bit| range.contains(*bit) && choosable.contains(*bit)) {
                    let package = self.package(*name, bit);
                    if self.compiled(package).impossible.is_some() {
                        sources.insert(Source::Impossible(package));
                    }
                }
            }
            External::FromDependencyOf(var, range, wanted, needed) => {
                let bits: Vec<u32> = match var {
                    Var::Name(name) => versions(*name).filter(|bit| range.contains(*bit)).collect(),
                    Var::Root => vec![0],
                    Var::Choice(..) | Var::Class(_) | Var::Cycle(_) => vec![],
                };
                for bit in bits {
                    let demands = self.demands(*var, bit).unwrap_or_default();
                    let same = |(var, mask, _): &&(Var, Bits<W>, Option<Source>)| var == wanted && mask == needed;
                    sources.extend(demands.iter().filter(same).filter_map(|(_, _, source)| *source));
                }
            }
            External::NoVersions(..) | External::NotRoot(..) | External::Custom(..) => {}
        }
    }
}

/// The versions of a name that may be chosen when it comes to the worst.
pub(super) fn choosable(question: &Question<'_, '_>, name: NameId) -> Mask {
    let side = &question.sides[0];
    let view = side.view.name(name);
    let mut mask = view.available.clone();
    if question.avoid == Avoid::Never || question.allowed.is_some() {
        mask.subtract(&view.avoided);
        let range = side.view.index().package_range(name);
        let allowed = question.allowed.iter().flatten();
        let places = allowed.filter_map(|(_, package)| range.position(*package));
        places.filter(|place| view.available.contains(*place)).for_each(|place| mask.insert(place));
        for root in side.roots.iter().filter(|root| root.name == name && root.exact) {
            let mut asked = view.available.clone();
            asked.intersect(&root.mask);
            mask.unite(&asked);
        }
    }
    mask
}

type Tree<const W: usize> = DerivationTree<Var, Bits<W>, Never>;
type Leaf<const W: usize> = External<Var, Bits<W>, Never>;

impl<const W: usize> DependencyProvider for Provider<'_, '_, '_, W> {
    type P = Var;
    type V = u32;
    type VS = Bits<W>;
    type M = Never;
    type Err = Trouble;
    /// Nothing left, one thing left, required, optional; then the order of discovery.
    type Priority = (u8, Reverse<u32>);

    fn prioritize(&self, var: &Var, range: &Bits<W>, _: &PackageResolutionStatistics) -> Self::Priority {
        let met = self.state.borrow().met.get(var).copied().unwrap_or_default();
        let class = match self.possible(*var, range) {
            Ok(possible) if matches!(var, Var::Name(_)) && possible.contains(ABSENT) => 0,
            Ok(possible) if possible.is_empty() => 3,
            Ok(possible) if possible.single().is_some() => 2,
            Ok(_) => 1,
            Err(_) => 3,
        };
        (class, Reverse(met))
    }

    fn choose_version(&self, var: &Var, range: &Bits<W>) -> Result<Option<u32>, Trouble> {
        let possible = self.possible(*var, range)?;
        Ok(match var {
            Var::Name(_) if possible.contains(ABSENT) => Some(ABSENT),
            Var::Name(name) => {
                let mut possible = possible;
                while let Some(bit) = possible.highest() {
                    if self.compiled(self.package(*name, bit)).impossible.is_none() {
                        break;
                    }
                    possible = possible.without(&Bits::singleton(bit));
                }
                possible.highest()
            }
            _ => possible.lowest(),
        })
    }

    fn get_dependencies(&self, var: &Var, bit: &u32) -> Result<Dependencies<Var, Bits<W>, Never>, Trouble> {
        let demands = self.demands(*var, *bit)?;
        let mut state = self.state.borrow_mut();
        for (wanted, _, _) in &demands {
            let next = state.met.len() as u32;
            state.met.entry(*wanted).or_insert(next);
        }
        Ok(Dependencies::Available(demands.into_iter().map(|(var, mask, _)| (var, mask)).collect()))
    }

    fn should_cancel(&self) -> Result<(), Trouble> {
        self.steps.set(self.steps.get().wrapping_add(1));
        if self.steps.get().is_multiple_of(32) && self.stop.asked() { Err(Trouble::Stopped) } else { Ok(()) }
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
    type V = u32;

    fn empty() -> Self {
        Self::EMPTY
    }

    fn full() -> Self {
        Self::FULL
    }

    fn singleton(bit: u32) -> Self {
        Bits::singleton(bit)
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

    fn contains(&self, bit: &u32) -> bool {
        Bits::contains(self, *bit)
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        !self.intersects(other)
    }

    fn subset_of(&self, other: &Self) -> bool {
        Bits::subset_of(self, other)
    }
}
