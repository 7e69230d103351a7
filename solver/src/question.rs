//! A request, looked up in the view that it is put to.

use crate::constraint::Constraint;
use crate::error::SolveError;
use crate::mask::Mask;
use crate::policy::{Avoid, Cycles, LowerBounds, Preference};
use crate::problem::{Flags, Request, Root};
use crate::reduce::{Bound, Sets};
use crate::view::{Compiled, Masks, View};
use opam_parser::index::{Found, NameId, PackageId};
use opam_parser::syntax::RelOp;
use rustc_hash::{FxHashMap, FxHashSet};

/// A package on one of the question's platforms, which goes by its position.
pub(crate) type PlatformPackage = (u8, PackageId);

/// A request with everything looked up, over one platform or several at once.
pub(crate) struct Question<'q, 'i> {
    pub(crate) platforms: Vec<PlatformQuestion<'q, 'i>>,
    pub(crate) oldest: bool,
    pub(crate) avoid: Avoid,
    pub(crate) lower_bounds: LowerBounds,
    pub(crate) refuses_cycles: bool,
    /// The names that may have different versions on different platforms; `None`: all may.
    pub(crate) differing: Option<FxHashSet<NameId>>,
    /// The only versions to avoid that an explanation takes into account; `None`: as the policy says.
    pub(crate) allowed: Option<FxHashSet<PlatformPackage>>,
    /// Branches of disjunctions that an explanation takes as given: for a package and one of its
    /// disjunctions the branch's position.
    pub(crate) branches: FxHashMap<(PackageId, u32), usize>,
}

/// One platform's part of a question.
pub(crate) struct PlatformQuestion<'q, 'i> {
    pub(crate) view: &'q View<'i>,
    pub(crate) roots: Vec<ResolvedRoot>,
    /// The versions of roots that have dependency flags of their own, compiled with these.
    own: FxHashMap<PackageId, Compiled>,
}

/// A root as the solver sees it.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedRoot {
    pub(crate) name: NameId,
    pub(crate) mask: Mask,
    pub(crate) flags: Flags,
    /// A single version was asked for, so it may be one that is otherwise avoided.
    pub(crate) exact: bool,
    /// As it was asked for: `ocaml = 5.4.1`
    pub(crate) text: String,
    /// It was not asked for: an explanation of versions takes it as given.
    pub(crate) selected: bool,
}

impl<'q, 'i> Question<'q, 'i> {
    pub(crate) fn new(views: &[&'q View<'i>], request: &Request) -> Result<Self, SolveError> {
        let platforms = views.iter().map(|view| PlatformQuestion::new(view, request)).collect::<Result<Vec<_>, _>>()?;
        let dialect = views.first().map(|view| view.dialect()).unwrap_or_default();
        Ok(Self {
            platforms,
            oldest: request.prefer == Preference::Oldest,
            avoid: request.avoid.unwrap_or_else(|| dialect.avoid()),
            lower_bounds: request.lower_bounds.unwrap_or_else(|| dialect.lower_bounds()),
            refuses_cycles: request.cycles.unwrap_or_else(|| dialect.cycles()) == Cycles::Refuse,
            differing: None,
            allowed: None,
            branches: FxHashMap::default(),
        })
    }

    /// One platform's part, by its position.
    pub(crate) fn platform(&self, platform: u8) -> &PlatformQuestion<'q, 'i> {
        &self.platforms[usize::from(platform)]
    }

    /// Whether a name's oldest versions are preferred.
    pub(crate) fn wants_oldest(&self, view: &View<'_>, name: NameId) -> bool {
        let view = view.name(name);
        let kept = view.conf && !self.lower_bounds.conf || view.compiler && !self.lower_bounds.compilers;
        self.oldest && !kept
    }

    /// The versions of the name with the most of them, on any platform.
    pub(crate) fn widest(&self) -> usize {
        self.platforms.iter().map(|platform| platform.view.widest()).max().unwrap_or(0)
    }
}

impl<'q, 'i> PlatformQuestion<'q, 'i> {
    fn new(view: &'q View<'i>, request: &Request) -> Result<Self, SolveError> {
        let mut roots = request.roots.iter().map(|root| resolve_root(view, root)).collect::<Result<Vec<_>, _>>()?;
        // Roots of one name are one package: it gets what any of them wants.
        for place in 0..roots.len() {
            let same = roots.iter().filter(|root| root.name == roots[place].name);
            roots[place].flags = same.fold(Flags::default(), |flags, root| flags.united(root.flags));
        }
        let mut own = FxHashMap::default();
        for root in roots.iter().filter(|root| root.flags != Flags::default()) {
            let versions = view.index().versions_of(root.name).enumerate();
            for (_, package) in versions.filter(|(position, _)| root.mask.contains(*position)) {
                own.insert(package, view.compile(package, view.flags(package, Some(root.flags))));
            }
        }
        Ok(Self { view, roots, own })
    }

    /// What a package requires and conflicts with in this question.
    pub(crate) fn compiled(&self, package: PackageId) -> &Compiled {
        match self.own.is_empty() {
            true => self.view.package(package),
            false => self.own.get(&package).unwrap_or_else(|| self.view.package(package)),
        }
    }

    /// The dependency flags that were asked for with a package.
    pub(crate) fn flags(&self, package: PackageId) -> Option<Flags> {
        let name = self.view.index().package_name(package);
        self.roots.iter().find(|root| root.name == name).map(|root| root.flags)
    }

    /// Whether a name was asked for in exactly one version: then that one is not avoided.
    pub(crate) fn asked_exactly(&self, name: NameId) -> bool {
        self.roots.iter().any(|root| root.exact && root.name == name)
    }
}

fn resolve_root(view: &View<'_>, root: &Root) -> Result<ResolvedRoot, SolveError> {
    let index = view.index();
    let exists = |name: &NameId| {
        !index.package_range(*name).is_empty() || index.broken_files().any(|file| index.file_name(file) == *name)
    };
    let name = index.find_name(root.name.as_str()).filter(exists).ok_or_else(|| SolveError::UnknownName {
        name: root.name.to_string(),
        near: index.near_names(root.name.as_str(), 3).into_iter().map(|near| index.name(near).to_owned()).collect(),
    })?;
    let sets = Masks(index);
    let mut mask = Mask::all(index.package_range(name).len());
    for Constraint(op, version) in &root.constraints {
        mask.intersect(&sets.constraint(name, *op, Bound::Text(version.as_str())));
        if *op == RelOp::Eq {
            require_version(view, name, version.as_str())?;
        }
    }
    let exact = root.constraints.iter().any(|Constraint(op, _)| *op == RelOp::Eq);
    Ok(ResolvedRoot { name, mask, flags: root.flags, exact, text: root.to_string(), selected: false })
}

/// A version that is asked for has to exist.
fn require_version(view: &View<'_>, name: NameId, version: &str) -> Result<(), SolveError> {
    let index = view.index();
    match index.find(name, version) {
        Some(Found::Package(_)) => Ok(()),
        Some(Found::Broken(file)) => Err(SolveError::Broken { package: index.file_text(file), file }),
        None => {
            let text = |package| index.version(index.package_version(package)).to_owned();
            Err(SolveError::UnknownVersion {
                name: index.name(name).to_owned(),
                version: version.to_owned(),
                known: index.versions_of(name).rev().take(5).map(text).collect(),
            })
        }
    }
}
