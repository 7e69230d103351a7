//! Which packages two indexes have in common, and which of them say the same to a solver.

use super::ids::{NameId, PackageId, VersionId};
use super::layout::{NONE, PackageRow, Section};
use super::packed::{MAX_ARGUMENT, Op};
use super::record::bits;
use super::storage::Index;
use crate::name::compare_case;
use crate::version;
use std::cmp::Ordering;

/// The packages of an index and those of another one, a later state of the same repository.
#[derive(Clone, Debug)]
pub struct Matching {
    after: Vec<Option<PackageId>>,
    before: Vec<Option<PackageId>>,
    names: Vec<u32>,
    same: Vec<bool>,
}

impl Matching {
    /// Compares all packages of two indexes. Nothing is read but the indexes, so it takes a millisecond
    /// or two.
    pub fn new(before: &Index, after: &Index) -> Self {
        let names = matched(before.name_count(), after.name_count(), |a, b| {
            compare_case(before.name(NameId(a)), after.name(NameId(b)))
        });
        let versions = matched(before.version_count(), after.version_count(), |a, b| {
            compare_versions(before, VersionId(a), after, VersionId(b))
        });
        let mut matching = Self {
            after: vec![None; before.package_count()],
            before: vec![None; after.package_count()],
            names,
            same: vec![false; before.package_count()],
        };
        for name in before.names() {
            let Some(other) = matching.name_after(name) else { continue };
            let (old, new) = (before.package_range(name), after.package_range(other));
            let pairs = matched(old.len(), new.len(), |a, b| {
                let (a, b) = (PackageId(old.start + a), PackageId(new.start + b));
                compare_versions(before, before.package_version(a), after, after.package_version(b))
            });
            let pairs = old.iter().zip(pairs).filter(|(_, found)| *found != NONE);
            for (one, two) in pairs.map(|(one, found)| (one, PackageId(new.start + found))) {
                matching.after[one.place()] = Some(two);
                matching.before[two.place()] = Some(one);
                let compared = Compared { before, after, names: &matching.names, versions: &versions };
                matching.same[one.place()] = compared.is_same(one, two);
            }
        }
        matching
    }

    /// The same package in the later index.
    pub fn after(&self, before: PackageId) -> Option<PackageId> {
        self.after[before.place()]
    }

    /// The same package in the earlier index.
    pub fn before(&self, after: PackageId) -> Option<PackageId> {
        self.before[after.place()]
    }

    /// The same name in the later index, if it exists or is mentioned there.
    pub fn name_after(&self, before: NameId) -> Option<NameId> {
        self.names.get(before.place()).filter(|name| **name != NONE).map(|name| NameId(*name))
    }

    /// Whether the later index has the package, and it says the same to a solver: dependencies,
    /// conflicts, availability and flags.
    pub fn is_same(&self, before: PackageId) -> bool {
        self.same[before.place()]
    }

    /// The packages of the earlier index that the later one does not have, or that say something else
    /// there.
    pub fn changed_before(&self) -> impl Iterator<Item = PackageId> + '_ {
        (0..).map(PackageId).zip(&self.same).filter(|(_, same)| !**same).map(|(package, _)| package)
    }

    /// The packages of the later index that the earlier one does not have, or that say something else
    /// there.
    pub fn changed_after(&self) -> impl Iterator<Item = PackageId> + '_ {
        let changed = |before: &Option<PackageId>| before.is_none_or(|before| !self.same[before.place()]);
        (0..).map(PackageId).zip(&self.before).filter(move |(_, before)| changed(before)).map(|(package, _)| package)
    }
}

/// For each of `a` sorted things its place among `b` others, [`NONE`] where there is no equal one.
fn matched(a: usize, b: usize, compare: impl Fn(u32, u32) -> Ordering) -> Vec<u32> {
    let mut found = vec![NONE; a];
    let (mut one, mut two) = (0, 0);
    while one < a && two < b {
        match compare(one as u32, two as u32) {
            Ordering::Less => one += 1,
            Ordering::Greater => two += 1,
            Ordering::Equal => {
                found[one] = two as u32;
                one += 1;
                two += 1;
            }
        }
    }
    found
}

/// The order of ids of versions, between indexes.
fn compare_versions(a: &Index, one: VersionId, b: &Index, two: VersionId) -> Ordering {
    let (one, two) = (a.version(one), b.version(two));
    if one == two {
        return Ordering::Equal;
    }
    version::compare(one.as_bytes(), two.as_bytes()).then_with(|| one.cmp(two))
}

/// Two indexes, and which names and versions of the one are which of the other.
struct Compared<'i> {
    before: &'i Index,
    after: &'i Index,
    names: &'i [u32],
    versions: &'i [u32],
}

impl Compared<'_> {
    /// Whether a package of the earlier index and one of the later say the same to a solver.
    fn is_same(&self, one: PackageId, two: PackageId) -> bool {
        let (a, b) = (self.before, self.after);
        let (row, other) = (a.row(one), b.row(two));
        if (row.flags ^ other.flags) & bits::SOLVING != 0 || parts(row) != parts(other) {
            return false;
        }
        let mut pairs = words(a, row).iter().zip(words(b, other));
        pairs.all(|(one, two)| {
            one & !MAX_ARGUMENT == two & !MAX_ARGUMENT
                && match (Op::decode(*one), Op::decode(*two)) {
                    (Some(Op::Atom(one)), Some(Op::Atom(two))) => self.names[one.place()] == two.0,
                    (Some(Op::Version(_, one)), Some(Op::Version(_, two))) => self.versions[one.place()] == two.0,
                    (Some(Op::String(one)), Some(Op::String(two))) => a.string(one) == b.string(two),
                    (Some(Op::Variable(one)), Some(Op::Variable(two))) => a.variable(one) == b.variable(two),
                    (one, two) => one == two,
                }
        })
    }
}

/// Where the parts of a package lie within its words.
fn parts(row: &PackageRow) -> [u32; 5] {
    [row.depends, row.depopts, row.conflicts, row.classes, row.end].map(|part| part - row.available)
}

fn words<'i>(index: &'i Index, row: &PackageRow) -> &'i [u32] {
    &index.section(Section::Words)[row.available as usize..row.end as usize]
}
