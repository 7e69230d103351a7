//! Upper bounds that keep broken dependents installable, with the versions from before a change.
//!
//! ```text
//! broken dependents ── what they use of the change ──> a bound for each pair
//!     ── edit the opam files, overlay them, solve again ──> does each of them keep away from the change?
//!     ── leave out one bound after the other while they still do ──> the smallest set ──> a patch
//! ```
//!
//! A bound is redundant where another broken package's bound already keeps the package away: all of its
//! solutions with the change have that package in them. Among packages that do not need each other in a
//! circle the set that remains is the same in whatever order bounds are left out, and the smallest.

mod edit;

pub use edit::Bound;

use crate::impact::{Sides, Step, Target};
use crate::listing::Mentions;
use crate::rebuild::{Relations, reaches, used};
use caravan_solver::{Flags, Request, Root, Selection, SolveError, Stop, View, solve_until};
use opam_parser::index::{BuildError, FileId, Index, PackageId, Precedence, TooLarge};
use opam_parser::source::memory::MemorySource;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Bounds, and the patch that makes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The bounds, in opam's order.
    pub bounds: Vec<Proposed>,
    /// Broken packages that need no bound of their own, because those of others keep them away from the change.
    pub covered: Vec<String>,
    /// Broken packages that use nothing of the change: no bound would help them.
    pub unrelated: Vec<String>,
    /// Broken packages that cannot be installed with any older version.
    pub lost: Vec<String>,
    /// Broken packages that no bound keeps away from the change.
    pub unbounded: Vec<String>,
    /// A unified diff, as `git apply` takes it.
    pub patch: String,
}

/// A bound of one package on another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposed {
    /// `NAME.VERSION` of the broken package.
    pub package: String,
    /// The changed package's name.
    pub on: String,
    /// The changed version.
    pub version: String,
    /// Only that version is refused, since newer ones are there that nobody complained of.
    pub only: bool,
    /// It stands in `conflicts`, since the package does not depend on it directly.
    pub conflict: bool,
}

/// Why there is no proposal.
#[derive(Debug, thiserror::Error)]
pub enum BoundsError {
    /// A package's opam file cannot be read.
    #[error("the opam file of `{0}` cannot be read")]
    Unreadable(String),
    /// The edited files make no index.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The edited files make no index.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Something cannot be solved.
    #[error(transparent)]
    Solve(#[from] SolveError),
}

/// A package, and the name that it should keep away from.
type Pair = (PackageId, String);

/// What a broken package uses of the change on a platform.
struct Use {
    target: usize,
    package: PackageId,
    flags: Flags,
    changed: Vec<PackageId>,
}

/// Finds the smallest set of bounds that keeps the broken packages, of the later state, away from what
/// changed and installable without. `text` gives an opam file of the later state.
///
/// # Errors
/// When a file cannot be read, or a question was stopped.
pub fn propose(
    step: &Step<'_>,
    targets: &[Target],
    broken: &[PackageId],
    text: &dyn Fn(FileId) -> Option<Vec<u8>>,
    stop: &Stop,
) -> Result<Proposal, BoundsError> {
    let index = step.after;
    let name = |package: &PackageId| index.name(index.package_name(*package)).to_owned();
    let mut uses = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        let sides = Sides::new(step, target, stop)?;
        for (package, flags, changed) in used(&sides, broken, stop)? {
            uses.push(Use { target: place, package, flags, changed });
        }
    }
    let texts: BTreeMap<PackageId, Vec<u8>> = broken
        .iter()
        .map(|package| {
            let read = text(index.package_file(*package));
            Ok((*package, read.ok_or_else(|| BoundsError::Unreadable(index.package_text(*package)))?))
        })
        .collect::<Result<_, BoundsError>>()?;
    let used_at_all: BTreeSet<PackageId> = uses.iter().map(|used| used.package).collect();
    // What is depended on directly first; conflicts only where that is not enough.
    let pairs_of = |uses: &[Use]| -> Result<Vec<Pair>, BoundsError> {
        let pairs = uses.iter().flat_map(|used| used.changed.iter().map(|changed| (used.package, name(changed))));
        let wanted: BTreeSet<Pair> = pairs.collect();
        let (mut pairs, indirect): (Vec<Pair>, Vec<Pair>) = wanted.into_iter().partition(|pair| is_direct(index, pair));
        let open = Work { step, targets, uses, texts: &texts, stop }.open(&pairs)?;
        pairs.extend(indirect.into_iter().filter(|pair| open.contains(pair)));
        pairs.sort();
        Ok(pairs)
    };
    // Of what cannot be installed with older versions, nothing is asked but to say so.
    let all = pairs_of(&uses)?;
    let lost = Work { step, targets, uses: &uses, texts: &texts, stop }.lost(&all)?;
    uses.retain(|used| !lost.contains(&used.package));
    let work = Work { step, targets, uses: &uses, texts: &texts, stop };
    let mut pairs = pairs_of(&uses)?;
    let unbounded: BTreeSet<PackageId> = work.open(&pairs)?.into_iter().map(|(package, _)| package).collect();
    pairs.retain(|(package, _)| !unbounded.contains(package));
    let pairs = work.smallest(pairs, &unbounded)?;
    // What was left out is checked once more together.
    let bounded: BTreeSet<PackageId> = pairs.iter().map(|(package, _)| *package).collect();
    let lost: BTreeSet<PackageId> = lost.union(&work.lost(&pairs)?).copied().collect();
    let texts_of = |wanted: &dyn Fn(&PackageId) -> bool| -> Vec<String> {
        let all: BTreeSet<&PackageId> = broken.iter().collect();
        all.into_iter().filter(|package| wanted(package)).map(|package| index.package_text(*package)).collect()
    };
    let proposed = |pair: &Pair| {
        let bound = work.bound(pair);
        Proposed {
            package: index.package_text(pair.0),
            on: pair.1.clone(),
            version: bound.version,
            only: bound.one,
            conflict: !is_direct(index, pair),
        }
    };
    Ok(Proposal {
        bounds: pairs.iter().map(proposed).collect(),
        covered: texts_of(&|package| {
            let elsewhere = bounded.contains(package) || unbounded.contains(package) || lost.contains(package);
            used_at_all.contains(package) && !elsewhere
        }),
        unrelated: texts_of(&|package| !used_at_all.contains(package)),
        lost: texts_of(&|package| lost.contains(package)),
        unbounded: texts_of(&|package| unbounded.contains(package)),
        patch: work.patch(&pairs),
    })
}

/// Whether a package's `depends` mentions the name.
fn is_direct(index: &Index, (package, on): &Pair) -> bool {
    index.depends(*package).names().any(|other| index.name(other) == on)
}

struct Work<'w, 'i> {
    step: &'w Step<'i>,
    targets: &'w [Target],
    uses: &'w [Use],
    texts: &'w BTreeMap<PackageId, Vec<u8>>,
    stop: &'w Stop,
}

impl Work<'_, '_> {
    /// The bound for a pair: below the oldest changed version that the package uses, or, where newer versions
    /// did not change, other than that.
    fn bound(&self, (package, on): &Pair) -> Bound {
        let index = self.step.after;
        let used = self.uses.iter().filter(|used| used.package == *package).flat_map(|used| &used.changed);
        let changed = used.copied().filter(|changed| index.name(index.package_name(*changed)) == on).min();
        let version = |package| index.version(index.package_version(package)).to_owned();
        let Some(changed) = changed else { return Bound { version: String::new(), one: false } };
        let newer = index.versions_of(index.package_name(changed)).filter(|other| *other > changed);
        let unchanged = |other: &PackageId| {
            self.step.matching.before(*other).is_some_and(|before| self.step.matching.is_same(before))
        };
        Bound { version: version(changed), one: newer.into_iter().any(|other| unchanged(&other)) }
    }

    /// The edited files of some pairs.
    fn edited(&self, pairs: &[Pair]) -> BTreeMap<PackageId, Vec<u8>> {
        let mut edited: BTreeMap<PackageId, Vec<u8>> = BTreeMap::new();
        for pair in pairs {
            let (package, on) = pair;
            let Some(original) = self.texts.get(package) else { continue };
            let text = edited.entry(*package).or_insert_with(|| original.clone());
            let bound = self.bound(pair);
            let new = edit::bound_dependency(text, on, &bound).or_else(|| edit::add_conflict(text, on, &bound));
            if let Some(new) = new {
                *text = new;
            }
        }
        edited
    }

    /// The later state with the edited files.
    fn index(&self, pairs: &[Pair]) -> Result<Index, BoundsError> {
        let after = self.step.after;
        let files = self.edited(pairs).into_iter().map(|(package, text)| (after.package_text(package), text));
        let own = Index::read(&MemorySource::new(files))?;
        Ok(Index::overlay(&[&own, after], Precedence::FirstWins)?)
    }

    /// A package of the later state in that state with edited files.
    fn find(&self, index: &Index, package: PackageId) -> Option<PackageId> {
        let after = self.step.after;
        let name = index.find_name(after.name(after.package_name(package)))?;
        index.find_package(name, after.version(after.package_version(package)))
    }

    fn request(&self, used: &Use, index: &Index, changed: Option<PackageId>) -> Request {
        let mut request = self.targets[used.target].request.clone();
        let root = |package: PackageId, flags| Root::exactly(index, self.find(index, package)?, flags);
        request.roots.extend(root(used.package, used.flags));
        request.roots.extend(changed.and_then(|changed| root(changed, Flags::default())));
        request
    }

    fn solve(&self, view: &View<'_>, request: &Request) -> Result<Option<Selection>, BoundsError> {
        match solve_until(view, request, self.stop) {
            Ok(selection) => Ok(Some(selection)),
            Err(SolveError::NoSolution) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The pairs that are not kept apart by the bounds of some pairs: those that can be together where one
    /// depends directly on the other, else those of which one still uses the other then.
    fn open(&self, pairs: &[Pair]) -> Result<BTreeSet<Pair>, BoundsError> {
        let index = self.index(pairs)?;
        let views: Vec<View<'_>> = self.targets.iter().map(|target| View::new(&index, &target.platform)).collect();
        let mentions = Mentions::new(&index);
        let relations: Vec<Relations<'_, '_>> = views.iter().map(|view| Relations::new(view, &mentions)).collect();
        let mut open = BTreeSet::new();
        for used in self.uses {
            let (view, relations) = (&views[used.target], &relations[used.target]);
            for changed in &used.changed {
                let after = self.step.after;
                let pair = (used.package, after.name(after.package_name(*changed)).to_owned());
                let request = self.request(used, &index, Some(*changed));
                let Some(selection) = self.solve(view, &request)? else { continue };
                let uses = |package: PackageId, other: PackageId| {
                    reaches(relations, &selection, package, used.flags.with_test, other)
                };
                let [package, other] = [used.package, *changed].map(|package| self.find(&index, package));
                if is_direct(after, &pair) || package.zip(other).is_some_and(|(package, other)| uses(package, other)) {
                    open.insert(pair);
                }
            }
        }
        Ok(open)
    }

    /// Leaves out what others do already: conflicts first, then those that need most of the other broken packages.
    fn smallest(&self, mut pairs: Vec<Pair>, unbounded: &BTreeSet<PackageId>) -> Result<Vec<Pair>, BoundsError> {
        let needs = self.needs();
        let weight = |(package, _): &Pair| needs.get(package).map_or(0, BTreeSet::len);
        let mut order = pairs.clone();
        order.sort_by_key(|pair| (is_direct(self.step.after, pair), Reverse(weight(pair)), Reverse(pair.clone())));
        for pair in order {
            // Nothing else can keep a package away that has one bound and needs no other broken package.
            let alone = pairs.iter().filter(|other| other.0 == pair.0).count() == 1;
            if alone && weight(&pair) == 0 {
                continue;
            }
            let fewer: Vec<Pair> = pairs.iter().filter(|other| **other != pair).cloned().collect();
            if self.open(&fewer)?.iter().all(|(package, _)| unbounded.contains(package)) {
                pairs = fewer;
            }
        }
        Ok(pairs)
    }

    /// For each broken package the others that some version of what it needs could lead to.
    fn needs(&self) -> BTreeMap<PackageId, BTreeSet<PackageId>> {
        let index = self.step.after;
        let mut needs: BTreeMap<PackageId, BTreeSet<PackageId>> = BTreeMap::new();
        for broken in self.texts.keys() {
            let mut reached = vec![false; index.name_count()];
            let mut waiting: Vec<_> = index.depends(*broken).names().collect();
            while let Some(name) = waiting.pop() {
                if !std::mem::replace(&mut reached[name.place()], true) {
                    waiting.extend(index.versions_of(name).flat_map(|package| index.depends(package).names()));
                }
            }
            let others =
                self.texts.keys().filter(|other| *other != broken && reached[index.package_name(**other).place()]);
            needs.insert(*broken, others.copied().collect());
        }
        needs
    }

    /// The packages that cannot be installed any more with these bounds, on a platform where they could.
    fn lost(&self, pairs: &[Pair]) -> Result<BTreeSet<PackageId>, BoundsError> {
        let index = self.index(pairs)?;
        let views: Vec<View<'_>> = self.targets.iter().map(|target| View::new(&index, &target.platform)).collect();
        let mut lost = BTreeSet::new();
        for used in self.uses {
            if self.solve(&views[used.target], &self.request(used, &index, None))?.is_none() {
                lost.insert(used.package);
            }
        }
        Ok(lost)
    }

    fn patch(&self, pairs: &[Pair]) -> String {
        let index = self.step.after;
        let mut patch = String::new();
        for (package, new) in self.edited(pairs) {
            let path = index.file(index.package_file(package)).path;
            let old = String::from_utf8_lossy(&self.texts[&package]).into_owned();
            let new = String::from_utf8_lossy(&new).into_owned();
            let diff = similar::TextDiff::from_lines(&old, &new);
            let text = diff.unified_diff().header(&format!("a/{path}"), &format!("b/{path}")).to_string();
            patch.push_str(&text);
        }
        patch
    }
}
