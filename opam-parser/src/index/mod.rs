//! The index: a whole repository, or several, in one immutable structure without pointers.
//!
//! Read once from a [`Source`](crate::source::Source) ([`Index::read`]), then shared read-only by any number of threads, and, as
//! a mapped file, by any number of processes. Names and versions are numbered in opam's order;
//! dependencies, conflicts and availability are words (module `packed`) that refer to those numbers, so a
//! solver for any platform reads numbers only. The opam files themselves stay where they are;
//! [`Index::file`] says where.
//!
//! The same repository state gives the same bytes, whether it was read at once or in steps.

mod compile;
mod corrupt;
mod earlier;
mod files;
mod ids;
mod layout;
mod matching;
mod near;
mod newest;
mod open;
mod overlay;
mod packages;
mod packed;
mod range;
mod read;
mod record;
mod show;
mod storage;
mod texts;
mod validate;
mod visit;

pub use compile::{Precedence, TooLarge};
pub use corrupt::CorruptIndex;
pub use files::{FileLocation, Found};
pub use ids::{FileId, NameId, PackageId, StringId, VariableId, VersionId};
pub use matching::Matching;
pub use overlay::Part;
pub use packed::{ConditionNode, ConditionRef, FilterRef, FormulaNode, FormulaRef, IndexEnv, Operands};
pub use range::{PackageIter, PackageRange};
pub use read::{BuildError, Progress};
pub use storage::Index;
