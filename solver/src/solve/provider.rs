//! opam's constraints in PubGrub's terms.
//!
//! * A package is a variable whose values are its versions and "not installed" (bit 0).
//! * A dependency requires one of some versions. A conflict with `q {versions}` requires `q` to be
//!   something else, "not installed" included; a package that may still be not installed is decided
//!   last, and then is not installed.
//! * A disjunction between packages is a variable with a value for each branch; the lowest, the
//!   branch written first, is preferred.
//! * A conflict class is a variable with a value for each member's name.
//!
//! Decisions go depth first, dependencies in the order in which they are written (rule O7 of the
//! semantics sheet), after what has no choice left; nothing depends on hash order.

use super::ResolvedRoot;
use super::bits::Bits;
use crate::mask::ABSENT;
use crate::view::{Compiled, Requirement, View};
use opam_parser::index::{NameId, PackageId};
use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics, VersionSet};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::fmt;

/// What PubGrub decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Var {
    /// The question itself.
    Root,
    Name(NameId),
    /// A disjunction of a package.
    Choice(PackageId, u32),
    /// A conflict class.
    Class(NameId),
}

impl fmt::Display for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// How versions with `avoid-version` or `deprecated` are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Avoided {
    /// They do not exist.
    Never,
    /// They come after all others of their name.
    Last,
}

/// A disjunction or class has more alternatives than the set type counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many alternatives")]
pub(super) struct TooWide;

pub(super) struct Provider<'p, 'i, const W: usize> {
    pub(super) view: &'p View<'i>,
    pub(super) roots: &'p [ResolvedRoot],
    own: &'p FxHashMap<PackageId, Compiled>,
    oldest: bool,
    avoided: Avoided,
    state: RefCell<State<W>>,
}

#[derive(Default)]
struct State<const W: usize> {
    /// The first way to each variable.
    discovered: FxHashMap<Var, Path>,
    /// What may be chosen of a name.
    candidates: FxHashMap<NameId, Candidates<W>>,
    /// The members of each class, numbered as they come.
    classes: FxHashMap<NameId, Vec<NameId>>,
}

/// A way from the question to a variable: the place of each dependency among its siblings. The order
/// of ways is that of a depth-first walk.
type Path = SmallVec<[u32; 8]>;

#[derive(Clone)]
struct Candidates<const W: usize> {
    all: Bits<W>,
    preferred: Bits<W>,
}

impl<'p, 'i, const W: usize> Provider<'p, 'i, W> {
    pub(super) fn new(
        view: &'p View<'i>,
        roots: &'p [ResolvedRoot],
        own: &'p FxHashMap<PackageId, Compiled>,
        oldest: bool,
        avoided: Avoided,
    ) -> Self {
        Self { view, roots, own, oldest, avoided, state: RefCell::default() }
    }

    pub(super) fn compiled(&self, package: PackageId) -> &Compiled {
        self.own.get(&package).unwrap_or_else(|| self.view.package(package))
    }

    pub(super) fn package(&self, name: NameId, bit: u32) -> PackageId {
        PackageId(self.view.index().package_range(name).start + bit - 1)
    }

    /// The versions that may be chosen, and those of them that come first.
    fn candidates(&self, name: NameId) -> Candidates<W> {
        if let Some(known) = self.state.borrow().candidates.get(&name) {
            return known.clone();
        }
        let view = self.view.name(name);
        let mut preferred = view.available.clone();
        preferred.subtract(&view.avoided);
        let mut all = preferred.clone();
        for root in self.roots.iter().filter(|root| root.name == name && root.exact) {
            let mut asked = view.available.clone();
            asked.intersect(&root.mask);
            all.unite(&asked);
        }
        if self.avoided == Avoided::Last {
            all = view.available.clone();
        }
        let made = Candidates { all: Bits::of(&all), preferred: Bits::of(&preferred) };
        self.state.borrow_mut().candidates.insert(name, made.clone());
        made
    }

    fn alternatives(&self, count: usize) -> Result<Bits<W>, TooWide> {
        if count > Bits::<W>::CAPACITY {
            return Err(TooWide);
        }
        Ok((0..count as u32).fold(Bits::empty(), |bits, bit| bits.union(&Bits::singleton(bit))))
    }

    /// What is still possible of a variable.
    fn possible(&self, var: Var, range: &Bits<W>) -> Result<Bits<W>, TooWide> {
        Ok(match var {
            Var::Root => range.clone(),
            Var::Name(name) => {
                let mut all = self.candidates(name).all;
                all = all.union(&Bits::singleton(ABSENT));
                range.intersection(&all)
            }
            Var::Choice(package, choice) => {
                let branches = self.compiled(package).choices[choice as usize].branches.len();
                range.intersection(&self.alternatives(branches)?)
            }
            Var::Class(class) => {
                let members = self.state.borrow().classes.get(&class).map_or(0, Vec::len);
                range.intersection(&self.alternatives(members)?)
            }
        })
    }

    fn requirement(&self, package: PackageId, requirement: &Requirement) -> (Var, Bits<W>) {
        match requirement {
            Requirement::Package(name, mask) => (Var::Name(*name), Bits::of(mask)),
            Requirement::Choice(choice) => (Var::Choice(package, *choice), Bits::full()),
        }
    }

    fn dependencies(&self, var: Var, bit: u32) -> Result<Vec<(Var, Bits<W>)>, TooWide> {
        match var {
            Var::Root => Ok(self.roots.iter().map(|root| (Var::Name(root.name), Bits::of(&root.mask))).collect()),
            Var::Class(_) => Ok(vec![]),
            Var::Name(_) if bit == ABSENT => Ok(vec![]),
            Var::Name(name) => {
                let package = self.package(name, bit);
                let compiled = self.compiled(package);
                let requires = compiled.requires.iter().map(|requirement| self.requirement(package, requirement));
                let conflicts =
                    compiled.conflicts.iter().map(|(other, mask)| (Var::Name(*other), Bits::excluding(mask)));
                let mut dependencies: Vec<_> = requires.chain(conflicts).collect();
                for class in &compiled.classes {
                    let mut state = self.state.borrow_mut();
                    let members = state.classes.entry(*class).or_default();
                    let slot = members.iter().position(|member| *member == name).unwrap_or_else(|| {
                        members.push(name);
                        members.len() - 1
                    });
                    if slot >= Bits::<W>::CAPACITY {
                        return Err(TooWide);
                    }
                    dependencies.push((Var::Class(*class), Bits::singleton(slot as u32)));
                }
                Ok(dependencies)
            }
            Var::Choice(package, choice) => {
                let branches = &self.compiled(package).choices[choice as usize].branches;
                let branch = &branches[bit as usize];
                Ok(branch.iter().map(|requirement| self.requirement(package, requirement)).collect())
            }
        }
    }
}

impl<const W: usize> DependencyProvider for Provider<'_, '_, W> {
    type P = Var;
    type V = u32;
    type VS = Bits<W>;
    type M = Impossible;
    type Err = TooWide;
    /// Nothing left, one thing left, required, optional; then depth first.
    type Priority = (u8, Reverse<Path>);

    fn prioritize(&self, var: &Var, range: &Bits<W>, _: &PackageResolutionStatistics) -> Self::Priority {
        let discovered = self.state.borrow().discovered.get(var).cloned().unwrap_or_default();
        let class = match self.possible(*var, range) {
            Ok(possible) if matches!(var, Var::Name(_)) && possible.contains(&ABSENT) => 0,
            Ok(possible) => match possible.count() {
                0 => 3,
                1 => 2,
                _ => 1,
            },
            Err(TooWide) => 3,
        };
        (class, Reverse(discovered))
    }

    fn choose_version(&self, var: &Var, range: &Bits<W>) -> Result<Option<u32>, TooWide> {
        let possible = self.possible(*var, range)?;
        Ok(match var {
            Var::Name(_) if possible.contains(&ABSENT) => Some(ABSENT),
            Var::Name(name) => {
                let preferred = possible.intersection(&self.candidates(*name).preferred);
                let from = if preferred == Bits::empty() { possible } else { preferred };
                if self.oldest { from.lowest() } else { from.highest() }
            }
            _ => possible.lowest(),
        })
    }

    fn get_dependencies(&self, var: &Var, bit: &u32) -> Result<Dependencies<Var, Bits<W>, Impossible>, TooWide> {
        let dependencies = self.dependencies(*var, *bit)?;
        let mut state = self.state.borrow_mut();
        let own = state.discovered.get(var).cloned().unwrap_or_default();
        for (place, (dependency, _)) in dependencies.iter().enumerate() {
            let mut path = own.clone();
            path.push(place as u32);
            match state.discovered.entry(*dependency) {
                Entry::Vacant(unknown) => drop(unknown.insert(path)),
                Entry::Occupied(mut known) if path < *known.get() => drop(known.insert(path)),
                Entry::Occupied(_) => {}
            }
        }
        Ok(Dependencies::Available(dependencies.into_iter().collect()))
    }
}

/// No package is ever unavailable for reasons that PubGrub is not told in its own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Impossible(Infallible);

impl fmt::Display for Impossible {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}
