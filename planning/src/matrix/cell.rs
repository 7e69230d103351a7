//! What became of a package on a platform.

use super::reason::Reason;
use caravan_solver::{Selection, Stopped};

/// A package on a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It can be installed, best with these packages.
    Installable(Selection),
    /// It cannot.
    Not(Reason),
    /// That was not found out, because the search was stopped.
    NotTold(Stopped),
}

impl Cell {
    /// The packages that it is installed with, itself included.
    pub fn selection(&self) -> Option<&Selection> {
        match self {
            Self::Installable(selection) => Some(selection),
            Self::Not(_) | Self::NotTold(_) => None,
        }
    }

    /// Why it cannot be installed.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Installable(_) | Self::NotTold(_) => None,
            Self::Not(reason) => Some(reason),
        }
    }

    /// Why it is not known, if so.
    pub fn not_told(&self) -> Option<Stopped> {
        match self {
            Self::Installable(_) | Self::Not(_) => None,
            Self::NotTold(why) => Some(*why),
        }
    }
}
