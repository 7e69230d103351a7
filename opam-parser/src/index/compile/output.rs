//! The rows and words of an index, from what counts of all inputs.

use super::input::{Content, FileInput, LayerInput, Pool, UnreadInput};
use super::texts::{Kind, Numbered, Strings, Translation, number};
use super::winners::{Group, Precedence, groups};
use crate::diagnostic::{Diagnostic, Position, Severity};
use crate::index::layout::{FileRow, LayerRow, NONE, PackageRow, ProblemRow, SECTIONS, Section, TopRow, UnreadRow};
use crate::index::packed::MAX_ARGUMENT;
use crate::index::storage::Index;
use crate::name::compare_case;
use crate::source::{Limit, Stamp};
use crate::version;
use rustc_hash::FxHashSet;
use std::cmp::Ordering;

/// There is more of something than the index can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are more than 16 million names, versions or strings in the repository")]
pub struct TooLarge;

fn too_many_versions(name: &str) -> Diagnostic {
    let message = format!("`{name}` {}; this is not one of the newest", Limit::Versions);
    Diagnostic { severity: Severity::Error, message, span: None, hint: None }
}

fn compare_versions(a: &str, b: &str) -> Ordering {
    version::compare(a.as_bytes(), b.as_bytes()).then_with(|| a.cmp(b))
}

fn files<'l, 'a>(layers: &'l [LayerInput<'a>]) -> impl Iterator<Item = &'l FileInput<'a>> {
    layers.iter().flat_map(|layer| layer.tops.iter().flat_map(|top| &top.files))
}

/// Makes the index.
pub(in crate::index) fn compile(
    layers: &[LayerInput<'_>],
    pools: &[Pool<'_>],
    precedence: Precedence,
) -> Result<Index, TooLarge> {
    let groups = groups(layers, precedence);
    let mut translations: Vec<Translation> = pools.iter().map(Translation::new).collect();
    for (_, file) in groups.iter().flat_map(|group| &group.winners) {
        if let Some(Content { body, .. }) = file.content {
            let words = &pools[file.pool as usize].words()[body.available as usize..body.end as usize];
            translations[file.pool as usize].mark(words);
        }
    }
    let kind = Kind { table: |t| &mut t.names, text: |pool, id| pool.name(id), compare: compare_case };
    let names = number(kind, pools, &mut translations, files(layers).map(|file| file.name));
    let kind = Kind { table: |t| &mut t.versions, text: |pool, id| pool.version(id), compare: compare_versions };
    let versions = number(kind, pools, &mut translations, files(layers).map(|file| file.version));

    let mut output = Output::new(pools, &names, &versions, files(layers).count());
    output.packages(&groups, pools, &mut translations);
    let beyond = groups.iter().flat_map(|group| group.beyond.iter().copied()).collect();
    output.files(layers, &beyond);
    output.assemble()
}

/// The sections under construction.
struct Output<'p> {
    names: &'p Numbered<'p>,
    versions: &'p Numbered<'p>,
    strings: Strings<'p>,
    variables: Strings<'p>,
    words: Vec<u32>,
    name_starts: Vec<u32>,
    packages: Vec<PackageRow>,
    /// For each file the package that it describes.
    file_packages: Vec<u32>,
    layers: Vec<LayerRow>,
    tops: Vec<TopRow>,
    files: Vec<FileRow>,
    problems: Vec<ProblemRow>,
    unread: Vec<UnreadRow>,
}

impl<'p> Output<'p> {
    fn new(pools: &[Pool<'_>], names: &'p Numbered<'p>, versions: &'p Numbered<'p>, files: usize) -> Self {
        Self {
            names,
            versions,
            strings: Strings::default(),
            variables: Strings::default(),
            words: Vec::with_capacity(pools.iter().map(|pool| pool.words().len()).sum()),
            name_starts: vec![0; names.sorted.len() + 1],
            packages: vec![],
            file_packages: vec![NONE; files],
            layers: vec![],
            tops: vec![],
            files: vec![],
            problems: vec![],
            unread: vec![],
        }
    }

    fn packages(&mut self, groups: &[Group<'_, '_>], pools: &'p [Pool<'p>], translations: &mut [Translation]) {
        for (file_id, file) in groups.iter().flat_map(|group| &group.winners) {
            let Some(Content { flags, synopsis, body }) = file.content else { continue };
            let pool = &pools[file.pool as usize];
            let translation = &mut translations[file.pool as usize];
            let synopsis = translation.string(synopsis, pool, &mut self.strings);
            let here = self.words.len() as u32;
            for word in &pool.words()[body.available as usize..body.end as usize] {
                self.words.push(translation.word(*word, pool, &mut self.strings, &mut self.variables));
            }
            let moved = |at: u32| at - body.available + here;
            let name = self.names.ids[file.name];
            self.file_packages[*file_id as usize] = self.packages.len() as u32;
            self.name_starts[name as usize + 1] += 1;
            self.packages.push(PackageRow {
                name,
                version: self.versions.ids[file.version],
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
        for place in 1..self.name_starts.len() {
            self.name_starts[place] += self.name_starts[place - 1];
        }
    }

    /// The rows of layers, entries and files; the files in `beyond` are of versions of which their name has too many.
    fn files(&mut self, layers: &'p [LayerInput<'p>], beyond: &FxHashSet<u32>) {
        for layer in layers {
            self.layers.push(LayerRow { first_top: self.tops.len() as u32 });
            for top in &layer.tops {
                let name = self.strings.id(top.name);
                self.tops.push(TopRow { name, first_file: self.files.len() as u32, stamp: top.stamp });
                for UnreadInput { path, reason } in top.unread.iter().copied() {
                    let (path, reason) = (self.strings.id(path), self.strings.id(reason));
                    self.unread.push(UnreadRow { top: (self.tops.len() - 1) as u32, path, reason });
                }
                for file in &top.files {
                    let is_beyond = beyond.contains(&(self.files.len() as u32));
                    let path = file.path.map_or(NONE, |path| self.strings.id(path));
                    self.files.push(FileRow {
                        top: (self.tops.len() - 1) as u32,
                        name: self.names.ids[file.name],
                        version: self.versions.ids[file.version],
                        path,
                        package: self.file_packages[self.files.len()],
                        first_problem: self.problems.len() as u32,
                        // Whether it is set aside depends on other files, so it is looked at again the next time.
                        stamp: if is_beyond { Stamp::default() } else { file.stamp },
                    });
                    if is_beyond {
                        self.tops.iter_mut().last().into_iter().for_each(|top| top.stamp = Stamp::default());
                        let row = self.problem(too_many_versions(file.name), None);
                        self.problems.push(row);
                    }
                    for (found, position) in file.problems.collect() {
                        let row = self.problem(found, position);
                        self.problems.push(row);
                    }
                }
            }
        }
    }

    fn problem(&mut self, found: Diagnostic, position: Option<Position>) -> ProblemRow {
        let span = found.span.filter(|_| position.is_some());
        ProblemRow {
            severity: u32::from(found.severity == Severity::Error),
            message: self.strings.owned_id(found.message),
            hint: found.hint.map_or(NONE, |hint| self.strings.owned_id(hint)),
            start: span.map_or(NONE, |span| span.start),
            end: span.map_or(NONE, |span| span.end),
            line: position.map_or(0, |position| position.line),
            column: position.map_or(0, |position| position.column),
        }
    }

    /// The rank of each version: that of the one before it if the two are equal.
    fn version_keys(&self) -> Vec<u32> {
        let mut keys: Vec<u32> = Vec::with_capacity(self.versions.sorted.len());
        let mut last: Option<(&str, u32)> = None;
        for text in &self.versions.sorted {
            let key = match last {
                None => 0,
                Some((before, key)) if version::compare(before.as_bytes(), text.as_bytes()).is_eq() => key,
                Some((_, key)) => key + 1,
            };
            keys.push(key);
            last = Some((text, key));
        }
        keys
    }

    fn assemble(self) -> Result<Index, TooLarge> {
        let (names, versions, keys) = (self.names.texts(), self.versions.texts(), self.version_keys());
        let (strings, variables) = (&self.strings.texts, &self.variables.texts);
        let largest = [&names, &versions, strings, variables].map(|texts| texts.ends.len());
        if largest.iter().any(|count| *count > MAX_ARGUMENT as usize) {
            return Err(TooLarge);
        }
        let mut sections: [&[u8]; SECTIONS] = [&[]; SECTIONS];
        let mut put = |section: Section, bytes| sections[section as usize] = bytes;
        put(Section::NameEnds, bytemuck::cast_slice(&names.ends));
        put(Section::NameText, &names.text);
        put(Section::VersionEnds, bytemuck::cast_slice(&versions.ends));
        put(Section::VersionText, &versions.text);
        put(Section::StringEnds, bytemuck::cast_slice(&strings.ends));
        put(Section::StringText, &strings.text);
        put(Section::VariableEnds, bytemuck::cast_slice(&variables.ends));
        put(Section::VariableText, &variables.text);
        put(Section::VersionKeys, bytemuck::cast_slice(&keys));
        put(Section::NameStarts, bytemuck::cast_slice(&self.name_starts));
        put(Section::Packages, bytemuck::cast_slice(&self.packages));
        put(Section::Words, bytemuck::cast_slice(&self.words));
        put(Section::Layers, bytemuck::cast_slice(&self.layers));
        put(Section::Tops, bytemuck::cast_slice(&self.tops));
        put(Section::Files, bytemuck::cast_slice(&self.files));
        put(Section::Problems, bytemuck::cast_slice(&self.problems));
        put(Section::Unread, bytemuck::cast_slice(&self.unread));
        Ok(Index::from_sections(sections))
    }
}
