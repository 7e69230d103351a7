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
//! on directly, each built in its way, the rest follows, so a build is a package with other builds. Optional
//! dependencies that would close a circle do not count.

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
use rustc_hash::{FxHashMap, FxHashSet};

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
        let mut seen: FxHashSet<BuildId> = found.iter().copied().collect();
        let mut next = 0;
        while let Some(at) = found.get(next).copied() {
            next += 1;
            found.extend(self.builds[at as usize].needs.iter().filter(|need| seen.insert(**need)));
        }
        found.sort_unstable();
        found
    }
}

/// What a package is built with if it is there: names, each with some of its versions.
#[derive(Clone)]
struct Edges {
    all: Box<[(NameId, Mask)]>,
    /// How many of them, from the first, are not optional.
    required: usize,
}

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
    /// Optional dependencies that the solution at hand has in a circle.
    left_out: FxHashSet<(PackageId, PackageId)>,
}

/// Packages of a solution need each other in a circle.
struct Circle;

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
            left_out: FxHashSet::default(),
        }
    }

    fn add(&mut self, package: PackageId, selection: &[PackageId]) {
        let index = self.view.index();
        for selected in selection {
            let name = index.package_name(*selected).place();
            self.selected[name] = Some(*selected);
            self.built[name] = State::Waiting;
        }
        let mut builds = self.build_all(selection, package, false);
        if builds.is_err() {
            // What was found to be a build until then is one: it needs nothing of the circle.
            self.leave_out(selection, package);
            selection.iter().for_each(|selected| self.built[index.package_name(*selected).place()] = State::Waiting);
            builds = self.build_all(selection, package, true);
        }
        let mut builds = builds.unwrap_or_default();
        self.left_out.clear();
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

    fn build_all(&mut self, selection: &[PackageId], root: PackageId, closes: bool) -> Result<Vec<BuildId>, Circle> {
        selection.iter().map(|selected| self.build(*selected, root, closes)).collect()
    }

    /// Finds the optional dependencies of the solution at hand that are part of circles.
    fn leave_out(&mut self, selection: &[PackageId], root: PackageId) {
        let mut needs: FxHashMap<PackageId, (Vec<PackageId>, usize)> = FxHashMap::default();
        for selected in selection {
            needs.insert(*selected, self.needs(*selected, root));
        }
        let reaches = |from: PackageId, to: PackageId| {
            let mut seen: FxHashSet<PackageId> = FxHashSet::default();
            let mut work = vec![from];
            while let Some(at) = work.pop() {
                if at == to {
                    return true;
                }
                if seen.insert(at) {
                    work.extend(needs.get(&at).into_iter().flat_map(|(needs, _)| needs));
                }
            }
            false
        };
        let mut found = FxHashSet::default();
        for (package, (all, required)) in &needs {
            let optional = all[*required..].iter().filter(|optional| reaches(**optional, *package));
            found.extend(optional.map(|optional| (*package, *optional)));
        }
        self.left_out = found;
    }

    /// The build of a package in the solution at hand.
    ///
    /// # Errors
    /// When packages need each other in a circle. If `closes`, all optional dependencies in circles were left
    /// out already, so only a dialect that allows circles has one; it is left open where it would close.
    fn build(&mut self, package: PackageId, root: PackageId, closes: bool) -> Result<BuildId, Circle> {
        let index = self.view.index();
        let mut stack = vec![package];
        loop {
            let at = *stack.last().unwrap_or(&package);
            let name = index.package_name(at).place();
            if let State::Built(build) = self.built[name] {
                stack.pop();
                if stack.is_empty() {
                    return Ok(build);
                }
                continue;
            }
            let (needs, _) = self.needs(at, root);
            let first = self.built[name] == State::Waiting;
            self.built[name] = State::Started;
            let mut waiting = false;
            let mut key: Vec<u32> = Vec::with_capacity(needs.len() + 2);
            for need in &needs {
                match self.built[index.package_name(*need).place()] {
                    State::Built(build) => key.push(build),
                    State::Waiting if first => {
                        stack.push(*need);
                        waiting = true;
                    }
                    _ if closes => {}
                    _ => return Err(Circle),
                }
            }
            if waiting {
                continue;
            }
            let flags = self.asked(at, root);
            key.sort_unstable();
            key.extend([at.0, u32::from(flags != Flags::default())]);
            let build = self.intern(&key, at, flags);
            self.built[name] = State::Built(build);
        }
    }

    /// What a package is asked for with.
    fn asked(&self, package: PackageId, root: PackageId) -> Flags {
        if package == root { self.flags } else { Flags::default() }
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

    /// What a package is built with in the solution at hand, and how many of these, from the first, are
    /// not optional.
    fn needs(&mut self, package: PackageId, root: PackageId) -> (Vec<PackageId>, usize) {
        let (place, flags) = (package.place(), self.asked(package, root));
        let own;
        let edges = match flags == Flags::default() {
            true => &*self.edges[place].get_or_insert_with(|| edges(self.view, package, None)),
            false => {
                own = edges(self.view, package, Some(flags));
                &own
            }
        };
        let index = self.view.index();
        let mut needs: Vec<PackageId> = Vec::with_capacity(edges.all.len());
        let mut required = 0;
        for (edge, (name, mask)) in edges.all.iter().enumerate() {
            if edge == edges.required {
                required = needs.len();
            }
            let Some(selected) = self.selected[name.place()].filter(|selected| *selected != package) else { continue };
            let there = mask.contains((selected.0 - index.package_range(*name).start) as usize);
            if there && !needs.contains(&selected) && !self.left_out.contains(&(package, selected)) {
                needs.push(selected);
            }
        }
        if edges.required == edges.all.len() {
            required = needs.len();
        }
        (needs, required)
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
    let mut all = before.into_vec();
    let required = all.len();
    let depopts = index.depopts(package);
    if !depopts.is_empty() {
        let environment = view.environment(package, DependencyFlags { post: Some(false), ..flags });
        let sets = Masks(index);
        let undefined_bound = UndefinedBound::False;
        let reduction = Reduction { index, environment: &environment, default: false, undefined_bound, sets: &sets };
        if let Some(formula) = reduction.formula(depopts) {
            atoms(view, formula, &mut all);
        }
    }
    Edges { all: all.into_boxed_slice(), required }
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
