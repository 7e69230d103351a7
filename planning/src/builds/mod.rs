//! The builds that realise a set of solutions, each once.
//!
//! ```text
//! solutions ── realise ──> Builds: a graph of distinct builds, and for each job those that it needs
//!     ├─ schedule ──> when, on how many workers, how long
//!     ├─ keys ──> a name for each build that survives what does not concern it
//!     └─ layers ──> steps that many jobs begin with ──> OBuilder specs, Dockerfiles
//! ```
//!
//! Two solutions share a build where package, version and everything that it is built with are equal. What
//! it is built with is what it depends on, and that again: dependencies before it, optional ones that are
//! there, but not those that are only wanted beside it (`post`; rules S11 and D6). Given what it depends
//! on directly, each built in its way, the rest follows, so a build is a package with other builds.

pub mod dockerfile;
pub mod fingerprint;
pub mod grammar;
pub mod keys;
pub mod layers;
pub mod recipe;
pub mod schedule;
pub mod spec;
mod times;

pub use times::{Times, TimesError};

use crate::matrix::{Column, Matrix};
use caravan_solver::environment::DependencyFlags;
use caravan_solver::mask::Mask;
use caravan_solver::reduce::{Reduced, Reduction, UndefinedBound};
use caravan_solver::view::Masks;
use caravan_solver::{Flags, View};
use opam_parser::index::{NameId, PackageId};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// A build, by its place in [`Builds::builds`].
pub type BuildId = u32;

/// A package built with certain others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Which of the platforms.
    pub platform: usize,
    /// The package.
    pub package: PackageId,
    /// What the package was asked for with, such as its tests.
    pub flags: Flags,
    /// The builds that it is built with directly; each has a smaller number than this one.
    pub needs: Vec<BuildId>,
    /// How many jobs need it.
    pub jobs: u32,
}

/// A solution to be realised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which of the platforms.
    pub platform: usize,
    /// The package that it is about.
    pub package: PackageId,
    /// The build of that package.
    pub build: BuildId,
    /// All builds of the solution, in the order of their numbers.
    pub builds: Vec<BuildId>,
}

/// Distinct builds, and the jobs that need them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Builds {
    /// The builds; what a build needs comes before it.
    pub builds: Vec<Build>,
    /// The jobs, by platform and package.
    pub jobs: Vec<Job>,
}

impl Builds {
    /// The builds of everything in a matrix that can be installed.
    pub fn of(matrix: &Matrix<'_>) -> Self {
        let realise = |(column, cells): (&Column<'_>, &Vec<crate::matrix::Cell>)| {
            let mut realiser = Realiser::new(&column.view, matrix.flags);
            for (row, cell) in matrix.rows.iter().zip(cells) {
                if let Some(selection) = cell.selection() {
                    realiser.add(*row, selection.packages());
                }
            }
            realiser.done
        };
        let parts: Vec<Self> = matrix.columns.par_iter().zip(&matrix.cells).map(realise).collect();
        let mut all = Self::default();
        for (platform, part) in parts.into_iter().enumerate() {
            all.append(platform, part);
        }
        all
    }

    /// The builds of some solutions on one platform, each a package and all that is selected with it, in
    /// opam's order.
    pub fn of_solutions<'s>(
        view: &View<'_>,
        flags: Flags,
        solutions: impl IntoIterator<Item = (PackageId, &'s [PackageId])>,
    ) -> Self {
        let mut realiser = Realiser::new(view, flags);
        solutions.into_iter().for_each(|(package, selected)| realiser.add(package, selected));
        realiser.done
    }

    fn append(&mut self, platform: usize, part: Self) {
        let offset = self.builds.len() as BuildId;
        self.builds.extend(part.builds.into_iter().map(|mut build| {
            build.platform = platform;
            build.needs.iter_mut().for_each(|need| *need += offset);
            build
        }));
        self.jobs.extend(part.jobs.into_iter().map(|mut job| {
            job.platform = platform;
            job.build += offset;
            job.builds.iter_mut().for_each(|build| *build += offset);
            job
        }));
    }

    /// How many builds there would be if every job did its own.
    pub fn without_sharing(&self) -> usize {
        self.jobs.iter().map(|job| job.builds.len()).sum()
    }

    /// Everything that a build is built with, itself included, in the order of numbers.
    pub fn closure(&self, build: BuildId) -> Vec<BuildId> {
        let mut found = vec![build];
        let mut seen: rustc_hash::FxHashSet<BuildId> = found.iter().copied().collect();
        let mut next = 0;
        while let Some(at) = found.get(next).copied() {
            next += 1;
            found.extend(self.builds[at as usize].needs.iter().filter(|need| seen.insert(**need)));
        }
        found.sort_unstable();
        found
    }
}

/// Names, each with some of its versions.
type Edges = Box<[(NameId, Mask)]>;

/// Finds the builds of one platform's solutions.
struct Realiser<'v, 'i> {
    view: &'v View<'i>,
    flags: Flags,
    done: Builds,
    known: FxHashMap<Box<[u32]>, BuildId>,
    /// For each package what it may be built with, once it was asked for.
    edges: Vec<Option<Edges>>,
    /// For each name the version that the solution at hand has, and its build.
    selected: Vec<Option<PackageId>>,
    built: Vec<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Started,
    Built(BuildId),
}

impl<'v, 'i> Realiser<'v, 'i> {
    fn new(view: &'v View<'i>, flags: Flags) -> Self {
        let index = view.index();
        Self {
            view,
            flags,
            done: Builds::default(),
            known: FxHashMap::default(),
            edges: vec![None; index.package_count()],
            selected: vec![None; index.name_count()],
            built: vec![State::Waiting; index.name_count()],
        }
    }

    fn add(&mut self, package: PackageId, selection: &[PackageId]) {
        let index = self.view.index();
        for selected in selection {
            let name = index.package_name(*selected).place();
            self.selected[name] = Some(*selected);
            self.built[name] = State::Waiting;
        }
        let mut builds: Vec<BuildId> = Vec::with_capacity(selection.len());
        for selected in selection {
            builds.push(self.build(*selected, package));
        }
        let own = self.built[index.package_name(package).place()];
        for selected in selection {
            self.selected[index.package_name(*selected).place()] = None;
        }
        builds.sort_unstable();
        for build in &builds {
            self.done.builds[*build as usize].jobs += 1;
        }
        if let State::Built(build) = own {
            self.done.jobs.push(Job { platform: 0, package, build, builds });
        }
    }

    /// The build of a package in the solution at hand. What is needed in a circle, which only optional
    /// dependencies and dialects that allow circles can make, is left out where the circle closes.
    fn build(&mut self, package: PackageId, root: PackageId) -> BuildId {
        let index = self.view.index();
        let mut stack = vec![package];
        loop {
            let at = *stack.last().unwrap_or(&package);
            let name = index.package_name(at).place();
            if let State::Built(build) = self.built[name] {
                stack.pop();
                if stack.is_empty() {
                    return build;
                }
                continue;
            }
            let asked = at == root && self.flags != Flags::default();
            let flags = if asked { self.flags } else { Flags::default() };
            let needs: Vec<PackageId> = self.needs(at, flags);
            let first = self.built[name] == State::Waiting;
            self.built[name] = State::Started;
            let mut waiting = false;
            if first {
                for need in &needs {
                    if self.built[index.package_name(*need).place()] == State::Waiting {
                        stack.push(*need);
                        waiting = true;
                    }
                }
            }
            if waiting {
                continue;
            }
            let mut key: Vec<u32> = Vec::with_capacity(needs.len() + 2);
            for need in &needs {
                if let State::Built(build) = self.built[index.package_name(*need).place()] {
                    key.push(build);
                }
            }
            key.sort_unstable();
            key.extend([at.0, u32::from(asked)]);
            let build = self.intern(&key, at, flags);
            self.built[name] = State::Built(build);
        }
    }

    fn intern(&mut self, key: &[u32], package: PackageId, flags: Flags) -> BuildId {
        if let Some(known) = self.known.get(key) {
            return *known;
        }
        let build = self.done.builds.len() as BuildId;
        let needs = key[..key.len() - 2].to_vec();
        self.done.builds.push(Build { platform: 0, package, flags, needs, jobs: 0 });
        self.known.insert(key.into(), build);
        build
    }

    /// What a package is built with in the solution at hand.
    fn needs(&mut self, package: PackageId, flags: Flags) -> Vec<PackageId> {
        let place = package.place();
        if flags == Flags::default() && self.edges[place].is_none() {
            self.edges[place] = Some(edges(self.view, package, None));
        }
        let own;
        let edges = match (&self.edges[place], flags == Flags::default()) {
            (Some(edges), true) => edges,
            _ => {
                own = edges(self.view, package, Some(flags));
                &own
            }
        };
        let index = self.view.index();
        let there = edges.iter().filter_map(|(name, mask)| {
            let selected = self.selected[name.place()].filter(|selected| *selected != package)?;
            mask.contains((selected.0 - index.package_range(*name).start) as usize).then_some(selected)
        });
        let mut needs: Vec<PackageId> = there.collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    }
}

/// What a package is built with if it is there: all that it wants before it, and its optional
/// dependencies.
fn edges(view: &View<'_>, package: PackageId, asked: Option<Flags>) -> Edges {
    let index = view.index();
    let flags = view.flags(package, asked);
    let before = match asked {
        None => view.before(package).clone(),
        Some(_) => view.compile_before(package, flags),
    };
    let mut edges = before.into_vec();
    let depopts = index.depopts(package);
    if !depopts.is_empty() {
        let environment = view.environment(package, DependencyFlags { post: Some(false), ..flags });
        let sets = Masks(index);
        let undefined_bound = UndefinedBound::False;
        let reduction = Reduction { index, environment: &environment, default: false, undefined_bound, sets: &sets };
        if let Some(formula) = reduction.formula(depopts) {
            atoms(view, formula, &mut edges);
        }
    }
    edges.into_boxed_slice()
}

fn atoms(view: &View<'_>, formula: Reduced<Mask>, into: &mut Vec<(NameId, Mask)>) {
    match formula {
        Reduced::Atom(name, set) => {
            let all = || Mask::all(view.index().package_range(name).len());
            into.push((name, set.unwrap_or_else(all)));
        }
        Reduced::All(parts) | Reduced::Any(parts) => parts.into_iter().for_each(|part| atoms(view, part, into)),
    }
}
