//! The bytes of an index: a header, a table of sections, and the sections, each an array of plain
//! values. The same bytes are used in memory and in a cache file, so opening a file is mapping it
//! and checking it.
//!
//! ```text
//! magic, format, file length, checksum of all that follows      (Header)
//! start and length of each section                              (Section order)
//! sections, each aligned to 8 bytes
//! ```
//!
//! Values are in the machine's own byte order; a file from another one fails the check of the magic.

use super::corrupt::CorruptIndex;
use crate::source::Stamp;
use bytemuck::{Pod, Zeroable};
use std::ops::Range;
use xxhash_rust::xxh3::xxh3_64;

/// Changes with every change of what the bytes mean.
pub(super) const FORMAT: u32 = 3;
const MAGIC: u64 = u64::from_ne_bytes(*b"caravan\x01");

/// The sections, in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(super) enum Section {
    /// `u32` ends and the bytes they end in, for each kind of text.
    NameEnds,
    NameText,
    VersionEnds,
    VersionText,
    StringEnds,
    StringText,
    VariableEnds,
    VariableText,
    /// `u32` for each version: its rank in opam's order, equal for equal versions.
    VersionKeys,
    /// `u32` for each name and one more: where its packages begin.
    NameStarts,
    /// [`PackageRow`]
    Packages,
    /// `u32`: see [`super::packed`]
    Words,
    /// [`LayerRow`]
    Layers,
    /// [`TopRow`]
    Tops,
    /// [`FileRow`]
    Files,
    /// [`ProblemRow`]
    Problems,
    /// [`UnreadRow`]
    Unread,
}

pub(super) const SECTIONS: usize = Section::Unread as usize + 1;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Header {
    magic: u64,
    format: u32,
    sections: u32,
    length: u64,
    checksum: u64,
}

const HEADER: usize = size_of::<Header>();
const TABLE: usize = SECTIONS * size_of::<[u64; 2]>();

/// No string, no package.
pub(super) const NONE: u32 = u32::MAX;

/// One version of one package.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct PackageRow {
    pub(super) name: u32,
    pub(super) version: u32,
    pub(super) flags: u32,
    pub(super) file: u32,
    pub(super) synopsis: u32,
    pub(super) available: u32,
    pub(super) depends: u32,
    pub(super) depopts: u32,
    pub(super) conflicts: u32,
    pub(super) classes: u32,
    pub(super) end: u32,
}

/// One source of an overlay.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct LayerRow {
    pub(super) first_top: u32,
}

/// An entry directly below `packages/`.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct TopRow {
    pub(super) name: u32,
    pub(super) first_file: u32,
    pub(super) stamp: Stamp,
}

/// An opam file of a source.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct FileRow {
    /// The top-level entry that it was found below.
    pub(super) top: u32,
    pub(super) name: u32,
    pub(super) version: u32,
    /// Its directory's path below the top-level entry, as a string, where that is not
    /// `NAME.VERSION`.
    pub(super) path: u32,
    /// The package that it describes; [`NONE`] if it is broken or another file took precedence.
    pub(super) package: u32,
    /// Problems from here up to those of the next file.
    pub(super) first_problem: u32,
    pub(super) stamp: Stamp,
}

/// Something wrong in a file.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct ProblemRow {
    /// 0: a warning, 1: an error
    pub(super) severity: u32,
    pub(super) message: u32,
    pub(super) hint: u32,
    /// [`NONE`] without a place.
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// A path below an entry of `packages/` that could not be read.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct UnreadRow {
    pub(super) top: u32,
    pub(super) path: u32,
    pub(super) reason: u32,
}

/// Where each section lies.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    ranges: [Range<usize>; SECTIONS],
}

impl Layout {
    pub(super) fn range(&self, section: Section) -> Range<usize> {
        self.ranges[section as usize].clone()
    }

    /// Reads the header and the table.
    ///
    /// # Errors
    /// A word on what is wrong with them. Nothing is said yet about what the sections hold.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, CorruptIndex> {
        let header: Header = match bytes.get(..HEADER) {
            Some(start) => bytemuck::pod_read_unaligned(start),
            None => return Err(CorruptIndex("it is too short")),
        };
        if header.magic != MAGIC {
            return Err(CorruptIndex("it is not an index of this machine"));
        }
        if header.format != FORMAT || header.sections as usize != SECTIONS {
            return Err(CorruptIndex("it has another format"));
        }
        if header.length != bytes.len() as u64 {
            return Err(CorruptIndex("it is truncated"));
        }
        if header.checksum != xxh3_64(&bytes[HEADER..]) {
            return Err(CorruptIndex("its checksum is wrong"));
        }
        let table = bytes.get(HEADER..HEADER + TABLE).ok_or(CorruptIndex("it is too short"))?;
        let mut ranges = [const { 0..0 }; SECTIONS];
        for (range, entry) in ranges.iter_mut().zip(table.chunks_exact(16)) {
            let [start, length]: [u64; 2] = bytemuck::pod_read_unaligned(entry);
            let end = start.checked_add(length).filter(|end| *end <= bytes.len() as u64);
            let (Some(end), true) = (end, start % 8 == 0) else {
                return Err(CorruptIndex("a section lies outside of it"));
            };
            *range = start as usize..end as usize;
        }
        Ok(Self { ranges })
    }
}

/// The checksum that the header states.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    bytes.get(..HEADER).map_or(0, |header| bytemuck::pod_read_unaligned::<Header>(header).checksum)
}

/// Puts the sections together; says where they are.
pub(super) fn assemble(sections: [&[u8]; SECTIONS]) -> (Vec<u64>, Layout) {
    let aligned = |length: usize| length.next_multiple_of(8);
    let total = HEADER + TABLE + sections.iter().map(|section| aligned(section.len())).sum::<usize>();
    let mut out = vec![0_u64; total / 8];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut out);
    let mut ranges = [const { 0..0 }; SECTIONS];
    let mut at = HEADER + TABLE;
    for (place, section) in sections.iter().enumerate() {
        let entry = [at as u64, section.len() as u64];
        bytes[HEADER + place * 16..][..16].copy_from_slice(bytemuck::bytes_of(&entry));
        bytes[at..at + section.len()].copy_from_slice(section);
        ranges[place] = at..at + section.len();
        at += aligned(section.len());
    }
    let checksum = xxh3_64(&bytes[HEADER..]);
    let header = Header { magic: MAGIC, format: FORMAT, sections: SECTIONS as u32, length: total as u64, checksum };
    bytes[..HEADER].copy_from_slice(bytemuck::bytes_of(&header));
    (out, Layout { ranges })
}
