//! Commands that ask no question of the library.

pub(crate) mod cache;
#[cfg(feature = "services")]
pub(crate) mod farm;
pub(crate) mod generate;
pub(crate) mod parse;
