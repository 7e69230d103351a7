//! Version constraints as masks.

use crate::mask::Mask;
use crate::reduce::{Bound, Sets};
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::syntax::RelOp;
use opam_parser::version;

/// Version constraints as masks over the existing versions.
pub struct Masks<'i>(pub &'i Index);

impl Masks<'_> {
    fn cut(&self, name: NameId, bound: Bound<'_>, below: impl Fn(std::cmp::Ordering) -> bool) -> usize {
        let Masks(index) = self;
        let compare = |package: PackageId| {
            let version = index.package_version(package);
            match bound {
                Bound::Known(bound) => index.version_key(version).cmp(&index.version_key(bound)),
                Bound::Text(bound) => version::compare(index.version(version).as_bytes(), bound.as_bytes()),
            }
        };
        index.package_range(name).partition_point(|package| below(compare(package)))
    }
}

impl Sets for Masks<'_> {
    type Set = Mask;

    fn constraint(&self, name: NameId, op: RelOp, bound: Bound<'_>) -> Mask {
        let count = self.0.package_range(name).len();
        let first = || self.cut(name, bound, |order| order.is_lt());
        let after = || self.cut(name, bound, |order| order.is_le());
        match op {
            RelOp::Eq => Mask::range(count, first(), after()),
            RelOp::Neq => {
                let mut mask = Mask::all(count);
                mask.subtract(&Mask::range(count, first(), after()));
                mask
            }
            RelOp::Lt => Mask::range(count, 0, first()),
            RelOp::Leq => Mask::range(count, 0, after()),
            RelOp::Gt => Mask::range(count, after(), count),
            RelOp::Geq => Mask::range(count, first(), count),
        }
    }

    fn and(&self, mut a: Mask, b: Mask) -> Mask {
        a.intersect(&b);
        a
    }

    fn or(&self, mut a: Mask, b: Mask) -> Mask {
        a.unite(&b);
        a
    }
}
