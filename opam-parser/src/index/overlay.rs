//! Several indexes in one: repositories over repositories, pins over all.

use super::build::kept_file;
use super::compile::{Content, FileInput, LayerInput, Pool, Precedence, Problems, TooLarge, TopInput, compile};
use super::layout::{LayerRow, Section, TopRow};
use super::record::Batch;
use super::{FileId, Index, StringId};
use crate::file::OpamFile;
use crate::name::PackageName;
use crate::version::Version;

/// Lays repositories over each other. For each package version the first or the last repository
/// that has it counts; versions that only one has stay visible (rule R8).
///
/// # Errors
/// When together they are too large.
pub fn overlay(indexes: &[&Index], precedence: Precedence) -> Result<Index, TooLarge> {
    let pools: Vec<Pool<'_>> = indexes.iter().map(|index| Pool::Index(index)).collect();
    compile(&layers(indexes), &pools, precedence)
}

/// An index in which each given package has exactly the given version, with the given opam file
/// (the manual, "Pinning").
///
/// # Errors
/// When together they are too large.
pub fn with_pins(index: &Index, pins: &[(PackageName, Version, OpamFile)]) -> Result<Index, TooLarge> {
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
            pool: 1,
            content: record.package.as_ref().map(|p| Content { flags: p.flags, synopsis: p.synopsis, body: p.body }),
            problems: Problems::Fresh(&[]),
        }],
    });
    let pinned = LayerInput { exclusive: true, tops: tops.collect() };
    let mut all = vec![pinned];
    all.extend(layers(&[index]));
    compile(&all, &[Pool::Index(index), Pool::Batch(&batch)], Precedence::FirstWins)
}

/// The layers of indexes, one after the other; files refer to pools in the indexes' order.
fn layers<'a>(indexes: &[&'a Index]) -> Vec<LayerInput<'a>> {
    let mut layers = Vec::new();
    for (pool, index) in indexes.iter().copied().enumerate() {
        let tops: &[TopRow] = index.section(Section::Tops);
        let rows: &[LayerRow] = index.section(Section::Layers);
        for (place, row) in rows.iter().enumerate() {
            let end = rows.get(place + 1).map_or(tops.len(), |next| next.first_top as usize);
            let tops = (row.first_top as usize..end).map(|top| TopInput {
                name: index.string(StringId(tops[top].name)),
                stamp: tops[top].stamp,
                files: index
                    .top_files(top)
                    .map(|file| FileInput { pool: pool as u32, ..kept_file(index, FileId(file)) })
                    .collect(),
            });
            layers.push(LayerInput { exclusive: false, tops: tops.collect() });
        }
    }
    layers
}
