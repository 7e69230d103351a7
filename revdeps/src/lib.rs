//! What depends on what: the answers of `opam list --depends-on`, without a switch.
//!
//! ```text
//! View ── mentions() ──> for each package: names and versions that its formula touches
//!                          ├─ direct():    the packages that touch a target
//!                          ├─ recursive(): the least set around the targets that is closed
//!                          ├─ required_by(), required_by_recursively(): the other direction
//!                          └─ edges():     who touches whom within a set
//! a list ── coinstallable() ──> those of it that can be installed together with something
//! ```
//!
//! The meanings are those of the semantics sheet, section 6 (rules D6 to D8): a package depends on
//! `t` if its formula, filters evaluated, has in some disjunct of its normal form an atom on `t`'s
//! name, and `t` satisfies all of that disjunct's constraints on the name. Whether the rest of the
//! formula can be satisfied does not matter.
//!
//! # Example
//!
//! ```
//! use caravan_revdeps::{Options, Targets, direct};
//! use caravan_solver::{Platform, View};
//! use opam_parser::index::{Built, build};
//! use opam_parser::source::directory::DirectorySource;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let source = DirectorySource::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository").as_ref())?;
//! let Built::New(index) = build(&source, None, &|_, _| {})? else { unreachable!() };
//! let view = View::new(&index, &Platform::linux_x86_64());
//! let name = index.find_name("caravan-log").ok_or("it is in the example repository")?;
//! let dependents = direct(&view, &Targets::of(&index, name, |_| true), &Options::default());
//! assert!(!dependents.is_empty());
//! # Ok(())
//! # }
//! ```

pub mod bisect;
pub mod bounds;
pub mod changes;
pub mod impact;
mod listing;
pub mod rebuild;
pub mod report;

pub use listing::{
    Dependents, Mentions, Options, Sort, Targets, coinstallable, direct, edges, like_opam_repo_ci, recursive,
    required_by, required_by_recursively,
};
