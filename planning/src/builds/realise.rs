//! Realising solutions: finding the distinct builds that they need.

use super::edges::{Edges, edges};
use super::graph::{Build, BuildId, Builds, Job};
use crate::matrix::{Cell, Matrix, TargetView};
use caravan_solver::{Flags, View};
use opam_parser::index::PackageId;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

impl Builds {
    /// The builds of everything in a matrix that can be installed.
    pub fn of(matrix: &Matrix<'_>) -> Self {
        let realise = |(platform, cells): (&TargetView<'_>, &Vec<Cell>)| {
            let mut realiser = Realiser::new(&platform.view, matrix.flags);
            for (row, cell) in matrix.rows.iter().zip(cells) {
                if let Some(selection) = cell.selection() {
                    realiser.add(*row, selection.packages());
                }
            }
            realiser.done
        };
        let parts: Vec<Self> = matrix.platforms.par_iter().zip(&matrix.cells).map(realise).collect();
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
    built: Vec<Progress>,
    /// Optional dependencies that the solution at hand has in a cycle.
    left_out: FxHashSet<(PackageId, PackageId)>,
}

/// Packages of a solution need each other in a cycle.
#[derive(Debug, thiserror::Error)]
#[error("packages of the solution need each other in a cycle")]
struct DependencyCycle;

/// How far the build of a selected package is found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
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
            built: vec![Progress::Waiting; index.name_count()],
            left_out: FxHashSet::default(),
        }
    }

    fn add(&mut self, package: PackageId, selection: &[PackageId]) {
        let index = self.view.index();
        for selected in selection {
            let name = index.package_name(*selected).place();
            self.selected[name] = Some(*selected);
            self.built[name] = Progress::Waiting;
        }
        let mut builds = self.build_all(selection, package, false);
        if builds.is_err() {
            // What was found to be a build until then is one: it needs nothing of the cycle.
            self.leave_out(selection, package);
            selection.iter().for_each(|selected| self.built[index.package_name(*selected).place()] = Progress::Waiting);
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
        if let Progress::Built(build) = own {
            self.done.jobs.push(Job { platform: 0, package, build, builds });
        }
    }

    fn build_all(
        &mut self,
        selection: &[PackageId],
        root: PackageId,
        closes: bool,
    ) -> Result<Vec<BuildId>, DependencyCycle> {
        selection.iter().map(|selected| self.build(*selected, root, closes)).collect()
    }

    /// Finds the optional dependencies of the solution at hand that are part of cycles.
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
    /// When packages need each other in a cycle. If `closes`, all optional dependencies in cycles were left
    /// out already, so only a dialect that allows cycles has one; it is left open where it would close.
    fn build(&mut self, package: PackageId, root: PackageId, closes: bool) -> Result<BuildId, DependencyCycle> {
        let index = self.view.index();
        let mut stack = vec![package];
        loop {
            let at = *stack.last().unwrap_or(&package);
            let name = index.package_name(at).place();
            if let Progress::Built(build) = self.built[name] {
                stack.pop();
                if stack.is_empty() {
                    return Ok(build);
                }
                continue;
            }
            let (needs, _) = self.needs(at, root);
            let first = self.built[name] == Progress::Waiting;
            self.built[name] = Progress::Started;
            let mut waiting = false;
            let mut key: Vec<u32> = Vec::with_capacity(needs.len() + 2);
            for need in &needs {
                match self.built[index.package_name(*need).place()] {
                    Progress::Built(build) => key.push(build),
                    Progress::Waiting if first => {
                        stack.push(*need);
                        waiting = true;
                    }
                    _ if closes => {}
                    _ => return Err(DependencyCycle),
                }
            }
            if waiting {
                continue;
            }
            let flags = self.asked(at, root);
            key.sort_unstable();
            key.extend([u32::from(at), u32::from(flags != Flags::default())]);
            let build = self.intern(&key, at, flags);
            self.built[name] = Progress::Built(build);
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
            let there = mask.contains(index.version_position(selected));
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
