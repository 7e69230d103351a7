//! Makes clauses of the facts of a derivation.

use super::clause::{Clause, Formula, Key, Kind};
use super::derivation::Source;
use crate::mask::Mask;
use crate::question::{PlatformPackage, PlatformQuestion, Question};
use crate::view::{Compiled, Requirement};
use opam_parser::index::{NameId, PackageId};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// What the facts say. Facts that say the same of several versions are one clause.
pub(super) fn clauses(
    question: &Question<'_, '_>,
    cycles: &[Vec<PlatformPackage>],
    sources: FxHashSet<Source>,
) -> Vec<Clause> {
    let mut sources: Vec<Source> = sources.into_iter().collect();
    sources.sort_unstable();
    let platform = &question.platforms[0];
    let maker = Maker { question, platform, cycles, classes: members_of_classes(platform, &sources) };
    let mut clauses: Vec<Clause> = Vec::new();
    for source in sources {
        add(&mut clauses, maker.clause(source));
    }
    clauses
}

/// The names that are members of each class, as far as facts say so.
fn members_of_classes(platform: &PlatformQuestion<'_, '_>, sources: &[Source]) -> BTreeMap<NameId, Vec<NameId>> {
    let mut classes: BTreeMap<NameId, Vec<NameId>> = BTreeMap::new();
    for source in sources {
        if let Source::Class(package, place) = source {
            let class = platform.compiled(*package).classes[*place as usize];
            let name = platform.view.index().package_name(*package);
            let members = classes.entry(class).or_default();
            if !members.contains(&name) {
                members.push(name);
            }
        }
    }
    classes
}

/// Adds a clause; if one says the same of other versions, to that one.
fn add(clauses: &mut Vec<Clause>, clause: Clause) {
    // These exclude the subject itself.
    let excludes = matches!(clause.kind, Kind::Unavailable | Kind::Impossible);
    let name = |clause: &Clause| clause.subject.as_ref().map(|(name, _)| *name);
    let same = |known: &&mut Clause| {
        known.kind == clause.kind
            && name(known) == name(&clause)
            && (excludes || known.subject.is_some() && known.formula == clause.formula)
    };
    let Some(known) = clauses.iter_mut().find(same) else { return clauses.push(clause) };
    if let (Some((_, mask)), Some((_, more))) = (&mut known.subject, &clause.subject) {
        mask.unite(more);
    }
    if let (Formula::Atom(_, mask), Formula::Atom(_, rest)) = (&mut known.formula, &clause.formula)
        && excludes
    {
        mask.intersect(rest);
    }
    known.sources.extend(clause.sources);
}

struct Maker<'m, 'q, 'i> {
    question: &'m Question<'q, 'i>,
    platform: &'m PlatformQuestion<'q, 'i>,
    cycles: &'m [Vec<PlatformPackage>],
    classes: BTreeMap<NameId, Vec<NameId>>,
}

impl Maker<'_, '_, '_> {
    fn clause(&self, source: Source) -> Clause {
        let (kind, subject, formula) = match source {
            Source::Root(place) => {
                let root = &self.platform.roots[place as usize];
                (Kind::Root, None, Formula::Atom(Key::Name(root.name), root.mask.clone()))
            }
            Source::Requires(package, place) => {
                let compiled = self.platform.compiled(package);
                let formula = self.requirement(package, compiled, &compiled.requires[place as usize]);
                (Kind::Requires, Some(self.subject(package)), formula)
            }
            Source::Conflicts(package, place) => {
                let (name, mask) = &self.platform.compiled(package).conflicts[place as usize];
                let rest = mask.complement(self.versions(*name));
                (Kind::Conflicts, Some(self.subject(package)), Formula::Atom(Key::Name(*name), rest))
            }
            Source::Class(package, place) => {
                let class = self.platform.compiled(package).classes[place as usize];
                let formula = Formula::Atom(Key::Class(class), self.member(class, package));
                (Kind::Class, Some(self.subject(package)), formula)
            }
            Source::Impossible(package) => (Kind::Impossible, Some(self.subject(package)), self.without(package)),
            Source::Unavailable(package) => (Kind::Unavailable, Some(self.subject(package)), self.without(package)),
            Source::Cycle(cycle) => {
                let packages = self.cycles[cycle as usize].iter().map(|(_, package)| self.without(*package));
                (Kind::Cycle, None, Formula::Any(packages.collect()))
            }
        };
        Clause { subject, formula, kind, sources: vec![source] }
    }

    fn versions(&self, name: NameId) -> usize {
        self.platform.view.index().package_range(name).len()
    }

    /// A package as a name and one of its versions.
    fn subject(&self, package: PackageId) -> (NameId, Mask) {
        let index = self.platform.view.index();
        let name = index.package_name(package);
        let mut mask = Mask::empty(self.versions(name));
        mask.insert(index.version_position(package));
        (name, mask)
    }

    /// That a package is not there.
    fn without(&self, package: PackageId) -> Formula {
        let (name, mask) = self.subject(package);
        Formula::Atom(Key::Name(name), mask.complement(self.versions(name)))
    }

    /// The value of a class that is the package's name.
    fn member(&self, class: NameId, package: PackageId) -> Mask {
        let members = &self.classes[&class];
        let mut own = Mask::empty(members.len());
        let name = self.platform.view.index().package_name(package);
        if let Some(member) = members.iter().position(|member| *member == name) {
            own.insert(member);
        }
        own
    }

    fn requirement(&self, package: PackageId, compiled: &Compiled, requirement: &Requirement) -> Formula {
        match requirement {
            Requirement::Package(name, mask) => Formula::Atom(Key::Name(*name), mask.clone()),
            Requirement::Choice(choice) => {
                let branch = |branch: &Vec<Requirement>| match branch.as_slice() {
                    [only] => self.requirement(package, compiled, only),
                    parts => Formula::All(parts.iter().map(|part| self.requirement(package, compiled, part)).collect()),
                };
                let branches = &compiled.choices[*choice as usize].branches;
                match self.question.branches.get(&(package, *choice)) {
                    Some(chosen) => branch(&branches[*chosen]),
                    None => Formula::Any(branches.iter().map(branch).collect()),
                }
            }
        }
    }
}
