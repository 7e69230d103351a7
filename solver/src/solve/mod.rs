//! The policies around the engine, and questions about many packages or platforms.

pub(crate) mod batch;
pub(crate) mod cycle;
pub(crate) mod decisions;
pub(crate) mod platforms;
pub(crate) mod search;
pub(crate) mod validate;
