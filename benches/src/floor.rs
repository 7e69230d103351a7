//! The floor of solving: resolvo, a CDCL solver of another community, on the same packages.
//!
//! Everything that can be made beforehand is: versions are sorted, dependencies and constraints interned,
//! candidates of a constraint kept. Its answers are not the best ones by our order, only newest-first.

use caravan_solver::View;
use caravan_solver::mask::Mask;
use caravan_solver::view::Requirement;
use opam_parser::index::{NameId as OpamName, PackageId};
use resolvo::utils::{Pool, VersionSet};
use resolvo::{
    Candidates, Condition, ConditionId, Dependencies, DependencyProvider, HintDependenciesAvailable, Interner,
    KnownDependencies, NameId, SolvableId, Solver, SolverCache, StringId, VersionSetId, VersionSetUnionId,
};
use std::collections::HashMap;
use std::fmt::Display;

/// A set of versions, by their places.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Places(Vec<u64>);

impl VersionSet for Places {
    type V = u32;
}

impl Places {
    fn contains(&self, place: u32) -> bool {
        self.0.get(place as usize / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }
}

fn places(mask: &Mask) -> Places {
    // Bit 0 is "not installed", so a version's bit is its place and one.
    Places(mask.words().to_vec())
}

/// The packages of a view, as resolvo sees them.
pub struct Universe {
    pool: Pool<Places, String>,
    candidates: HashMap<NameId, Vec<SolvableId>>,
    dependencies: HashMap<SolvableId, KnownDependencies>,
    roots: HashMap<PackageId, VersionSetId>,
}

impl Universe {
    /// Everything that does not depend on a question.
    pub fn new(view: &View<'_>) -> Self {
        let index = view.index();
        let mut made = Self {
            pool: Pool::default(),
            candidates: HashMap::new(),
            dependencies: HashMap::new(),
            roots: HashMap::new(),
        };
        let names: HashMap<OpamName, NameId> =
            index.names().map(|name| (name, made.pool.intern_package_name(index.name(name)))).collect();
        let mut members: HashMap<OpamName, Vec<PackageId>> = HashMap::new();
        for name in index.names() {
            for package in index.package_range(name).packages_at(view.name(name).available.positions()) {
                for class in &view.package(package).classes {
                    members.entry(*class).or_default().push(package);
                }
            }
        }
        for name in index.names() {
            let mut solvables: Vec<SolvableId> = Vec::new();
            for place in view.name(name).available.positions() {
                let Some(package) = index.package_at(name, place) else { continue };
                let solvable = made.pool.intern_solvable(names[&name], place as u32 + 1);
                solvables.push(solvable);
                let compiled = view.package(package);
                let mut known = KnownDependencies::default();
                for requirement in &compiled.requires {
                    known.requirements.push(made.requirement(view, &names, package, requirement));
                }
                for (other, mask) in &compiled.conflicts {
                    let versions = index.package_range(*other).len();
                    known
                        .constrains
                        .push(made.pool.intern_version_set(names[other], places(&mask.complement(versions))));
                }
                for class in &compiled.classes {
                    let mut others: HashMap<OpamName, Mask> = HashMap::new();
                    for other in members[class].iter().filter(|other| index.package_name(**other) != name) {
                        let other_name = index.package_name(*other);
                        let versions = index.package_range(other_name).len();
                        others
                            .entry(other_name)
                            .or_insert_with(|| Mask::empty(versions))
                            .insert(index.version_position(*other));
                    }
                    for (other, mask) in others {
                        let versions = index.package_range(other).len();
                        known
                            .constrains
                            .push(made.pool.intern_version_set(names[&other], places(&mask.complement(versions))));
                    }
                }
                if compiled.impossible.is_some() {
                    solvables.pop();
                }
                made.dependencies.insert(solvable, known);
                let mut own = Mask::empty(index.package_range(name).len());
                own.insert(place);
                made.roots.insert(package, made.pool.intern_version_set(names[&name], places(&own)));
            }
            // The newest first.
            solvables.reverse();
            made.candidates.insert(names[&name], solvables);
        }
        made
    }

    fn requirement(
        &mut self,
        view: &View<'_>,
        names: &HashMap<OpamName, NameId>,
        package: PackageId,
        requirement: &Requirement,
    ) -> resolvo::ConditionalRequirement {
        match requirement {
            Requirement::Package(name, mask) => self.pool.intern_version_set(names[name], places(mask)).into(),
            Requirement::Choice(choice) => {
                // A package with a version for each branch; the first is the newest.
                let text = format!("{} choice {choice}", view.index().package_text(package));
                let name = self.pool.intern_package_name(text);
                let branches = view.package(package).choices[*choice as usize].branches.clone();
                let mut solvables = Vec::new();
                for (place, branch) in branches.iter().enumerate() {
                    let solvable = self.pool.intern_solvable(name, place as u32 + 1);
                    solvables.push(solvable);
                    let mut known = KnownDependencies::default();
                    for part in branch {
                        known.requirements.push(self.requirement(view, names, package, part));
                    }
                    self.dependencies.insert(solvable, known);
                }
                let all = places(&Mask::all(branches.len()));
                self.candidates.insert(name, solvables);
                self.pool.intern_version_set(name, all).into()
            }
        }
    }

    /// A solver for one root after the other.
    pub fn solver(&self) -> Solver<Provider<'_>> {
        Solver::new(Provider(self))
    }

    /// Whether a package can be installed.
    pub fn solve(&self, solver: &mut Solver<Provider<'_>>, package: PackageId) -> bool {
        let problem = resolvo::Problem::new().requirements(vec![self.roots[&package].into()]);
        solver.solve(problem).is_ok()
    }
}

/// What resolvo asks.
pub struct Provider<'u>(&'u Universe);

impl Interner for Provider<'_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        self.0.pool.resolve_solvable(solvable).record
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        self.0.pool.resolve_package_name(name).clone()
    }

    fn display_version_set(&self, _: VersionSetId) -> impl Display + '_ {
        "versions"
    }

    fn display_string(&self, string: StringId) -> impl Display + '_ {
        self.0.pool.resolve_string(string).to_owned()
    }

    fn version_set_name(&self, set: VersionSetId) -> NameId {
        self.0.pool.resolve_version_set_package_name(set)
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        self.0.pool.resolve_solvable(solvable).name
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        self.0.pool.resolve_version_set_union(union)
    }

    fn resolve_condition(&self, condition: ConditionId) -> Condition {
        self.0.pool.resolve_condition(condition).clone()
    }
}

impl DependencyProvider for Provider<'_> {
    async fn filter_candidates(&self, candidates: &[SolvableId], set: VersionSetId, inverse: bool) -> Vec<SolvableId> {
        let set = self.0.pool.resolve_version_set(set);
        let inside = |solvable: &SolvableId| set.contains(self.0.pool.resolve_solvable(*solvable).record) != inverse;
        candidates.iter().copied().filter(inside).collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates> {
        let candidates = self.0.candidates.get(&name)?.clone();
        Some(Candidates { candidates, hint_dependencies_available: HINT, ..Candidates::default() })
    }

    /// They are kept in their order: the newest, or the first branch, first.
    async fn sort_candidates(&self, _: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        let record = |solvable: &SolvableId| self.0.pool.resolve_solvable(*solvable).record;
        let is_choice = solvables.first().is_some_and(|first| {
            self.0.pool.resolve_package_name(self.0.pool.resolve_solvable(*first).name).contains(' ')
        });
        solvables.sort_by_key(|solvable| if is_choice { record(solvable) } else { u32::MAX - record(solvable) });
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        Dependencies::Known(self.0.dependencies[&solvable].clone())
    }
}

/// Told that all dependencies are known beforehand resolvo is slower here (3.1 s instead of 2.7 s for
/// every newest version), so it is not told.
const HINT: HintDependenciesAvailable = HintDependenciesAvailable::None;
