//! One opam file as the index keeps it, with texts in tables of its own batch.

use super::packed::{op, relop_code, word};
use crate::diagnostic::{Diagnostic, Position};
use crate::file::OpamFile;
use crate::filter::Filter;
use crate::formula::{Condition, Dependency, Formula, Operand};
use bstr::{BStr, BString};
use compact_str::CompactString;
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

type Set<T> = IndexSet<T, FxBuildHasher>;

/// The texts that a batch of records mentions, each once.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) names: Set<CompactString>,
    pub(super) versions: Set<CompactString>,
    pub(super) strings: Set<BString>,
    pub(super) variables: Set<CompactString>,
}

impl Tables {
    pub(super) fn name(&mut self, text: &str) -> u32 {
        intern(&mut self.names, text)
    }

    pub(super) fn version(&mut self, text: &str) -> u32 {
        intern(&mut self.versions, text)
    }

    fn variable(&mut self, text: &str) -> u32 {
        intern(&mut self.variables, text)
    }

    pub(super) fn string(&mut self, text: &BStr) -> u32 {
        match self.strings.get_index_of(text) {
            Some(place) => place as u32,
            None => self.strings.insert_full(text.to_owned()).0 as u32,
        }
    }
}

fn intern(set: &mut Set<CompactString>, text: &str) -> u32 {
    match set.get_index_of(text) {
        Some(place) => place as u32,
        None => set.insert_full(text.into()).0 as u32,
    }
}

/// Bits of a package beyond [`crate::file::Flags`].
pub(super) mod bits {
    /// [`crate::file::OpamFile::is_dev`]
    pub(crate) const DEV: u32 = 1 << 16;
    /// There is no `url` section: a companion file could supply it (rule R6).
    pub(crate) const NO_URL: u32 = 1 << 17;
    /// There is neither synopsis nor description: a companion file could supply them.
    pub(crate) const NO_DESCR: u32 = 1 << 18;
    /// [`crate::file::OpamFile::has_tests`]
    pub(crate) const HAS_TESTS: u32 = 1 << 19;
    /// [`crate::file::OpamFile::abandoned`]
    pub(crate) const ABANDONED: u32 = 1 << 20;
    /// [`crate::file::OpamFile::is_of_later_format`]
    pub(crate) const LATER_FORMAT: u32 = 1 << 21;
    /// What has a part in solving: the flags of the opam file, and [`DEV`].
    pub(crate) const SOLVING: u32 = DEV | (DEV - 1);
}

/// Where the parts of a package's body begin in the words of its batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Body {
    pub(super) available: u32,
    pub(super) depends: u32,
    pub(super) depopts: u32,
    pub(super) conflicts: u32,
    pub(super) classes: u32,
    pub(super) end: u32,
}

/// What a file gave.
pub(super) struct Record {
    /// `None` for a file that is set aside.
    pub(super) package: Option<PackageRecord>,
    pub(super) problems: Vec<ProblemRecord>,
}

pub(super) struct PackageRecord {
    pub(super) flags: u32,
    pub(super) synopsis: u32,
    pub(super) body: Body,
}

pub(super) struct ProblemRecord {
    pub(super) diagnostic: Diagnostic,
    pub(super) position: Option<Position>,
}

/// A batch of records under construction.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) tables: Tables,
    pub(super) words: Vec<u32>,
}

impl Batch {
    /// Encodes a file. `source` is its text, for the positions of diagnostics.
    pub(super) fn record(&mut self, file: Option<&OpamFile>, diagnostics: Vec<Diagnostic>, source: &[u8]) -> Record {
        let problem = |diagnostic: Diagnostic| ProblemRecord { position: diagnostic.position(source), diagnostic };
        Record {
            package: file.map(|file| self.package(file)),
            problems: diagnostics.into_iter().map(problem).collect(),
        }
    }

    fn package(&mut self, file: &OpamFile) -> PackageRecord {
        let mut flags = file.flags.bits();
        let mut set = |bit: u32, on: bool| flags |= if on { bit } else { 0 };
        set(bits::DEV, file.is_dev());
        set(bits::NO_URL, file.url.is_none());
        set(bits::NO_DESCR, file.synopsis.is_none() && file.description.is_none());
        set(bits::HAS_TESTS, file.has_tests);
        set(bits::ABANDONED, file.abandoned);
        set(bits::LATER_FORMAT, file.is_of_later_format());
        let here = |batch: &Self| batch.words.len() as u32;
        let mut body = Body { available: here(self), ..Body::default() };
        self.filter(&file.available);
        body.depends = here(self);
        self.formula(&file.depends);
        body.depopts = here(self);
        self.formula(&file.depopts);
        body.conflicts = here(self);
        self.formula(&file.conflicts);
        body.classes = here(self);
        for class in &file.conflict_class {
            let name = self.tables.name(class.as_str());
            self.words.push(word(op::ATOM, name));
        }
        body.end = here(self);
        let synopsis = file.synopsis.as_ref().map(|text| text.as_ref()).unwrap_or_default();
        PackageRecord { flags, synopsis: self.tables.string(synopsis), body }
    }

    /// Writes an operation whose argument is the number of words that `operands` writes.
    fn enclosed(&mut self, operation: u32, operands: impl FnOnce(&mut Self)) {
        let at = self.words.len();
        self.words.push(0);
        operands(self);
        self.words[at] = word(operation, (self.words.len() - at - 1) as u32);
    }

    fn formula(&mut self, formula: &Formula<Dependency>) {
        match formula {
            Formula::Empty => {}
            Formula::Atom(dependency) => {
                let name = self.tables.name(dependency.name.as_str());
                self.words.push(word(op::ATOM, name));
                self.condition(&dependency.condition);
            }
            Formula::And(parts) => self.enclosed(op::ALL, |batch| parts.iter().for_each(|part| batch.formula(part))),
            Formula::Or(parts) => self.enclosed(op::ANY, |batch| parts.iter().for_each(|part| batch.formula(part))),
        }
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Any => self.words.push(word(op::UNCONSTRAINED, 0)),
            Condition::Constraint(relop, Operand::Version(version)) => {
                let version = self.tables.version(version.as_str());
                self.words.push(word(op::VERSION + relop_code(*relop), version));
            }
            Condition::Constraint(relop, Operand::Expanded(filter)) => {
                self.words.push(word(op::EXPANDED + relop_code(*relop), 0));
                self.filter(filter);
            }
            Condition::Filter(filter) => {
                self.words.push(word(op::FILTER, 0));
                self.filter(filter);
            }
            Condition::And(parts) => {
                self.enclosed(op::ALL, |batch| parts.iter().for_each(|part| batch.condition(part)));
            }
            Condition::Or(parts) => {
                self.enclosed(op::ANY, |batch| parts.iter().for_each(|part| batch.condition(part)));
            }
        }
    }

    fn filter(&mut self, filter: &Filter) {
        match filter {
            Filter::Bool(b) => self.words.push(word(if *b { op::TRUE } else { op::FALSE }, 0)),
            Filter::String(text) => {
                let id = self.tables.string(text.as_ref());
                self.words.push(word(op::STRING, id));
            }
            Filter::Ident(ident) => {
                let id = match &ident.packages {
                    None => self.tables.variable(&ident.name),
                    Some(packages) => self.tables.variable(&format!("{packages}:{}", ident.name)),
                };
                self.words.push(word(op::VARIABLE, id));
            }
            Filter::RelOp(relop, sides) => self.enclosed(op::RELATION + relop_code(*relop), |batch| {
                sides.iter().for_each(|side| batch.filter(side));
            }),
            Filter::And(parts) => self.enclosed(op::ALL, |batch| parts.iter().for_each(|part| batch.filter(part))),
            Filter::Or(parts) => self.enclosed(op::ANY, |batch| parts.iter().for_each(|part| batch.filter(part))),
            Filter::Not(inner) => {
                self.words.push(word(op::NOT, 0));
                self.filter(inner);
            }
            Filter::Defined(inner) => {
                self.words.push(word(op::DEFINED, 0));
                self.filter(inner);
            }
        }
    }
}
