//! Why bytes are no index.

/// Bytes that are no index, or not a sound one; the text says what is wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no index: {0}")]
pub struct CorruptIndex(pub(super) &'static str);
