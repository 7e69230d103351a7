//! An index as one platform sees it: filters evaluated, constraints as masks of versions.
//!
//! Compiling is lazy: a package is compiled when a solve first reaches it, once for all solves and
//! threads, so that asking one question costs what that question touches and asking thousands
//! compiles everything once.

use crate::environment::{DependencyFlags, Environment, Variables};
use crate::mask::Mask;
use crate::platform::Platform;
use crate::reduce::{Bound, Reduced, Reduction, Sets, UndefinedBound};
use opam_parser::file::Flags as OpamFlags;
use opam_parser::filter::eval::eval_to_bool;
use opam_parser::index::{FormulaRef, Index, NameId, PackageId};
use opam_parser::syntax::RelOp;
use opam_parser::version;
use std::sync::OnceLock;

/// A platform's view of an index.
pub struct View<'i> {
    index: &'i Index,
    variables: Variables,
    /// How many versions the name with the most of them has.
    widest: usize,
    names: Vec<OnceLock<NameView>>,
    packages: Vec<OnceLock<Compiled>>,
}

/// What the platform allows of a name.
#[derive(Clone, Debug)]
pub struct NameView {
    /// Versions whose `available` is true (rules S14 to S17).
    pub available: Mask,
    /// Those of them with `avoid-version` or `deprecated`.
    pub avoided: Mask,
}

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

/// Version constraints as masks over the existing versions.
pub struct Masks<'i>(pub &'i Index);

impl Masks<'_> {
    fn cut(&self, name: NameId, bound: Bound<'_>, below: impl Fn(std::cmp::Ordering) -> bool) -> usize {
        let range = self.0.package_range(name);
        let compare = |place: u32| {
            let version = self.0.package_version(PackageId(range.start + place));
            match bound {
                Bound::Known(bound) => self.0.version_key(version).cmp(&self.0.version_key(bound)),
                Bound::Text(bound) => version::compare(self.0.version(version).as_bytes(), bound.as_bytes()),
            }
        };
        let (mut low, mut high) = (0, range.len() as u32);
        while low < high {
            let middle = u32::midpoint(low, high);
            if below(compare(middle)) { low = middle + 1 } else { high = middle }
        }
        low as usize
    }
}

impl Sets for Masks<'_> {
    type Set = Mask;

    fn constraint(&self, name: NameId, op: RelOp, bound: Bound<'_>) -> Mask {
        let count = self.0.package_range(name).len();
        let first = || self.cut(name, bound, |order| order.is_lt());
        let after = || self.cut(name, bound, |order| order.is_le());
        match op {
            RelOp::Eq => Mask::range(count, first(), after()),
            RelOp::Neq => {
                let mut mask = Mask::all(count);
                mask.subtract(&Mask::range(count, first(), after()));
                mask
            }
            RelOp::Lt => Mask::range(count, 0, first()),
            RelOp::Leq => Mask::range(count, 0, after()),
            RelOp::Gt => Mask::range(count, after(), count),
            RelOp::Geq => Mask::range(count, first(), count),
        }
    }

    fn and(&self, mut a: Mask, b: Mask) -> Mask {
        a.intersect(&b);
        a
    }

    fn or(&self, mut a: Mask, b: Mask) -> Mask {
        a.unite(&b);
        a
    }
}

impl<'i> View<'i> {
    /// The view of a platform. Costs nothing for each package until it is looked at.
    pub fn new(index: &'i Index, platform: &Platform) -> Self {
        let mut names = Vec::new();
        names.resize_with(index.name_count(), OnceLock::new);
        let mut packages = Vec::new();
        packages.resize_with(index.package_count(), OnceLock::new);
        let widest = index.names().map(|name| index.package_range(name).len()).max().unwrap_or(0);
        Self { index, variables: Variables::new(index, platform), widest, names, packages }
    }

    /// The index.
    pub fn index(&self) -> &'i Index {
        self.index
    }

    /// How many versions the name with the most of them has.
    pub fn widest(&self) -> usize {
        self.widest
    }

    /// The variables as a package sees them.
    pub fn environment(&self, package: PackageId, flags: DependencyFlags) -> Environment<'_, 'i> {
        Environment { variables: &self.variables, index: self.index, package, flags }
    }

    /// What the platform allows of a name.
    pub fn name(&self, name: NameId) -> &NameView {
        self.names[name.place()].get_or_init(|| {
            let versions = self.index.versions_of(name);
            let mut view = NameView { available: Mask::empty(versions.len()), avoided: Mask::empty(versions.len()) };
            for (place, package) in versions.enumerate() {
                if self.is_available(package) {
                    view.available.insert(place);
                    let flags = self.index.flags(package);
                    if flags.intersects(OpamFlags::AVOID_VERSION) || flags.intersects(OpamFlags::DEPRECATED) {
                        view.avoided.insert(place);
                    }
                }
            }
            view
        })
    }

    /// Whether a package's `available` is true here.
    pub fn is_available(&self, package: PackageId) -> bool {
        let filter = self.index.available(package);
        filter.is_true() || {
            let environment = self.environment(package, DependencyFlags::default());
            eval_to_bool(filter, &environment, false)
        }
    }

    /// A package's demands when it is nobody's root.
    pub fn package(&self, package: PackageId) -> &Compiled {
        self.packages[package.place()]
            .get_or_init(|| self.compile(package, DependencyFlags::solving(self.index.is_dev(package))))
    }

    /// A package's demands with other dependency flags.
    pub fn compile(&self, package: PackageId, flags: DependencyFlags) -> Compiled {
        let mut compiled = Compiled::default();
        let depends = self.reduce(package, flags, self.index.depends(package), UndefinedBound::False);
        if let Some(depends) = depends {
            let mut requires = Vec::new();
            self.require(depends, &mut requires, &mut compiled.choices);
            compiled.requires = requires;
        }
        // Conflicts do not see the dependency flags (section 3.4).
        let unset = DependencyFlags::default();
        let conflicts = self.reduce(package, unset, self.index.conflicts(package), UndefinedBound::Dropped);
        if let Some(conflicts) = conflicts {
            self.conflict(&conflicts, self.index.package_name(package), &mut compiled.conflicts);
        }
        compiled.classes = self.index.conflict_classes(package).collect();
        compiled
    }

    fn reduce(
        &self,
        package: PackageId,
        flags: DependencyFlags,
        formula: FormulaRef<'_>,
        undefined_bound: UndefinedBound,
    ) -> Option<Reduced<Mask>> {
        if formula.is_empty() {
            return None;
        }
        let environment = self.environment(package, flags);
        let sets = Masks(self.index);
        let reduction =
            Reduction { index: self.index, environment: &environment, default: false, undefined_bound, sets: &sets };
        reduction.formula(formula)
    }

    fn mask(&self, name: NameId, set: Option<Mask>) -> Mask {
        set.unwrap_or_else(|| Mask::all(self.index.package_range(name).len()))
    }

    /// Adds a formula to a conjunction. Several demands on one name become one.
    fn require(&self, formula: Reduced<Mask>, into: &mut Vec<Requirement>, choices: &mut Vec<Choice>) {
        match formula {
            Reduced::Atom(name, set) => {
                let mask = self.mask(name, set);
                let known = into.iter_mut().find_map(|other| match other {
                    Requirement::Package(known, other) if *known == name => Some(other),
                    _ => None,
                });
                match known {
                    Some(known) => known.intersect(&mask),
                    None => into.push(Requirement::Package(name, mask)),
                }
            }
            Reduced::All(parts) => parts.into_iter().for_each(|part| self.require(part, into, choices)),
            Reduced::Any(parts) => match self.one_name(&parts) {
                Some((name, mask)) => self.require(Reduced::Atom(name, Some(mask)), into, choices),
                None => {
                    let branches = self.branches(parts, choices);
                    choices.push(Choice { branches });
                    into.push(Requirement::Choice(choices.len() as u32 - 1));
                }
            },
        }
    }

    /// A disjunction between versions of one package is a mask.
    fn one_name(&self, parts: &[Reduced<Mask>]) -> Option<(NameId, Mask)> {
        let mut result: Option<(NameId, Mask)> = None;
        for part in parts {
            let Reduced::Atom(name, set) = part else { return None };
            let mask = self.mask(*name, set.clone());
            match &mut result {
                None => result = Some((*name, mask)),
                Some((known, united)) if *known == *name => united.unite(&mask),
                Some(_) => return None,
            }
        }
        result
    }

    fn branches(&self, parts: Vec<Reduced<Mask>>, choices: &mut Vec<Choice>) -> Vec<Vec<Requirement>> {
        let mut branches = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                // A disjunction directly in a disjunction: its branches are ours.
                Reduced::Any(inner) => branches.extend(self.branches(inner, choices)),
                part => {
                    let mut branch = Vec::new();
                    self.require(part, &mut branch, choices);
                    branches.push(branch);
                }
            }
        }
        branches
    }

    /// Every atom counts by itself, whatever joins them (rule S5); conflicts with oneself are
    /// ignored (S3), and those with names that do not exist mean nothing (S4).
    fn conflict(&self, formula: &Reduced<Mask>, own: NameId, into: &mut Vec<(NameId, Mask)>) {
        match formula {
            Reduced::Atom(name, set) => {
                let mask = self.mask(*name, set.clone());
                if *name == own || mask.is_empty() {
                    return;
                }
                match into.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) => known.unite(&mask),
                    None => into.push((*name, mask)),
                }
            }
            Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| self.conflict(part, own, into)),
        }
    }
}
