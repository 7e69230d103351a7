//! An index as bytes, and the sections that they hold.

use super::layout::{Layout, PackageRow, SECTIONS, Section, assemble, checksum};
use bytemuck::Pod;

/// Where the bytes are.
pub(super) enum Backing {
    Owned(Vec<u64>),
    Mapped(memmap2::Mmap),
}

/// A repository, or several, ready to be asked.
pub struct Index {
    pub(super) backing: Backing,
    pub(super) layout: Layout,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({} packages)", self.section::<PackageRow>(Section::Packages).len())
    }
}

impl Index {
    /// Puts sections that were just made together.
    pub(super) fn from_sections(sections: [&[u8]; SECTIONS]) -> Self {
        let (words, layout) = assemble(sections);
        Self { backing: Backing::Owned(words), layout }
    }

    /// The bytes, to be stored and opened again.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.backing {
            Backing::Owned(words) => bytemuck::cast_slice(words),
            Backing::Mapped(map) => map,
        }
    }

    /// Tells indexes with different contents apart.
    pub fn checksum(&self) -> u64 {
        checksum(self.as_bytes())
    }

    /// A section as what it holds.
    pub(super) fn section<T: Pod>(&self, section: Section) -> &[T] {
        // Sections are aligned by `Layout::read`, and their sizes checked by `validate`.
        bytemuck::try_cast_slice(&self.as_bytes()[self.layout.range(section)]).unwrap_or_default()
    }

    /// The text at a place in a table of texts.
    pub(super) fn text(&self, ends: Section, text: Section, place: u32) -> &[u8] {
        let ends: &[u32] = self.section(ends);
        let place = place as usize;
        let start = if place == 0 { 0 } else { ends[place - 1] };
        &self.as_bytes()[self.layout.range(text)][start as usize..ends[place] as usize]
    }

    /// The same for texts that are names, versions or variables.
    pub(super) fn str(&self, ends: Section, text: Section, place: u32) -> &str {
        std::str::from_utf8(self.text(ends, text, place)).unwrap_or_default()
    }
}
