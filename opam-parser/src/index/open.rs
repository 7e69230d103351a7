//! Opening bytes that came from outside.

use super::corrupt::CorruptIndex;
use super::layout::Layout;
use super::storage::{Backing, Index};
use super::validate::validate;

impl Index {
    /// Opens the bytes of an index.
    ///
    /// # Errors
    /// What is wrong with them. Everything is checked: a file that was tampered with is refused, it
    /// never misleads or crashes whoever reads it.
    fn open(backing: Backing) -> Result<Self, CorruptIndex> {
        let bytes = match &backing {
            Backing::Owned(words) => bytemuck::cast_slice(words),
            Backing::Mapped(map) => &map[..],
        };
        let layout = Layout::read(bytes)?;
        let index = Self { backing, layout };
        validate(&index)?;
        Ok(index)
    }

    /// Opens an index that lies in a mapped file.
    ///
    /// # Errors
    /// What is wrong with the file; it is to be built again.
    pub(crate) fn from_map(map: memmap2::Mmap) -> Result<Self, CorruptIndex> {
        Self::open(Backing::Mapped(map))
    }

    /// Opens an index from a copy of its bytes.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CorruptIndex> {
        let mut words = vec![0_u64; bytes.len().div_ceil(8)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        if !bytes.len().is_multiple_of(8) {
            return Err(CorruptIndex("it is truncated"));
        }
        Self::open(Backing::Owned(words))
    }
}
