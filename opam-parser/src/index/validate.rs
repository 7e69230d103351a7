//! Checks of an index that came from outside: everything that reading it relies on.
//!
//! Afterwards no accessor can go out of bounds, recurse without end or stumble over invalid UTF-8,
//! whatever the file held. A file of the right form with another repository's content is kept out
//! by the cache (keys, owner and permissions), not here.

use super::corrupt::CorruptIndex;
use super::ids::{NameId, PackageId};
use super::layout::{FileRow, LayerRow, NONE, PackageRow, ProblemRow, Section, TopRow, UnreadRow};
use super::packed::Op;
use super::storage::Index;
use crate::syntax::MAX_DEPTH;

type Check = Result<(), CorruptIndex>;

fn require(condition: bool, otherwise: &'static str) -> Check {
    if condition { Ok(()) } else { Err(CorruptIndex(otherwise)) }
}

/// How many there are of what words refer to.
struct Counts {
    names: u32,
    versions: u32,
    strings: u32,
    variables: u32,
}

pub(super) fn validate(index: &Index) -> Check {
    let sized = |section: Section, size: usize| {
        require(index.layout.range(section).len().is_multiple_of(size), "a section has an odd size")
    };
    for ends in [
        Section::NameEnds,
        Section::VersionEnds,
        Section::StringEnds,
        Section::VariableEnds,
        Section::VersionKeys,
        Section::NameStarts,
        Section::Words,
    ] {
        sized(ends, 4)?;
    }
    sized(Section::Packages, size_of::<PackageRow>())?;
    sized(Section::Layers, size_of::<LayerRow>())?;
    sized(Section::Tops, size_of::<TopRow>())?;
    sized(Section::Files, size_of::<FileRow>())?;
    sized(Section::Problems, size_of::<ProblemRow>())?;
    sized(Section::Unread, size_of::<UnreadRow>())?;
    let counts = Counts {
        names: texts(index, Section::NameEnds, Section::NameText, true)?,
        versions: texts(index, Section::VersionEnds, Section::VersionText, true)?,
        strings: texts(index, Section::StringEnds, Section::StringText, false)?,
        variables: texts(index, Section::VariableEnds, Section::VariableText, true)?,
    };
    tables(index, &counts)?;
    packages(index, &counts)
}

/// Ends must rise within the text, and where a `str` is handed out, cut it at characters.
fn texts(index: &Index, ends: Section, text: Section, utf8: bool) -> Result<u32, CorruptIndex> {
    let text = &index.as_bytes()[index.layout.range(text)];
    let ends: &[u32] = index.section(ends);
    let mut start = 0;
    for &end in ends {
        require(start <= end && end as usize <= text.len(), "a text lies outside its section")?;
        start = end;
    }
    if utf8 {
        // Names, versions and variables are ASCII by their own rules, so any cut is one between
        // characters.
        require(text.is_ascii(), "a name has a character that names do not have")?;
    }
    Ok(ends.len() as u32)
}

fn rising(values: impl Iterator<Item = u32>, limit: usize) -> Check {
    let mut last = 0;
    for value in values {
        require(last <= value && value as usize <= limit, "a table is out of order")?;
        last = value;
    }
    Ok(())
}

fn tables(index: &Index, counts: &Counts) -> Check {
    let keys: &[u32] = index.section(Section::VersionKeys);
    require(keys.len() == counts.versions as usize, "versions without ranks")?;
    rising(keys.iter().copied(), keys.len())?;
    let packages: &[PackageRow] = index.section(Section::Packages);
    let starts: &[u32] = index.section(Section::NameStarts);
    require(starts.len() == counts.names as usize + 1, "names without packages")?;
    require(starts.first() == Some(&0) && starts.last() == Some(&(packages.len() as u32)), "names without packages")?;
    rising(starts.iter().copied(), packages.len())?;
    let layers: &[LayerRow] = index.section(Section::Layers);
    let tops: &[TopRow] = index.section(Section::Tops);
    let files: &[FileRow] = index.section(Section::Files);
    let problems: &[ProblemRow] = index.section(Section::Problems);
    require(layers.first().is_none_or(|layer| layer.first_top == 0), "a layer without its start")?;
    rising(layers.iter().map(|layer| layer.first_top), tops.len())?;
    rising(tops.iter().map(|top| top.first_file), files.len())?;
    rising(files.iter().map(|file| file.first_problem), problems.len())?;
    let unread: &[UnreadRow] = index.section(Section::Unread);
    rising(unread.iter().map(|row| row.top), tops.len())?;
    let string = |id: u32| id < counts.strings;
    let optional = |id: u32| id == NONE || string(id);
    let sound = tops.iter().all(|row| string(row.name))
        && problems.iter().all(|row| string(row.message) && optional(row.hint))
        && unread.iter().all(|row| (row.top as usize) < tops.len() && string(row.path) && string(row.reason))
        && files.iter().all(|row| {
            (row.top as usize) < tops.len()
                && row.name < counts.names
                && row.version < counts.versions
                && optional(row.path)
                && (row.package == NONE || (row.package as usize) < packages.len())
        });
    require(sound, "a reference to nothing")
}

fn packages(index: &Index, counts: &Counts) -> Check {
    let words: &[u32] = index.section(Section::Words);
    let keys: &[u32] = index.section(Section::VersionKeys);
    let files = index.section::<FileRow>(Section::Files).len();
    let mut last: Option<&PackageRow> = None;
    for (place, row) in index.section::<PackageRow>(Section::Packages).iter().enumerate() {
        let refers = row.name < counts.names
            && row.version < counts.versions
            && row.synopsis < counts.strings
            && (row.file as usize) < files;
        require(refers, "a package that refers to nothing")?;
        let range = index.package_range(NameId(row.name));
        require(range.contains(PackageId(place as u32)), "a package outside its name")?;
        let ordered =
            last.is_none_or(|last| (last.name, keys[last.version as usize]) < (row.name, keys[row.version as usize]));
        require(ordered, "packages out of order")?;
        last = Some(row);
        let bounds = [row.available, row.depends, row.depopts, row.conflicts, row.classes, row.end];
        let rises = bounds.windows(2).all(|pair| pair[0] <= pair[1]) && row.end as usize <= words.len();
        require(rises, "a package's words lie outside")?;
        let part = |from: u32, to: u32| &words[from as usize..to as usize];
        require(filter(part(row.available, row.depends), counts, 0)?.is_empty(), "more than one filter")?;
        for formula_words in
            [part(row.depends, row.depopts), part(row.depopts, row.conflicts), part(row.conflicts, row.classes)]
        {
            if !formula_words.is_empty() {
                require(formula(formula_words, counts, 0)?.is_empty(), "more than one formula")?;
            }
        }
        let is_class = |word: &u32| matches!(Op::decode(*word), Some(Op::Atom(name)) if name.0 < counts.names);
        require(part(row.classes, row.end).iter().all(is_class), "a conflict class that is none")?;
    }
    Ok(())
}

type Rest<'w> = Result<&'w [u32], CorruptIndex>;

const SHORT: CorruptIndex = CorruptIndex("an expression is cut off");
const WRONG: CorruptIndex = CorruptIndex("an expression of the wrong kind");

fn take(words: &[u32]) -> Result<(Op, &[u32]), CorruptIndex> {
    let (first, rest) = words.split_first().ok_or(SHORT)?;
    Ok((Op::decode(*first).ok_or(CorruptIndex("an unknown operation"))?, rest))
}

/// Applies `operand` until the `len` words of an enclosed sequence are used up.
fn enclosed<'w>(words: &'w [u32], len: usize, mut operand: impl FnMut(&'w [u32]) -> Rest<'w>) -> Rest<'w> {
    let (mut inner, rest) = words.split_at_checked(len).ok_or(SHORT)?;
    while !inner.is_empty() {
        inner = operand(inner)?;
    }
    Ok(rest)
}

fn deeper(depth: u32) -> Result<u32, CorruptIndex> {
    // Conditions sit in formulas and filters in conditions, each as deep as the parser allows.
    if depth > 4 * MAX_DEPTH { Err(CorruptIndex("an expression nests too deeply")) } else { Ok(depth + 1) }
}

fn formula<'w>(words: &'w [u32], counts: &Counts, depth: u32) -> Rest<'w> {
    let depth = deeper(depth)?;
    let (op, rest) = take(words)?;
    match op {
        Op::Atom(name) if name.0 < counts.names => condition(rest, counts, depth),
        Op::All(len) | Op::Any(len) => enclosed(rest, len, |words| formula(words, counts, depth)),
        _ => Err(WRONG),
    }
}

fn condition<'w>(words: &'w [u32], counts: &Counts, depth: u32) -> Rest<'w> {
    let depth = deeper(depth)?;
    let (op, rest) = take(words)?;
    match op {
        Op::Unconstrained => Ok(rest),
        Op::Version(_, version) if version.0 < counts.versions => Ok(rest),
        Op::Expanded(_) | Op::Filter => filter(rest, counts, depth),
        Op::All(len) | Op::Any(len) => enclosed(rest, len, |words| condition(words, counts, depth)),
        _ => Err(WRONG),
    }
}

fn filter<'w>(words: &'w [u32], counts: &Counts, depth: u32) -> Rest<'w> {
    let depth = deeper(depth)?;
    let (op, rest) = take(words)?;
    match op {
        Op::Bool(_) => Ok(rest),
        Op::String(id) if id.0 < counts.strings => Ok(rest),
        Op::Variable(id) if id.0 < counts.variables => Ok(rest),
        Op::All(len) | Op::Any(len) => enclosed(rest, len, |words| filter(words, counts, depth)),
        Op::Relation(_, len) => {
            let mut operands = 0;
            let rest = enclosed(rest, len, |words| {
                operands += 1;
                filter(words, counts, depth)
            })?;
            require(operands == 2, "a comparison without two sides")?;
            Ok(rest)
        }
        Op::Not | Op::Defined => filter(rest, counts, depth),
        _ => Err(WRONG),
    }
}
