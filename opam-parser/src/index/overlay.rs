//! Several indexes in one: repositories over repositories, pins over all.

use super::compile::{Content, FileInput, LayerInput, Pool, Precedence, Problems, TooLarge, TopInput, compile};
use super::earlier::kept_file;
use super::ids::{FileId, NameId, StringId};
use super::layout::{LayerRow, NONE, Section, TopRow};
use super::record::Batch;
use super::storage::Index;
use crate::file::OpamFile;
use crate::name::PackageName;
use crate::source::Stamp;
use crate::version::Version;
use bstr::{BStr, ByteSlice};

/// An index of which only the packages of some names are wanted.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The index.
    pub index: &'a Index,
    /// By the places of its names, which are wanted; `None`: all.
    pub names: Option<&'a [bool]>,
}

impl<'a> Part<'a> {
    fn wants(&self, file: u32) -> bool {
        self.names.is_none_or(|names| names[self.index.file_name(FileId(file)).place()])
    }

    /// The entries below `packages/` that hold something wanted, each with its stamp: as long as these are
    /// the same, so is what is wanted.
    pub fn stamps(self) -> impl Iterator<Item = (&'a BStr, Stamp)> {
        self.tops().map(|(top, stamp, _)| (top, stamp))
    }

    /// The entries below `packages/` that hold something wanted, each with its stamp and all its files.
    pub fn tops(self) -> impl Iterator<Item = (&'a BStr, Stamp, impl ExactSizeIterator<Item = FileId> + Clone)> {
        let tops: &[TopRow] = self.index.section(Section::Tops);
        tops.iter().enumerate().filter_map(move |(top, row)| {
            let files = self.index.top_files(top);
            let is_wanted = files.clone().any(|file| self.wants(file));
            is_wanted.then(|| (self.index.string(StringId(row.name)), row.stamp, files.map(FileId)))
        })
    }
}

impl Index {
    /// The entries below `packages/` without any opam file, each with its stamp.
    pub fn empty_tops(&self) -> impl Iterator<Item = (&BStr, Stamp)> {
        let tops: &[TopRow] = self.section(Section::Tops);
        let empty = tops.iter().enumerate().filter(|(top, _)| self.top_files(*top).is_empty());
        empty.map(|(_, row)| (self.string(StringId(row.name)), row.stamp))
    }

    /// Lays repositories over each other. For each package version the first or the last repository
    /// that has it counts; versions that only one has stay visible (rule R8).
    ///
    /// # Errors
    /// When together they are too large.
    pub fn overlay(indexes: &[&Index], precedence: Precedence) -> Result<Self, TooLarge> {
        let pools: Vec<Pool<'_>> = indexes.iter().map(|index| Pool::Index(index)).collect();
        let parts: Vec<Part<'_>> = indexes.iter().map(|index| Part { index, names: None }).collect();
        compile(&layers(&parts), &pools, precedence)
    }

    /// The same files as solver-service reads a repository (rule C8): the directory directly below `packages/` is a package's
    /// name, and what follows the first dot in the name of the directory below that is its version. Files that lie
    /// elsewhere do not exist. `None` if that makes no difference, as in every repository that opam's tools made.
    ///
    /// # Errors
    /// When it is too large.
    pub fn by_directory(&self) -> Result<Option<Self>, TooLarge> {
        let tops: &[TopRow] = self.section(Section::Tops);
        let is_in_place = |top: &BStr, file: u32| {
            let row = self.file_row(FileId(file));
            row.path == NONE && top == self.name(NameId(row.name))
        };
        let is_in_place = |(place, row): (usize, &TopRow)| {
            let top = self.string(StringId(row.name));
            self.top_files(place).all(|file| is_in_place(top, file))
        };
        if tops.iter().enumerate().all(is_in_place) {
            return Ok(None);
        }
        let directories: Vec<Vec<String>> = (0..tops.len())
            .map(|top| self.top_files(top).map(|file| self.file_directory(self.file_row(FileId(file)))).collect())
            .collect();
        let mut layers = layers(&[Part { index: self, names: None }]);
        for (top, directories) in layers.iter_mut().flat_map(|layer| &mut layer.tops).zip(&directories) {
            let Some(name) = top.name.to_str().ok().and_then(|name| PackageName::new(name).map(|_| name)) else {
                top.files.clear();
                continue;
            };
            let files = std::mem::take(&mut top.files).into_iter().zip(directories);
            top.files = files.filter_map(|(file, directory)| in_directory(file, name, directory)).collect();
        }
        compile(&layers, &[Pool::Index(self)], Precedence::FirstWins).map(Some)
    }

    /// This index, but each given package has exactly the given version, with the given opam file
    /// (the manual, "Pinning").
    ///
    /// # Errors
    /// When together they are too large.
    pub fn with_pins(&self, pins: &[(PackageName, Version, OpamFile)]) -> Result<Self, TooLarge> {
        Self::from_parts(&[Part { index: self, names: None }], pins)
    }

    /// Parts of indexes over each other, the first on top, and pins over all. Asking something that concerns few
    /// names costs what these names cost. Layer 0 is that of the pins.
    ///
    /// # Errors
    /// When together they are too large.
    pub fn from_parts(parts: &[Part<'_>], pins: &[(PackageName, Version, OpamFile)]) -> Result<Self, TooLarge> {
        let mut batch = Batch::default();
        let records: Vec<_> = pins.iter().map(|(_, _, file)| batch.record(Some(file), vec![], b"")).collect();
        let tops = pins.iter().zip(&records).map(|((name, version, _), record)| TopInput {
            name: name.as_str().into(),
            stamp: Default::default(),
            files: vec![FileInput {
                name: name.as_str(),
                version: version.as_str(),
                path: Some("".into()),
                stamp: Default::default(),
                pool: parts.len() as u32,
                content: record.package.as_ref().map(|p| Content {
                    flags: p.flags,
                    synopsis: p.synopsis,
                    body: p.body,
                }),
                problems: Problems::Fresh(&[]),
            }],
            unread: vec![],
        });
        let mut all = vec![LayerInput { exclusive: true, tops: tops.collect() }];
        all.extend(layers(parts));
        let mut pools: Vec<Pool<'_>> = parts.iter().map(|part| Pool::Index(part.index)).collect();
        pools.push(Pool::Batch(&batch));
        compile(&all, &pools, Precedence::FirstWins)
    }
}

/// A file with the name and the version that its directories give it; `None` if they give it none.
fn in_directory<'a>(file: FileInput<'a>, name: &'a str, directory: &'a str) -> Option<FileInput<'a>> {
    let (_, version) = directory.split_once('.').filter(|_| !directory.contains('/'))?;
    Version::new(version)?;
    let is_usual = directory.strip_prefix(name).is_some_and(|rest| rest.strip_prefix('.') == Some(version));
    Some(FileInput { name, version, path: (!is_usual).then(|| directory.into()), ..file })
}

/// The layers of indexes, one after the other; files refer to pools in the indexes' order.
fn layers<'a>(parts: &[Part<'a>]) -> Vec<LayerInput<'a>> {
    let mut layers = Vec::new();
    for (pool, part) in parts.iter().copied().enumerate() {
        let index = part.index;
        let tops: &[TopRow] = index.section(Section::Tops);
        let rows: &[LayerRow] = index.section(Section::Layers);
        for (place, row) in rows.iter().enumerate() {
            let end = rows.get(place + 1).map_or(tops.len(), |next| next.first_top as usize);
            let tops = (row.first_top as usize..end).map(|top| TopInput {
                name: index.string(StringId(tops[top].name)),
                stamp: tops[top].stamp,
                files: index
                    .top_files(top)
                    .filter(|file| part.wants(*file))
                    .map(|file| FileInput { pool: pool as u32, ..kept_file(index, FileId(file)) })
                    .collect(),
                unread: if part.names.is_none() { index.top_unread(top) } else { vec![] },
            });
            let wanted = |top: &TopInput<'_>| part.names.is_none() || !top.files.is_empty();
            layers.push(LayerInput { exclusive: false, tops: tops.filter(wanted).collect() });
        }
    }
    layers
}
