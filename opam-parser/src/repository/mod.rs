//! Repositories as people name them, opened through the cache.
//!
//! ```text
//! Location ── where it is ──> Cache::open ──> Index
//!                               │ the state is cached: map the file
//!                               │ an older state is:   read what changed
//!                               └ else:                read everything
//! ```

mod cache;
mod location;

pub use cache::{Cache, CacheError, CacheInfo, Opened};
pub use location::{Before, Location};
