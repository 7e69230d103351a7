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
        let range = self.0.package_range(name);
        let compare = |place: u32| {
            let version = self.0.package_version(PackageId(range.start + place));
            match bound {
                Bound::Known(bound) => self.0.version_key(version).cmp(&self.0.version_key(bound)),
                Bound::Text(bound) => version::compare(self.0.version(version).as_bytes(), bound.as_bytes()),
            }
        };
        let (mut low, mut high) = (0, range.len() as u32);
        while low < high {
            let middle = u32::midpoint(low, high);
            if below(compare(middle)) { low = middle + 1 } else { high = middle }
        }
        low as usize
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
