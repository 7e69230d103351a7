//! Compiles opam files: their formulas with filters evaluated and constraints as masks.

use super::compiled::{Choice, Compiled, Impossible, Requirement, Versions};
use super::masks::Masks;
use super::overrides::LiftedMasks;
use super::reader::Reader;
use crate::environment::DependencyFlags;
use crate::mask::Mask;
use crate::reduce::{Reduced, Reduction};
use opam_parser::index::{FormulaNode, FormulaRef, Index, NameId, PackageId};

/// Every package that a package wants to be installed before it, with these dependency flags: all atoms of
/// its dependencies without `post` (rule S11).
pub(super) fn compile_before(reader: &Reader<'_>, package: PackageId, flags: DependencyFlags) -> Versions {
    let flags = DependencyFlags { post: Some(false), ..flags };
    let mut atoms = Vec::new();
    if let Some(depends) = reader.depends(package, flags, &reader.lifted_masks(package)) {
        add_atoms(reader.index, &depends, &mut atoms);
    }
    atoms.into_boxed_slice()
}

fn add_atoms(index: &Index, formula: &Reduced<Mask>, into: &mut Vec<(NameId, Mask)>) {
    match formula {
        Reduced::Atom(name, set) => into.push((*name, mask_of(index, *name, set.clone()))),
        Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| add_atoms(index, part, into)),
    }
}

/// What a package requires and conflicts with, with these dependency flags.
pub(super) fn compile(reader: &Reader<'_>, package: PackageId, flags: DependencyFlags) -> Compiled {
    let mut compiled = Compiled::default();
    add_dependencies(&mut compiled, reader, package, flags);
    add_conflicts(&mut compiled, reader, package, flags);
    compiled.classes = reader.index.conflict_classes(package).collect();
    for by in reader.overrides.lifted(package) {
        let (on, only) = one_version(reader.index, *by);
        let own = compiled.conflicts.iter_mut().filter(|(name, _)| *name == on);
        own.for_each(|(_, mask)| mask.subtract(&only));
        compiled.conflicts.retain(|(_, mask)| !mask.is_empty());
    }
    let apart = reader.overrides.apart(package).iter();
    compiled.conflicts.extend(apart.map(|other| one_version(reader.index, *other)));
    compiled
}

fn add_dependencies(compiled: &mut Compiled, reader: &Reader<'_>, package: PackageId, flags: DependencyFlags) {
    let depends = reader.index.depends(package);
    if depends.is_empty() {
        return;
    }
    let environment = reader.environment(package, flags);
    let sets = reader.lifted_masks(package);
    let reduction = Reduction {
        index: reader.index,
        environment: &environment,
        default: false,
        undefined_bound: reader.undefined_bound(),
        sets: &sets,
    };
    let choices = Vec::new();
    let mut requirements =
        Requirements { index: reader.index, one_name_by_version: reader.rules.one_name_by_version, choices };
    let mut requires = Vec::new();
    requirements.add_formula(&reduction, depends, &mut requires);
    let (own, position) = (reader.index.package_name(package), reader.index.version_position(package));
    requires.retain(|requirement| match requirement {
        // It is there itself, so what it requires of itself is known now.
        Requirement::Package(name, mask) if *name == own => {
            if !mask.contains(position) {
                compiled.impossible = Some(Impossible::RequiresAnotherVersion);
            }
            false
        }
        _ => true,
    });
    compiled.requires = requires;
    compiled.choices = requirements.choices;
}

fn add_conflicts(compiled: &mut Compiled, reader: &Reader<'_>, package: PackageId, flags: DependencyFlags) {
    let Some(conflicts) = reader.conflicts(package, flags, &Masks(reader.index)) else { return };
    add_conflict(reader.index, &conflicts, &mut compiled.conflicts);
    let (own, position) = (reader.index.package_name(package), reader.index.version_position(package));
    compiled.conflicts.retain(|(name, mask)| {
        let itself = *name == own;
        if itself && reader.rules.self_conflict_excludes && mask.contains(position) {
            compiled.impossible = Some(Impossible::ConflictsWithItself);
        }
        !itself
    });
}

/// Every atom counts by itself, whatever joins them (rule S5); those with names that do not exist mean
/// nothing (rule S4).
fn add_conflict(index: &Index, formula: &Reduced<Mask>, into: &mut Vec<(NameId, Mask)>) {
    match formula {
        Reduced::Atom(name, set) => {
            let mask = mask_of(index, *name, set.clone());
            if mask.is_empty() {
                return;
            }
            match into.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.unite(&mask),
                None => into.push((*name, mask)),
            }
        }
        Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| add_conflict(index, part, into)),
    }
}

/// A package as a name and a mask.
fn one_version(index: &Index, package: PackageId) -> (NameId, Mask) {
    let name = index.package_name(package);
    let position = index.version_position(package);
    (name, Mask::range(index.package_range(name).len(), position, position + 1))
}

fn mask_of(index: &Index, name: NameId, set: Option<Mask>) -> Mask {
    set.unwrap_or_else(|| Mask::all(index.package_range(name).len()))
}

/// Makes requirements of formulas.
struct Requirements<'i> {
    index: &'i Index,
    /// A disjunction between versions of one package is a mask (rule O2).
    one_name_by_version: bool,
    /// The disjunctions so far.
    choices: Vec<Choice>,
}

impl Requirements<'_> {
    /// Adds a formula, of which each conjunct is evaluated by itself.
    fn add_formula(
        &mut self,
        reduction: &Reduction<'_, '_, LiftedMasks<'_, '_>>,
        formula: FormulaRef<'_>,
        into: &mut Vec<Requirement>,
    ) {
        match formula.node() {
            FormulaNode::All(parts) => parts.for_each(|part| self.add_formula(reduction, part, into)),
            _ => {
                if let Some(reduced) = reduction.formula(formula) {
                    self.add(reduced, into);
                }
            }
        }
    }

    /// Adds a formula to a conjunction. Several requirements of one name become one.
    fn add(&mut self, formula: Reduced<Mask>, into: &mut Vec<Requirement>) {
        match formula {
            Reduced::Atom(name, set) => {
                let mask = mask_of(self.index, name, set);
                let known = into.iter_mut().find_map(|other| match other {
                    Requirement::Package(known, other) if *known == name => Some(other),
                    _ => None,
                });
                match known {
                    Some(known) => known.intersect(&mask),
                    None => into.push(Requirement::Package(name, mask)),
                }
            }
            Reduced::All(parts) => parts.into_iter().for_each(|part| self.add(part, into)),
            Reduced::Any(parts) => match self.one_name(&parts).filter(|_| self.one_name_by_version) {
                Some((name, mask)) => self.add(Reduced::Atom(name, Some(mask)), into),
                None => {
                    let branches = self.branches(parts);
                    self.choices.push(Choice { branches });
                    into.push(Requirement::Choice(self.choices.len() as u32 - 1));
                }
            },
        }
    }

    /// The name that all parts of a disjunction are about, with its versions.
    fn one_name(&self, parts: &[Reduced<Mask>]) -> Option<(NameId, Mask)> {
        let mut result: Option<(NameId, Mask)> = None;
        for part in parts {
            let Reduced::Atom(name, set) = part else { return None };
            let mask = mask_of(self.index, *name, set.clone());
            match &mut result {
                None => result = Some((*name, mask)),
                Some((known, united)) if *known == *name => united.unite(&mask),
                Some(_) => return None,
            }
        }
        result
    }

    fn branches(&mut self, parts: Vec<Reduced<Mask>>) -> Vec<Vec<Requirement>> {
        let mut branches = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                // A disjunction directly in a disjunction: its branches are ours.
                Reduced::Any(inner) => branches.extend(self.branches(inner)),
                part => {
                    let mut branch = Vec::new();
                    self.add(part, &mut branch);
                    branches.push(branch);
                }
            }
        }
        branches
    }
}
