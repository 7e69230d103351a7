//! From records, wherever their texts are, to the bytes of an index.
//!
//! The records come from freshly read batches and from older indexes, so every id is translated on
//! the way. What comes out depends on the records alone, not on where they came from: names and
//! versions are numbered in their order, strings and variables in the order in which the packages
//! mention them.
//!
//! ```text
//! layers ── winners ──> groups: the package versions that count, in order
//!           texts   ──> numbers for the names and versions that they mention
//!           packages, files ──> rows and words with those numbers ──> layout::assemble
//! ```

mod input;
mod output;
mod texts;
mod winners;

pub(super) use input::{Content, FileInput, LayerInput, Pool, Problems, TopInput, UnreadInput};
pub use output::TooLarge;
pub(super) use output::compile;
pub use winners::Precedence;
