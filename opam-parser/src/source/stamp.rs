//! How a state of a source is told from another one.

/// Identifies a state of something: a git object's id, or a hash of a file's metadata. All zero is
/// equal to nothing, itself included.
pub type Stamp = [u32; 5];

/// Whether two stamps name the same state; the zero stamp names none.
pub fn is_same(a: Stamp, b: Stamp) -> bool {
    a == b && a != Stamp::default()
}
