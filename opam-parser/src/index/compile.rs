//! From records, wherever their texts are, to the bytes of an index.
//!
//! The records come from freshly read batches and from older indexes, so every id is translated on
//! the way. What comes out depends on the records alone, not on where they came from: names and
//! versions are numbered in their order, strings and variables in the order in which the packages
//! mention them.

use super::Index;
use super::layout::{self, FileRow, LayerRow, NONE, PackageRow, ProblemRow, Section, Stamp, TopRow};
use super::packed::{MAX_ARGUMENT, Op};
use super::record::{Batch, Body, ProblemRecord};
use crate::diagnostic::{Diagnostic, Position, Severity};
use crate::name::compare_case;
use crate::version;
use bstr::{BStr, BString};
use indexmap::IndexSet;
use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// Which of several files for the same package version counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// The one of the earlier source, as opam orders its repositories.
    FirstWins,
    /// The one of the later source, as solver-service overlays them.
    LastWins,
}

/// Where a record's texts and words are.
pub(super) enum Pool<'a> {
    Index(&'a Index),
    Batch(&'a Batch),
}

impl Pool<'_> {
    fn words(&self) -> &[u32] {
        match self {
            Pool::Index(index) => index.section(Section::Words),
            Pool::Batch(batch) => &batch.words,
        }
    }

    fn counts(&self) -> [usize; 4] {
        match self {
            Pool::Index(index) => [Section::NameEnds, Section::VersionEnds, Section::StringEnds, Section::VariableEnds]
                .map(|ends| index.section::<u32>(ends).len()),
            Pool::Batch(batch) => {
                let tables = &batch.tables;
                [tables.names.len(), tables.versions.len(), tables.strings.len(), tables.variables.len()]
            }
        }
    }

    fn name(&self, id: u32) -> &str {
        match self {
            Pool::Index(index) => index.name(super::NameId(id)),
            Pool::Batch(batch) => &batch.tables.names[id as usize],
        }
    }

    fn version(&self, id: u32) -> &str {
        match self {
            Pool::Index(index) => index.version(super::VersionId(id)),
            Pool::Batch(batch) => &batch.tables.versions[id as usize],
        }
    }

    fn string(&self, id: u32) -> &BStr {
        match self {
            Pool::Index(index) => index.string(super::StringId(id)),
            Pool::Batch(batch) => batch.tables.strings[id as usize].as_ref(),
        }
    }

    fn variable(&self, id: u32) -> &str {
        match self {
            Pool::Index(index) => index.variable(super::VariableId(id)),
            Pool::Batch(batch) => &batch.tables.variables[id as usize],
        }
    }
}

/// A package's record, with its texts in a pool.
#[derive(Clone, Copy)]
pub(super) struct Content {
    pub(super) flags: u32,
    pub(super) synopsis: u32,
    pub(super) body: Body,
}

/// What is wrong in a file, wherever that is known from.
pub(super) enum Problems<'a> {
    Kept(&'a Index, super::FileId),
    Fresh(&'a [ProblemRecord]),
}

impl Problems<'_> {
    fn collect(&self) -> Vec<(Diagnostic, Option<Position>)> {
        match self {
            Problems::Kept(index, file) => index.problems(*file).collect(),
            Problems::Fresh(records) => records.iter().map(|r| (r.diagnostic.clone(), r.position)).collect(),
        }
    }
}

pub(super) struct FileInput<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// Its directory below the top-level entry, where that is not `NAME.VERSION`.
    pub(super) path: Option<&'a BStr>,
    pub(super) stamp: Stamp,
    pub(super) pool: u32,
    /// `None` for a broken file.
    pub(super) content: Option<Content>,
    pub(super) problems: Problems<'a>,
}

pub(super) struct TopInput<'a> {
    pub(super) name: &'a BStr,
    pub(super) stamp: Stamp,
    pub(super) files: Vec<FileInput<'a>>,
}

pub(super) struct LayerInput<'a> {
    /// Names in this layer have no other versions than those here, as pins demand.
    pub(super) exclusive: bool,
    pub(super) tops: Vec<TopInput<'a>>,
}

/// There is more of something than the index can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are more than 16 million names, versions or strings in the repository")]
pub struct TooLarge;

/// Files of one name that were read, in order of version; of those with equal versions only the one
/// that counts.
struct Group<'l, 'a> {
    name: &'a str,
    winners: Vec<(u32, &'l FileInput<'a>)>,
}

fn groups<'l, 'a>(layers: &'l [LayerInput<'a>], precedence: Precedence) -> Vec<Group<'l, 'a>> {
    let mut places: FxHashMap<&str, usize> = FxHashMap::default();
    let mut groups: Vec<(bool, Group<'l, 'a>)> = Vec::new();
    let mut file_id = 0;
    let mut layer_start = 0;
    let mut order: Vec<(u32, u32, &'l FileInput<'a>)> = Vec::new();
    for layer in layers {
        for file in layer.tops.iter().flat_map(|top| &top.files) {
            if file.content.is_some() {
                order.push((layer_start, file_id, file));
            }
            file_id += 1;
        }
        layer_start = file_id;
    }
    if precedence == Precedence::FirstWins {
        // Within a layer the last one wins (rules N5 and R4), between layers the first: putting
        // the first layer last lets "later replaces earlier" decide everywhere.
        order.sort_by_key(|(layer, file, _)| (std::cmp::Reverse(*layer), *file));
    }
    let exclusive: Vec<&str> = layers
        .iter()
        .filter(|layer| layer.exclusive)
        .flat_map(|layer| layer.tops.iter().flat_map(|top| top.files.iter().map(|file| file.name)))
        .collect();
    let exclusive_layer = |id: u32| {
        let mut start = 0;
        layers.iter().any(|layer| {
            let end = start + layer.tops.iter().map(|top| top.files.len() as u32).sum::<u32>();
            let inside = (start..end).contains(&id);
            start = end;
            inside && layer.exclusive
        })
    };
    for (_, id, file) in order {
        if exclusive.contains(&file.name) && !exclusive_layer(id) {
            continue;
        }
        let place = *places.entry(file.name).or_insert_with(|| {
            groups.push((true, Group { name: file.name, winners: vec![] }));
            groups.len() - 1
        });
        let (sorted, group) = &mut groups[place];
        if let Some((_, last)) = group.winners.last() {
            *sorted &= version::compare(last.version.as_bytes(), file.version.as_bytes()).is_lt();
        }
        group.winners.push((id, file));
    }
    let mut groups: Vec<_> = groups
        .into_par_iter()
        .map(|(sorted, mut group)| {
            if !sorted {
                let compare =
                    |a: &FileInput<'_>, b: &FileInput<'_>| version::compare(a.version.as_bytes(), b.version.as_bytes());
                // Stable: of equal versions the last stays last, and is the one to keep.
                group.winners.sort_by(|a, b| compare(a.1, b.1));
                group.winners.reverse();
                group.winners.dedup_by(|a, b| compare(a.1, b.1).is_eq());
                group.winners.reverse();
            }
            group
        })
        .collect();
    groups.par_sort_unstable_by(|a, b| compare_case(a.name, b.name));
    groups
}

/// From the ids of one pool to those of the index.
struct Translation {
    names: Vec<u32>,
    versions: Vec<u32>,
    strings: Vec<u32>,
    variables: Vec<u32>,
}

#[derive(Default)]
struct Texts {
    ends: Vec<u32>,
    text: Vec<u8>,
}

impl Texts {
    fn push(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.ends.push(self.text.len() as u32);
    }
}

const UNUSED: u32 = u32::MAX;
const USED: u32 = u32::MAX - 1;

/// Marks the names and versions that a body mentions.
fn mark(words: &[u32], translation: &mut Translation) {
    for word in words {
        match Op::decode(*word) {
            Some(Op::Atom(name)) => translation.names[name.place()] = USED,
            Some(Op::Version(_, version)) => translation.versions[version.place()] = USED,
            _ => {}
        }
    }
}

/// Numbers the used texts of all pools in the given order.
fn number<'p>(
    pools: &'p [Pool<'p>],
    translations: &mut [Translation],
    table: fn(&mut Translation) -> &mut Vec<u32>,
    text: fn(&'p Pool<'p>, u32) -> &'p str,
    extra: impl Iterator<Item = &'p str>,
    compare: fn(&str, &str) -> std::cmp::Ordering,
) -> (Vec<&'p str>, FxHashMap<&'p str, u32>) {
    let mut set: IndexSet<&'p str, FxBuildHasher> = IndexSet::default();
    for (pool, translation) in pools.iter().zip(translations.iter_mut()) {
        for (id, slot) in table(translation).iter_mut().enumerate() {
            if *slot == USED {
                *slot = set.insert_full(text(pool, id as u32)).0 as u32;
            }
        }
    }
    set.extend(extra);
    let mut order: Vec<u32> = (0..set.len() as u32).collect();
    order.par_sort_by(|a, b| compare(set[*a as usize], set[*b as usize]));
    let mut rank = vec![0; order.len()];
    for (place, id) in order.iter().enumerate() {
        rank[*id as usize] = place as u32;
    }
    for slot in translations.iter_mut().flat_map(table) {
        if *slot != UNUSED {
            *slot = rank[*slot as usize];
        }
    }
    let sorted: Vec<&str> = order.iter().map(|id| set[*id as usize]).collect();
    let ids = sorted.iter().enumerate().map(|(id, text)| (*text, id as u32)).collect();
    (sorted, ids)
}

fn compare_versions(a: &str, b: &str) -> std::cmp::Ordering {
    version::compare(a.as_bytes(), b.as_bytes()).then_with(|| a.cmp(b))
}

/// Strings and variables, numbered as they come.
#[derive(Default)]
struct Strings<'p> {
    texts: Texts,
    known: FxHashMap<&'p [u8], u32>,
    owned: FxHashMap<BString, u32>,
}

impl<'p> Strings<'p> {
    fn id(&mut self, text: &'p [u8]) -> u32 {
        *self.known.entry(text).or_insert_with(|| {
            self.texts.push(text);
            (self.texts.ends.len() - 1) as u32
        })
    }

    /// For the few texts that no pool holds; their strings are not shared with the others.
    fn owned_id(&mut self, text: String) -> u32 {
        *self.owned.entry(text.into()).or_insert_with_key(|text| {
            self.texts.push(text);
            (self.texts.ends.len() - 1) as u32
        })
    }
}

/// Makes the index.
pub(super) fn compile(
    layers: &[LayerInput<'_>],
    pools: &[Pool<'_>],
    precedence: Precedence,
) -> Result<Index, TooLarge> {
    let groups = groups(layers, precedence);
    let mut translations: Vec<Translation> = pools
        .iter()
        .map(|pool| {
            let [names, versions, strings, variables] = pool.counts().map(|count| vec![UNUSED; count]);
            Translation { names, versions, strings, variables }
        })
        .collect();
    for (_, file) in groups.iter().flat_map(|group| &group.winners) {
        let Some(Content { body, .. }) = file.content else { continue };
        let words = &pools[file.pool as usize].words()[body.available as usize..body.end as usize];
        mark(words, &mut translations[file.pool as usize]);
    }
    let files = || layers.iter().flat_map(|layer| layer.tops.iter().flat_map(|top| &top.files));
    let (names, name_ids) = number(
        pools,
        &mut translations,
        |t| &mut t.names,
        |pool, id| pool.name(id),
        files().map(|file| file.name),
        compare_case,
    );
    let (versions, version_ids) = number(
        pools,
        &mut translations,
        |t| &mut t.versions,
        |pool, id| pool.version(id),
        files().map(|file| file.version),
        compare_versions,
    );

    let (mut strings, mut variables) = (Strings::default(), Strings::default());
    let mut words: Vec<u32> = Vec::with_capacity(pools.iter().map(|pool| pool.words().len()).max().unwrap_or(0) + 1024);
    let mut packages: Vec<PackageRow> = Vec::new();
    let mut file_packages = vec![NONE; files().count()];
    let mut name_starts = vec![0_u32; names.len() + 1];

    for group in &groups {
        for (file_id, file) in &group.winners {
            let Some(Content { flags, synopsis, body }) = file.content else { continue };
            let pool = &pools[file.pool as usize];
            let translation = &mut translations[file.pool as usize];
            let synopsis = once(&mut translation.strings[synopsis as usize], || strings.id(pool.string(synopsis)));
            let here = words.len() as u32;
            for &word in &pool.words()[body.available as usize..body.end as usize] {
                let argument = match Op::decode(word) {
                    Some(Op::Atom(name)) => translation.names[name.place()],
                    Some(Op::Version(_, version)) => translation.versions[version.place()],
                    Some(Op::String(id)) => {
                        once(&mut translation.strings[id.place()], || strings.id(pool.string(id.0)))
                    }
                    Some(Op::Variable(id)) => {
                        once(&mut translation.variables[id.place()], || variables.id(pool.variable(id.0).as_bytes()))
                    }
                    _ => word & MAX_ARGUMENT,
                };
                words.push(word & !MAX_ARGUMENT | argument);
            }
            let moved = |at: u32| at - body.available + here;
            let name = name_ids[file.name];
            file_packages[*file_id as usize] = packages.len() as u32;
            name_starts[name as usize + 1] += 1;
            packages.push(PackageRow {
                name,
                version: version_ids[file.version],
                flags,
                file: *file_id,
                synopsis,
                available: here,
                depends: moved(body.depends),
                depopts: moved(body.depopts),
                conflicts: moved(body.conflicts),
                classes: moved(body.classes),
                end: moved(body.end),
            });
        }
    }
    for place in 0..names.len() {
        name_starts[place + 1] += name_starts[place];
    }

    let mut layer_rows = Vec::new();
    let mut top_rows: Vec<TopRow> = Vec::new();
    let mut file_rows: Vec<FileRow> = Vec::new();
    let mut problem_rows = Vec::new();
    for layer in layers {
        layer_rows.push(LayerRow { first_top: top_rows.len() as u32 });
        for top in &layer.tops {
            let name = strings.id(top.name);
            top_rows.push(TopRow { name, first_file: file_rows.len() as u32, stamp: top.stamp });
            for file in &top.files {
                let path = file.path.map_or(NONE, |path| strings.id(path));
                file_rows.push(FileRow {
                    top: (top_rows.len() - 1) as u32,
                    name: name_ids[file.name],
                    version: version_ids[file.version],
                    path,
                    package: file_packages[file_rows.len()],
                    first_problem: problem_rows.len() as u32,
                    stamp: file.stamp,
                });
                for (found, position) in file.problems.collect() {
                    problem_rows.push(problem(&mut strings, found, position));
                }
            }
        }
    }

    let largest = [names.len(), versions.len(), strings.texts.ends.len(), variables.texts.ends.len()];
    if largest.iter().any(|count| *count > MAX_ARGUMENT as usize) {
        return Err(TooLarge);
    }
    let mut name_texts = Texts::default();
    names.iter().for_each(|name| name_texts.push(name.as_bytes()));
    let mut version_texts = Texts::default();
    let mut keys: Vec<u32> = Vec::with_capacity(versions.len());
    for (place, text) in versions.iter().enumerate() {
        let same = place > 0 && version::compare(versions[place - 1].as_bytes(), text.as_bytes()).is_eq();
        let last = keys.last().copied().unwrap_or(0);
        keys.push(if same || place == 0 { last } else { last + 1 });
        version_texts.push(text.as_bytes());
    }

    let mut sections: [&[u8]; layout::SECTIONS] = [&[]; layout::SECTIONS];
    let mut put = |section: Section, bytes| sections[section as usize] = bytes;
    put(Section::NameEnds, bytemuck::cast_slice(&name_texts.ends));
    put(Section::NameText, &name_texts.text);
    put(Section::VersionEnds, bytemuck::cast_slice(&version_texts.ends));
    put(Section::VersionText, &version_texts.text);
    put(Section::StringEnds, bytemuck::cast_slice(&strings.texts.ends));
    put(Section::StringText, &strings.texts.text);
    put(Section::VariableEnds, bytemuck::cast_slice(&variables.texts.ends));
    put(Section::VariableText, &variables.texts.text);
    put(Section::VersionKeys, bytemuck::cast_slice(&keys));
    put(Section::NameStarts, bytemuck::cast_slice(&name_starts));
    put(Section::Packages, bytemuck::cast_slice(&packages));
    put(Section::Words, bytemuck::cast_slice(&words));
    put(Section::Layers, bytemuck::cast_slice(&layer_rows));
    put(Section::Tops, bytemuck::cast_slice(&top_rows));
    put(Section::Files, bytemuck::cast_slice(&file_rows));
    put(Section::Problems, bytemuck::cast_slice(&problem_rows));
    Ok(Index::from_own(layout::assemble(sections)))
}

/// The translation in `slot`, made the first time.
fn once(slot: &mut u32, make: impl FnOnce() -> u32) -> u32 {
    if *slot == UNUSED {
        *slot = make();
    }
    *slot
}

fn problem(strings: &mut Strings<'_>, found: Diagnostic, position: Option<Position>) -> ProblemRow {
    let span = found.span.filter(|_| position.is_some());
    ProblemRow {
        severity: u32::from(found.severity == Severity::Error),
        message: strings.owned_id(found.message),
        hint: found.hint.map_or(NONE, |hint| strings.owned_id(hint)),
        start: span.map_or(NONE, |span| span.start),
        end: span.map_or(NONE, |span| span.end),
        line: position.map_or(0, |position| position.line),
        column: position.map_or(0, |position| position.column),
    }
}
