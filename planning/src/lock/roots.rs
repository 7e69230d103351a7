//! What a lock file is asked for with.

use caravan_solver::problem::{Constraint, Pin};
use caravan_solver::{Flags, Root};
use opam_parser::syntax::RelOp;

/// A project's packages as roots, each with its tests if wanted.
pub fn roots(packages: &[Pin], with_test: bool) -> Vec<Root> {
    let flags = Flags { with_test, dev: Some(true), ..Flags::default() };
    let root = |pin: &Pin| Root {
        name: pin.name.clone(),
        constraints: vec![Constraint(RelOp::Eq, pin.version.clone())],
        flags,
    };
    packages.iter().map(root).collect()
}
