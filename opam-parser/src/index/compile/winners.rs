//! Of several files for the same package version, the one that counts.

use super::input::{FileInput, LayerInput};
use crate::name::compare_case;
use crate::source::Limit;
use crate::version;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;

/// Which of several files for the same package version counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Precedence {
    /// The one of the earlier source, as opam orders its repositories.
    #[default]
    FirstWins,
    /// The one of the later source, as solver-service overlays them.
    LastWins,
}

/// Files of one name that were read, in order of version; of those with equal versions only the one
/// that counts.
pub(super) struct Group<'l, 'a> {
    pub(super) name: &'a str,
    /// Each with its place among all files.
    pub(super) winners: Vec<(u32, &'l FileInput<'a>)>,
    /// The places of the files of its oldest versions, if it has too many.
    pub(super) beyond: Vec<u32>,
}

/// A file among all files of all layers.
struct Candidate<'l, 'a> {
    layer: usize,
    id: u32,
    file: &'l FileInput<'a>,
}

/// The packages, in opam's order of names and versions.
pub(super) fn groups<'l, 'a>(layers: &'l [LayerInput<'a>], precedence: Precedence) -> Vec<Group<'l, 'a>> {
    let mut places: FxHashMap<&str, usize> = FxHashMap::default();
    let mut groups: Vec<(bool, Group<'l, 'a>)> = Vec::new();
    for Candidate { id, file, .. } in candidates(layers, precedence) {
        let place = *places.entry(file.name).or_insert_with(|| {
            groups.push((true, Group { name: file.name, winners: vec![], beyond: vec![] }));
            groups.len() - 1
        });
        let (sorted, group) = &mut groups[place];
        if let Some((_, last)) = group.winners.last() {
            *sorted &= version::compare(last.version.as_bytes(), file.version.as_bytes()).is_lt();
        }
        group.winners.push((id, file));
    }
    let finish = |(sorted, mut group): (bool, Group<'l, 'a>)| {
        // Directories come in byte order, which mostly is the order of versions.
        if !sorted {
            let compare =
                |a: &FileInput<'_>, b: &FileInput<'_>| version::compare(a.version.as_bytes(), b.version.as_bytes());
            // Stable: of equal versions the last stays last, and is the one to keep.
            group.winners.sort_by(|a, b| compare(a.1, b.1));
            group.winners.reverse();
            group.winners.dedup_by(|a, b| compare(a.1, b.1).is_eq());
            group.winners.reverse();
        }
        let beyond = group.winners.len().saturating_sub(Limit::Versions.most() as usize);
        group.beyond = group.winners.drain(..beyond).map(|(id, _)| id).collect();
        group
    };
    let mut groups: Vec<Group<'l, 'a>> = groups.into_par_iter().map(finish).collect();
    groups.par_sort_unstable_by(|a, b| compare_case(a.name, b.name));
    groups
}

/// The files that were read, ordered so that a later one replaces an earlier one of its version.
fn candidates<'l, 'a>(layers: &'l [LayerInput<'a>], precedence: Precedence) -> Vec<Candidate<'l, 'a>> {
    let files = |layer: &'l LayerInput<'a>| layer.tops.iter().flat_map(|top| &top.files);
    let exclusive: FxHashSet<&str> =
        layers.iter().filter(|layer| layer.exclusive).flat_map(|layer| files(layer).map(|file| file.name)).collect();
    let all = layers.iter().enumerate().flat_map(|(place, layer)| files(layer).map(move |file| (place, file)));
    let mut candidates: Vec<Candidate<'l, 'a>> = all
        .enumerate()
        .map(|(id, (layer, file))| Candidate { layer, id: id as u32, file })
        .filter(|Candidate { layer, file, .. }| {
            file.content.is_some() && (layers[*layer].exclusive || !exclusive.contains(file.name))
        })
        .collect();
    if precedence == Precedence::FirstWins {
        // Within a layer the last one wins (rules N5 and R4), between layers the first: putting
        // the first layer last lets "later replaces earlier" decide everywhere.
        candidates.sort_by_key(|candidate| (Reverse(candidate.layer), candidate.id));
    }
    candidates
}
