//! Names, versions, strings and variables: the texts of an index, and their order.

use super::ids::{NameId, StringId, VariableId, VersionId};
use super::layout::Section;
use super::storage::Index;
use crate::name::compare_case;
use bstr::{BStr, ByteSlice};
use std::cmp::Ordering;

impl Index {
    /// A name's text.
    pub fn name(&self, id: NameId) -> &str {
        self.str(Section::NameEnds, Section::NameText, id.0)
    }

    /// A version's text.
    pub fn version(&self, id: VersionId) -> &str {
        self.str(Section::VersionEnds, Section::VersionText, id.0)
    }

    /// A string's text.
    pub fn string(&self, id: StringId) -> &BStr {
        self.text(Section::StringEnds, Section::StringText, id.0).as_bstr()
    }

    /// A variable as filters write it.
    pub fn variable(&self, id: VariableId) -> &str {
        self.str(Section::VariableEnds, Section::VariableText, id.0)
    }

    /// All variables that any filter mentions.
    pub fn variables(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.section::<u32>(Section::VariableEnds).len()).map(|id| self.variable(VariableId(id as u32)))
    }

    /// How many names there are, those that are only mentioned included.
    pub fn name_count(&self) -> usize {
        self.section::<u32>(Section::NameEnds).len()
    }

    /// How many texts of versions there are, those that are only mentioned included.
    pub fn version_count(&self) -> usize {
        self.section::<u32>(Section::VersionEnds).len()
    }

    /// All names in opam's order, those that are only mentioned included.
    pub fn names(&self) -> impl ExactSizeIterator<Item = NameId> + use<> {
        (0..self.name_count() as u32).map(NameId)
    }

    /// The id of a name that exists or is mentioned somewhere.
    pub fn find_name(&self, name: &str) -> Option<NameId> {
        let (mut low, mut high) = (0, self.name_count() as u32);
        while low < high {
            let middle = u32::midpoint(low, high);
            match compare_case(self.name(NameId(middle)), name) {
                Ordering::Equal => return Some(NameId(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The rank of a version in opam's order: compares as versions do, equal ones being equal.
    pub fn version_key(&self, version: VersionId) -> u32 {
        self.section::<u32>(Section::VersionKeys)[version.place()]
    }
}
