//! What depends on what: the answers of `opam list --depends-on` and `--required-by`, without a switch.
//!
//! The meanings are those of docs/semantics.md, rules D6 to D8: a package depends on `t` if its formula,
//! filters evaluated, has in some disjunct of its normal form an atom on `t`'s name, and `t` satisfies all of
//! that disjunct's constraints on the name. Whether the rest of the formula can be satisfied does not matter.
//!
//! ```text
//! View, package, Options ── accepted ──> the versions that its formula depends on
//!     ├─ dependents ──> who depends on a package, directly or through others
//!     ├─ dependencies ──> what a package depends on
//!     ├─ edges ──> who depends on whom within a set
//!     └─ coinstallable ──> which dependents can be installed together with a package
//! ```

mod accepted;
mod coinstallable;
mod dependencies;
mod dependents;
mod edges;
mod options;
mod package_set;

pub use coinstallable::{coinstallable, like_opam_repo_ci};
pub use dependencies::{required_by, required_by_recursively};
pub use dependents::{Dependents, Listing, direct, recursive};
pub use edges::edges;
pub use options::Options;
pub use package_set::PackageSet;
