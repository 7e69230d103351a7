//! The demands of opam files: their formulas with filters evaluated and constraints as masks.

use super::amend::LiftedMasks;
use super::{Choice, Compiled, Impossible, Masks, Requirement, Versions, View};
use crate::environment::DependencyFlags;
use crate::explain::{Text, Texts};
use crate::mask::Mask;
use crate::reduce::{Reduced, Reduction, Sets, UndefinedBound};
use opam_parser::index::{FormulaNode, FormulaRef, NameId, PackageId};

impl View<'_> {
    /// Every package that a package wants to be installed before it: all atoms of its dependencies
    /// without `post` (rule S11).
    pub fn before(&self, package: PackageId) -> &Versions {
        self.before[package.place()].get_or_init(|| self.compile_before(package, self.flags(package, None)))
    }

    /// The same with other dependency flags.
    pub fn compile_before(&self, package: PackageId, flags: DependencyFlags) -> Versions {
        let flags = DependencyFlags { post: Some(false), ..flags };
        let mut atoms = Vec::new();
        let sets = self.lifted_masks(package);
        let depends = self.reduce_to(&sets, package, flags, self.index.depends(package), self.undefined_bound());
        if let Some(depends) = depends {
            self.atoms(&depends, &mut atoms);
        }
        atoms.into_boxed_slice()
    }

    fn atoms(&self, formula: &Reduced<Mask>, into: &mut Vec<(NameId, Mask)>) {
        match formula {
            Reduced::Atom(name, set) => into.push((*name, self.mask(*name, set.clone()))),
            Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| self.atoms(part, into)),
        }
    }

    /// Constraints as masks, without those that are lifted.
    fn lifted_masks(&self, package: PackageId) -> LiftedMasks<'_, '_> {
        LiftedMasks { index: self.index, lifted: self.amendments.lifted(package) }
    }

    fn undefined_bound(&self) -> UndefinedBound {
        match self.rules.undefined_bound_is_false {
            true => UndefinedBound::False,
            false => UndefinedBound::Dropped,
        }
    }

    /// A package's demands with other dependency flags.
    pub fn compile(&self, package: PackageId, flags: DependencyFlags) -> Compiled {
        let mut compiled = Compiled::default();
        let own = self.index.package_name(package);
        let place = (package.0 - self.index.package_range(own).start) as usize;
        let depends = self.index.depends(package);
        if !depends.is_empty() {
            let environment = self.environment(package, flags);
            let sets = self.lifted_masks(package);
            let reduction = Reduction {
                index: self.index,
                environment: &environment,
                default: false,
                undefined_bound: self.undefined_bound(),
                sets: &sets,
            };
            let mut requires = Vec::new();
            self.require_formula(&reduction, depends, &mut requires, &mut compiled.choices);
            requires.retain(|requirement| match requirement {
                // It is there itself, so what it requires of itself is known now.
                Requirement::Package(name, mask) if *name == own => {
                    if !mask.contains(place) {
                        compiled.impossible = Some(Impossible::RequiresAnotherVersion);
                    }
                    false
                }
                _ => true,
            });
            compiled.requires = requires;
        }
        let seen = self.conflict_flags(flags);
        let conflicts = self.reduce(package, seen, self.index.conflicts(package), UndefinedBound::Dropped);
        if let Some(conflicts) = conflicts {
            self.conflict(&conflicts, &mut compiled.conflicts);
            compiled.conflicts.retain(|(name, mask)| {
                let itself = *name == own;
                if itself && self.rules.self_conflict_excludes && mask.contains(place) {
                    compiled.impossible = Some(Impossible::ConflictsWithItself);
                }
                !itself
            });
        }
        compiled.classes = self.index.conflict_classes(package).collect();
        for by in self.amendments.lifted(package) {
            let (on, only) = self.one_version(*by);
            let own = compiled.conflicts.iter_mut().filter(|(name, _)| *name == on);
            own.for_each(|(_, mask)| mask.subtract(&only));
            compiled.conflicts.retain(|(_, mask)| !mask.is_empty());
        }
        compiled.conflicts.extend(self.amendments.apart(package).iter().map(|other| self.one_version(*other)));
        compiled
    }

    /// A package as a name and a mask.
    fn one_version(&self, package: PackageId) -> (NameId, Mask) {
        let name = self.index.package_name(package);
        let range = self.index.package_range(name);
        let place = (package.0 - range.start) as usize;
        (name, Mask::range(range.len(), place, place + 1))
    }

    fn reduce(
        &self,
        package: PackageId,
        flags: DependencyFlags,
        formula: FormulaRef<'_>,
        undefined_bound: UndefinedBound,
    ) -> Option<Reduced<Mask>> {
        self.reduce_to(&Masks(self.index), package, flags, formula, undefined_bound)
    }

    fn reduce_to<S: Sets>(
        &self,
        sets: &S,
        package: PackageId,
        flags: DependencyFlags,
        formula: FormulaRef<'_>,
        undefined_bound: UndefinedBound,
    ) -> Option<Reduced<S::Set>> {
        if formula.is_empty() {
            return None;
        }
        let environment = self.environment(package, flags);
        let reduction =
            Reduction { index: self.index, environment: &environment, default: false, undefined_bound, sets };
        reduction.formula(formula)
    }

    /// A package's dependencies with their filters evaluated and constraints as they are written.
    pub(crate) fn written_depends(
        &self,
        package: PackageId,
        root: Option<crate::problem::Flags>,
    ) -> Option<Reduced<Text>> {
        let flags = self.flags(package, root);
        self.reduce_to(&Texts(self.index), package, flags, self.index.depends(package), self.undefined_bound())
    }

    /// The same of its conflicts.
    pub(crate) fn written_conflicts(
        &self,
        package: PackageId,
        root: Option<crate::problem::Flags>,
    ) -> Option<Reduced<Text>> {
        let flags = self.conflict_flags(self.flags(package, root));
        self.reduce_to(&Texts(self.index), package, flags, self.index.conflicts(package), UndefinedBound::Dropped)
    }

    /// opam's conflicts do not see the dependency flags (section 3.4).
    fn conflict_flags(&self, flags: DependencyFlags) -> DependencyFlags {
        if self.rules.flags_in_conflicts { flags } else { DependencyFlags::default() }
    }

    fn mask(&self, name: NameId, set: Option<Mask>) -> Mask {
        set.unwrap_or_else(|| Mask::all(self.index.package_range(name).len()))
    }

    /// Adds a formula, of which each conjunct is evaluated by itself.
    fn require_formula(
        &self,
        reduction: &Reduction<'_, '_, LiftedMasks<'_, '_>>,
        formula: FormulaRef<'_>,
        into: &mut Vec<Requirement>,
        choices: &mut Vec<Choice>,
    ) {
        match formula.node() {
            FormulaNode::All(parts) => parts.for_each(|part| self.require_formula(reduction, part, into, choices)),
            _ => {
                if let Some(reduced) = reduction.formula(formula) {
                    self.require(reduced, into, choices);
                }
            }
        }
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
            Reduced::Any(parts) => match self.one_name(&parts).filter(|_| self.rules.one_name_by_version) {
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

    /// Every atom counts by itself, whatever joins them (rule S5); those with names that do not exist
    /// mean nothing (S4).
    fn conflict(&self, formula: &Reduced<Mask>, into: &mut Vec<(NameId, Mask)>) {
        match formula {
            Reduced::Atom(name, set) => {
                let mask = self.mask(*name, set.clone());
                if mask.is_empty() {
                    return;
                }
                match into.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) => known.unite(&mask),
                    None => into.push((*name, mask)),
                }
            }
            Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| self.conflict(part, into)),
        }
    }
}
