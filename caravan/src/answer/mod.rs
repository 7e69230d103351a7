//! Answers, as data: what JSON has, and what every form for people is made from.
//!
//! Each answer begins with its `schema`, the name and version of its form; within a version members are only added.
//! `docs/json.md` describes the members; JSON Schemas are in `caravan/schemas`.

mod any;
mod bisect;
mod bounds;
mod builds;
mod changes;
mod difference;
mod docs;
mod facts;
mod health;
mod impact;
mod installable;
mod list;
mod listing;
mod lock;
mod outcome;
mod package;
mod platforms;
mod rebuild;
mod show;
mod solve;

pub use any::{Answer, BatchAnswer, Part};
pub use bisect::*;
pub use bounds::*;
pub use builds::*;
pub use changes::{ChangeKind, ChangedField, ChangedPackage, Effect, FileProblem};
pub use difference::Difference;
pub use docs::*;
pub use facts::{Fact, Hint, Origin, Place, Statement};
pub use health::*;
pub use impact::*;
pub use installable::*;
pub use list::*;
pub use listing::*;
pub use lock::*;
pub use outcome::Outcome;
pub(crate) use package::variables;
pub use package::{NotTold, Package, Variables};
pub use platforms::*;
pub use rebuild::{LeftOut, RebuildEntry, RebuildJob, RebuildSelection, RebuildSet, Relation, TestsImpossible};
pub use show::*;
pub use solve::*;
