//! Repositories, opened: where they are, their packages, their files on demand.
//!
//! ```text
//! a name (directory, GIT#REV, archive, URL; {url, commit}) ── Repositories::locate ──> Place
//! Places ── Repositories::open (cache, overlay) ──> Repository: Index, file texts, reach, lineage
//! two Places ── Change::open ──> what differs between two states
//! ```
//!
//! [`Repositories`] is the seam between questions and the world: [`Local`] looks for repositories as a person's
//! command does; a service's worker hands out the states that it holds and nothing else.

mod change;
mod fetch;
mod history;
mod lineage;
mod local;
mod lookup;
mod name;
mod open;
mod opened;
mod place;
mod repositories;
mod texts;

pub(crate) use change::{Change, States, places_at, refuse_state};
pub(crate) use history::{history_of, last_changes};
pub(crate) use lineage::VersionDirectory;
pub use lineage::{Lineage, LineageError};
pub use local::{Local, Options};
pub(crate) use local::{expand_home, is_archive, is_url};
pub(crate) use lookup::{name_in, newest_in};
pub use name::{CloneName, RepositoryName, StateName};
pub use open::{has_commit, lay_over, open_places};
pub use opened::Repository;
pub use place::Place;
pub use repositories::Repositories;
