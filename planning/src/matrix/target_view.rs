//! A target, and an index as it sees it.

use caravan_solver::target::Target;
use caravan_solver::{Flags, Request, Root, View};
use opam_parser::index::{Index, PackageId};

/// A target with its view of an index.
pub struct TargetView<'i> {
    /// What is asked of every package there.
    pub target: Target,
    /// The index as it sees it.
    pub view: View<'i>,
}

impl<'i> TargetView<'i> {
    /// The view of a target.
    pub fn new(index: &'i Index, target: &Target) -> Self {
        Self { view: View::new(index, &target.platform), target: target.clone() }
    }

    /// The question whether a package can be installed here.
    pub fn request(&self, package: PackageId, flags: Flags) -> Request {
        let mut request = self.target.request.clone();
        request.roots.extend(Root::exactly(self.view.index(), package, flags));
        request
    }
}
