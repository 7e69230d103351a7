//! Two platforms beside each other: two compilers, two operating systems, two commits.

mod blockers;
mod comparison;
mod matrix_platform;

pub use blockers::{Blocker, blockers};
pub use comparison::{Comparison, Rows, compare};
pub use matrix_platform::MatrixPlatform;
