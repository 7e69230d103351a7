//! What an index is compiled from: records, and where their texts are.

use crate::diagnostic::{Diagnostic, Position};
use crate::index::ids::{FileId, NameId, StringId, VariableId, VersionId};
use crate::index::layout::Section;
use crate::index::record::{Batch, Body, ProblemRecord};
use crate::index::storage::Index;
use crate::source::Stamp;
use bstr::BStr;

/// Where a record's texts and words are.
pub(in crate::index) enum Pool<'a> {
    Index(&'a Index),
    Batch(&'a Batch),
}

impl Pool<'_> {
    pub(super) fn words(&self) -> &[u32] {
        match self {
            Pool::Index(index) => index.section(Section::Words),
            Pool::Batch(batch) => &batch.words,
        }
    }

    pub(super) fn counts(&self) -> [usize; 4] {
        match self {
            Pool::Index(index) => [Section::NameEnds, Section::VersionEnds, Section::StringEnds, Section::VariableEnds]
                .map(|ends| index.section::<u32>(ends).len()),
            Pool::Batch(batch) => {
                let tables = &batch.tables;
                [tables.names.len(), tables.versions.len(), tables.strings.len(), tables.variables.len()]
            }
        }
    }

    pub(super) fn name(&self, id: u32) -> &str {
        match self {
            Pool::Index(index) => index.name(NameId(id)),
            Pool::Batch(batch) => &batch.tables.names[id as usize],
        }
    }

    pub(super) fn version(&self, id: u32) -> &str {
        match self {
            Pool::Index(index) => index.version(VersionId(id)),
            Pool::Batch(batch) => &batch.tables.versions[id as usize],
        }
    }

    pub(super) fn string(&self, id: u32) -> &BStr {
        match self {
            Pool::Index(index) => index.string(StringId(id)),
            Pool::Batch(batch) => batch.tables.strings[id as usize].as_ref(),
        }
    }

    pub(super) fn variable(&self, id: u32) -> &str {
        match self {
            Pool::Index(index) => index.variable(VariableId(id)),
            Pool::Batch(batch) => &batch.tables.variables[id as usize],
        }
    }
}

/// A package's record, with its texts in a pool.
#[derive(Clone, Copy)]
pub(in crate::index) struct Content {
    pub(in crate::index) flags: u32,
    pub(in crate::index) synopsis: u32,
    pub(in crate::index) body: Body,
}

/// What is wrong in a file, wherever that is known from.
pub(in crate::index) enum Problems<'a> {
    Kept(&'a Index, FileId),
    Fresh(&'a [ProblemRecord]),
}

impl Problems<'_> {
    pub(super) fn collect(&self) -> Vec<(Diagnostic, Option<Position>)> {
        match self {
            Problems::Kept(index, file) => index.problems(*file).collect(),
            Problems::Fresh(records) => records.iter().map(|r| (r.diagnostic.clone(), r.position)).collect(),
        }
    }
}

pub(in crate::index) struct FileInput<'a> {
    pub(in crate::index) name: &'a str,
    pub(in crate::index) version: &'a str,
    /// Its directory below the top-level entry, where that is not `NAME.VERSION`.
    pub(in crate::index) path: Option<&'a BStr>,
    pub(in crate::index) stamp: Stamp,
    pub(in crate::index) pool: u32,
    /// `None` for a broken file.
    pub(in crate::index) content: Option<Content>,
    pub(in crate::index) problems: Problems<'a>,
}

pub(in crate::index) struct TopInput<'a> {
    pub(in crate::index) name: &'a BStr,
    pub(in crate::index) stamp: Stamp,
    pub(in crate::index) files: Vec<FileInput<'a>>,
    pub(in crate::index) unread: Vec<UnreadInput<'a>>,
}

/// A path that could not be read, and why.
#[derive(Clone, Copy)]
pub(in crate::index) struct UnreadInput<'a> {
    pub(in crate::index) path: &'a BStr,
    pub(in crate::index) reason: &'a BStr,
}

pub(in crate::index) struct LayerInput<'a> {
    /// Names in this layer have no other versions than those here, as pins demand.
    pub(in crate::index) exclusive: bool,
    pub(in crate::index) tops: Vec<TopInput<'a>>,
}
