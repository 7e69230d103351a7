//! Which packages can be installed on which platforms, with what, and why not.
//!
//! ```text
//! View ── propagation ──> what no search is needed for, with reasons
//!      ── solve ──> the best selection of everything else; why there is none (reason)
//! ```

mod bounds;
mod cell;
mod decide;
mod error;
mod latest;
mod propagation;
mod reason;
mod target_view;

pub(crate) use bounds::written;
pub use cell::Cell;
pub use decide::{Matrix, MatrixRequest};
pub use error::PlatformError;
pub use latest::latest;
pub(crate) use propagation::{ExclusionCause, Propagation};
pub use reason::{BlockingConstraint, Reason, ReasonClass};
pub use target_view::TargetView;
