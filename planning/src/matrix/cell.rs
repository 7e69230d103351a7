//! What became of a package on a platform.

use super::reason::Reason;
use caravan_solver::Selection;

/// A package on a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It can be installed, best with these packages.
    Installable(Selection),
    /// It cannot.
    Not(Reason),
}

impl Cell {
    /// The packages that it is installed with, itself included.
    pub fn selection(&self) -> Option<&Selection> {
        match self {
            Self::Installable(selection) => Some(selection),
            Self::Not(_) => None,
        }
    }

    /// Why it cannot be installed.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Installable(_) => None,
            Self::Not(reason) => Some(reason),
        }
    }
}
