//! The answer to a request (section 4), in the steps between which a worker may remember an earlier one.

use super::json::{OpamText, Refusal, Selection, SolveRequest, SolveResponse, Vars};
use super::roots::is_compatible;
use super::stable::{Lineage, LineageError};
use crate::digest::{Digest, Key};
use crate::reach::{Reach, closure, mentioned};
use caravan_solver::problem::{Constraint, Preference};
use caravan_solver::{
    Amendments, Dialect, Flags, Platform, Request, Root, Setting, SolveError, Stop, Stopped, View, explain_facts,
    solve_until,
};
use opam_parser::file::{self, OpamFile, Parsed};
use opam_parser::index::{Index, NameId, PackageId, Part};
use opam_parser::name::{PackageName, split_package};
use opam_parser::syntax::RelOp;
use opam_parser::version::{self, Version};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// A repository at a commit.
pub struct State<'s> {
    /// Its URL, as the request has it.
    pub url: &'s str,
    /// The commit.
    pub commit: &'s str,
    /// Its packages.
    pub index: &'s Index,
    /// What their names need.
    pub reach: &'s Reach,
    /// The commits before it.
    pub lineage: &'s Lineage,
}

/// What is always watched, whether or not it is selected: what clients build it with.
const WATCHED: &str = "odoc.2.1.1";

/// The package whose versions say which version of OCaml is released.
const COMPILER: &str = "ocaml-base-compiler";

/// The package that says that betas are welcome.
const OCAML_BETA: &str = "opam-version: \"2.0\"\nflags: avoid-version\n";

/// Answers a request. `states` are the repositories that it names, in its order. `log` gets each line of the
/// log, without the time; lines of one platform come together and in the order of the request.
pub fn answer(states: &[State<'_>], request: &SolveRequest, log: &mut dyn FnMut(&str), stop: &Stop) -> SolveResponse {
    let mut selections = || {
        let asked = Asked::read(states, request)?;
        let (found, _) = asked.solve(stop)?;
        asked.respond(found, log, stop)
    };
    match selections() {
        Ok(selections) => SolveResponse::Ok(selections),
        Err(refusal) => SolveResponse::Error(refusal),
    }
}

/// A package of the request.
type Given = (PackageName, Version, OpamFile);

fn refused(error: impl std::fmt::Display) -> Refusal {
    Refusal::Msg(error.to_string())
}

fn given((package, text): &(String, OpamText)) -> Result<Given, Refusal> {
    let wrong = |what: String| Refusal::Msg(format!("Error parsing {package}: {what}"));
    let (name, version) = split_package(package).ok_or_else(|| wrong("it is not NAME.VERSION".to_owned()))?;
    let Parsed { file, diagnostics } = OpamFile::parse(&text.0);
    let said = || diagnostics.first().map(|found| found.render(package, &text.0, false)).unwrap_or_default();
    Ok((name, version, file.ok_or_else(|| wrong(said()))?))
}

/// A request with everything that its answer can depend on.
pub struct Asked<'s> {
    states: &'s [State<'s>],
    request: &'s SolveRequest,
    roots: Vec<Given>,
    pins: Vec<Given>,
    /// For each state, which of its names can matter.
    reached: Vec<Vec<bool>>,
    /// These names alone, with the pins.
    index: Index,
    /// For each platform, whether its compiler is not released (step 9).
    is_development: Vec<bool>,
    /// For those: the index in which betas are welcome.
    with_beta: Option<Index>,
}

/// What came out for a platform, but for the commits: these are looked up for each request, as newer commits
/// may have the same answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    lines: Vec<String>,
    selection: Option<FoundSelection>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct FoundSelection {
    compat_pkgs: Vec<String>,
    packages: Vec<String>,
    /// For each package the place of the state that it is from; `None` for pins.
    origins: Vec<Option<u32>>,
}

impl<'s> Asked<'s> {
    /// Reads what the request gives, and finds what it can concern.
    ///
    /// # Errors
    /// When a file that it gives is broken, or everything is too large.
    pub fn read(states: &'s [State<'s>], request: &'s SolveRequest) -> Result<Self, Refusal> {
        let roots: Vec<Given> = request.root_pkgs.iter().map(given).collect::<Result<_, _>>()?;
        let also: Vec<Given> = request.pinned_pkgs.iter().map(given).collect::<Result<_, _>>()?;
        let mut known: FxHashSet<&PackageName> = FxHashSet::default();
        let pins: Vec<Given> = roots.iter().chain(&also).filter(|pin| known.insert(&pin.0)).cloned().collect();
        let alone = Index::from_parts(&[], &pins).map_err(refused)?;
        let mut mentions = Vec::new();
        alone.packages().for_each(|package| mentioned(&alone, package, true, &mut mentions));
        let named = mentions.iter().map(|name| alone.name(*name));
        let named = named.chain(pins.iter().map(|(name, ..)| name.as_str()));
        let compilers = request.platforms.iter().map(|(_, vars)| vars.ocaml_package.as_str());
        let tables: Vec<(&Index, &Reach)> = states.iter().map(|state| (state.index, state.reach)).collect();
        let reached = closure(&tables, named.chain(compilers).chain([COMPILER]));
        let newest = states.iter().filter_map(|state| newest_series(state.index)).max();
        let is_development: Vec<bool> = request
            .platforms
            .iter()
            .map(|(_, vars)| newest.as_ref().is_some_and(|newest| series(&vars.ocaml_version) > *newest))
            .collect();
        let with_beta = is_development.contains(&true).then(|| {
            let beta = given(&("ocaml-beta.enabled".to_owned(), OCAML_BETA.into()))?;
            joined(states, &reached, &[pins.as_slice(), &[beta]].concat())
        });
        let index = joined(states, &reached, &pins)?;
        let with_beta = with_beta.transpose()?;
        Ok(Self { states, request, roots, pins, reached, index, is_development, with_beta })
    }

    /// Names everything that the selections depend on: as long as it is the same, so are they.
    pub fn looked_at(&self) -> Key {
        let mut digest = Digest::default();
        digest.add("solver-service/1");
        let SolveRequest { root_pkgs, pinned_pkgs, platforms, opam_repository_commits: _ } = self.request;
        digest.add(root_pkgs);
        digest.add(pinned_pkgs);
        digest.add(platforms);
        for (state, names) in self.states.iter().zip(&self.reached) {
            digest.add(&state.url);
            let stamps: Vec<_> = Part { index: state.index, names: Some(names) }.stamps().collect();
            digest.add(&stamps);
        }
        digest.key()
    }

    /// Solves on every platform; also says how many package versions were looked at.
    ///
    /// # Errors
    /// When it is cancelled, takes too long, or a file that matters is broken.
    pub fn solve(&self, stop: &Stop) -> Result<(Vec<Found>, u64), Refusal> {
        let mut views: Vec<((bool, Platform), View<'_>)> = Vec::new();
        let mut places = Vec::new();
        for ((_, vars), is_development) in self.request.platforms.iter().zip(&self.is_development) {
            let platform = platform(vars);
            let known =
                views.iter().position(|((development, known), _)| development == is_development && *known == platform);
            places.push(known.unwrap_or(views.len()));
            if known.is_none() {
                let index = self.with_beta.as_ref().filter(|_| *is_development).unwrap_or(&self.index);
                let setting = Setting { dialect: Dialect::SolverService, ..Setting::new(platform.clone()) };
                // What is given counts as available: only what is looked for has to be (steps 5 and 6).
                let view = View::of(index, &setting).amended(self.available(index));
                views.push(((*is_development, platform), view));
            }
        }
        let one = |((id, vars), place): (&(String, Vars), &usize)| {
            Question { asked: self, view: &views[*place].1, id, vars }.answer(stop)
        };
        let found = self.request.platforms.par_iter().zip(&places).map(one).collect::<Result<_, _>>()?;
        Ok((found, views.iter().map(|(_, view)| view.explored() as u64).sum()))
    }

    /// What the request gives, made available.
    fn available(&self, index: &Index) -> Amendments {
        let mut amendments = Amendments::new();
        let packages = self.pins.iter().filter_map(|pin| package(index, pin));
        packages.for_each(|package| amendments.make_available(package));
        amendments
    }

    /// The answer, from what was found now or earlier.
    ///
    /// # Errors
    /// When a repository's history cannot be read, or it is cancelled.
    pub fn respond(
        &self,
        found: Vec<Found>,
        log: &mut dyn FnMut(&str),
        stop: &Stop,
    ) -> Result<Vec<Selection>, Refusal> {
        let roots: Vec<&str> = self.request.root_pkgs.iter().map(|(package, _)| package.as_str()).collect();
        log(&format!("Solving for {}", roots.join(" ")));
        let mut selections = Vec::new();
        for (found, (id, vars)) in found.into_iter().zip(&self.request.platforms) {
            found.lines.iter().for_each(|line| log(line));
            let Some(selection) = found.selection else { continue };
            let commits = self.commits(&selection, stop)?;
            let shown: Vec<&str> = commits.iter().map(|(_, commit)| commit.as_str()).collect();
            log(&format!("(valid since opam-repository commit(s): {})", shown.join(" ")));
            let FoundSelection { compat_pkgs, packages, .. } = selection;
            let lower_bound = vars.lower_bound;
            selections.push(Selection { id: id.clone(), compat_pkgs, packages, commits, lower_bound });
        }
        Ok(selections)
    }

    /// For each repository that a selected package is from the oldest commit that will do.
    fn commits(&self, selection: &FoundSelection, stop: &Stop) -> Result<Vec<(String, String)>, Refusal> {
        let mut watched: Vec<FxHashSet<String>> = vec![FxHashSet::default(); self.states.len()];
        for (package, origin) in selection.packages.iter().zip(&selection.origins) {
            if let Some(watched) = origin.and_then(|place| watched.get_mut(place as usize)) {
                watched.insert(package.clone());
            }
        }
        let pairs = self.states.iter().zip(watched).filter(|(_, watched)| !watched.is_empty());
        pairs
            .map(|(state, mut watched)| {
                watched.insert(WATCHED.to_owned());
                let oldest = state.lineage.oldest_with(state.commit, &watched, stop);
                Ok((
                    state.url.to_owned(),
                    oldest.map_err(|error| match error {
                        LineageError::Stopped(Stopped::Cancelled) => Refusal::Cancelled,
                        error => refused(error),
                    })?,
                ))
            })
            .collect()
    }
}

/// The names that matter, with pins. Later repositories are on top (step 3).
fn joined(states: &[State<'_>], reached: &[Vec<bool>], pins: &[Given]) -> Result<Index, Refusal> {
    let parts: Vec<Part<'_>> = states
        .iter()
        .zip(reached)
        .rev()
        .map(|(state, names)| Part { index: state.index, names: Some(names) })
        .collect();
    Index::from_parts(&parts, pins).map_err(refused)
}

fn package(index: &Index, (name, version, _): &Given) -> Option<PackageId> {
    index.find_package(index.find_name(name.as_str())?, version.as_str())
}

/// A version of OCaml without its last number: `5.4`.
fn series(version: &str) -> Series {
    let end = version.match_indices(['.', '~', '+']).nth(1).map_or(version.len(), |(end, _)| end);
    Series(version[..end].to_owned())
}

#[derive(PartialEq, Eq)]
struct Series(String);

impl Ord for Series {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        version::compare(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl PartialOrd for Series {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The newest series of which a version is released: what is above is being developed.
fn newest_series(index: &Index) -> Option<Series> {
    let released = |package: &PackageId| !index.flags(*package).intersects(file::Flags::AVOID_VERSION);
    let newest = index.versions_of(index.find_name(COMPILER)?).rev().find(released)?;
    Some(series(index.version(index.package_version(newest))))
}

/// A request on one platform.
struct Question<'q> {
    asked: &'q Asked<'q>,
    view: &'q View<'q>,
    id: &'q str,
    vars: &'q Vars,
}

impl Question<'_> {
    fn answer(&self, stop: &Stop) -> Result<Found, Refusal> {
        let (index, view, id, vars) = (self.view.index(), self.view, self.id, self.vars);
        let started = Instant::now();
        let seconds = || started.elapsed().as_secs_f64();
        let fits = |root: &&Given| {
            package(index, root).is_some_and(|package| is_compatible(view, package, &vars.ocaml_version))
        };
        let compatible: Vec<&Given> = self.asked.roots.iter().filter(fits).collect();
        if compatible.is_empty() {
            let lines = vec![format!("{id}: not available for this platform")];
            return Ok(Found { lines, selection: None, seconds: seconds() });
        }
        let request = self.request(&compatible)?;
        self.no_broken_file(&request)?;
        let selection = match solve_until(view, &request, stop) {
            Ok(selection) => selection,
            Err(SolveError::Stopped(Stopped::Cancelled)) => return Err(Refusal::Cancelled),
            // Something that is asked for does not exist, or does not fit.
            Err(SolveError::NoSolution | SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. }) => {
                let mut lines = vec![format!("{id}: eliminated all possibilities in {:.2} s", seconds())];
                let facts =
                    explain_facts(view, &request, stop).map(|facts| facts.iter().map(ToString::to_string).collect());
                lines.extend(facts.unwrap_or_else(|error| vec![error.to_string()]));
                return Ok(Found { lines, selection: None, seconds: seconds() });
            }
            Err(error) => return Err(refused(error)),
        };
        let packages: Vec<String> = selection.packages().iter().map(|package| index.package_text(*package)).collect();
        let lines = vec![
            format!("{id}: found solution in {:.2} s", seconds()),
            format!("= {id} ="),
            format!("-> {}", packages.join(" ")),
        ];
        // Layer 0 is that of the pins; the last of the states comes next.
        let states = self.asked.states.len();
        let origin = |package: &PackageId| {
            let layer = index.file(index.package_file(*package)).layer;
            states.checked_sub(layer).filter(|_| layer > 0).map(|place| place as u32)
        };
        let selection = FoundSelection {
            compat_pkgs: compatible.iter().map(|(name, version, _)| format!("{name}.{version}")).collect(),
            origins: selection.packages().iter().map(origin).collect(),
            packages,
        };
        Ok(Found { lines, selection: Some(selection), seconds: seconds() })
    }

    fn request(&self, roots: &[&Given]) -> Result<Request, Refusal> {
        let vars = self.vars;
        let wrong = || Refusal::Msg(format!("{}.{} is no package", vars.ocaml_package, vars.ocaml_version));
        let exactly = |name: PackageName, version: Version, flags| Root {
            name,
            constraints: vec![Constraint(RelOp::Eq, version)],
            flags,
        };
        let compiler = exactly(
            PackageName::new(&vars.ocaml_package).ok_or_else(wrong)?,
            Version::new(&vars.ocaml_version).ok_or_else(wrong)?,
            Flags::default(),
        );
        let flags = Flags { with_test: true, ..Flags::default() };
        let roots = roots.iter().map(|(name, version, _)| exactly(name.clone(), version.clone(), flags));
        let prefer = if vars.lower_bound { Preference::Oldest } else { Preference::Newest };
        Ok(Request { roots: std::iter::once(compiler).chain(roots).collect(), prefer, ..Request::default() })
    }

    /// A file that cannot be read fails the request if its name is looked at (step 2): any that a root, or
    /// any version of something that it needs, needs or conflicts with.
    fn no_broken_file(&self, request: &Request) -> Result<(), Refusal> {
        let index = self.view.index();
        let broken: Vec<_> = index.broken_files().collect();
        if broken.is_empty() {
            return Ok(());
        }
        let mut seen = vec![false; index.name_count()];
        let mut work: Vec<NameId> =
            request.roots.iter().filter_map(|root| index.find_name(root.name.as_str())).collect();
        while let Some(name) = work.pop() {
            if std::mem::replace(&mut seen[name.place()], true) {
                continue;
            }
            for package in index.versions_of(name) {
                let compiled = self.view.package(package);
                work.extend(compiled.needs().map(|(name, _)| name));
                work.extend(compiled.conflicts.iter().map(|(name, _)| *name));
            }
        }
        match broken.into_iter().find(|file| seen[index.file_name(*file).place()]) {
            None => Ok(()),
            Some(file) => {
                let what = index.problems(file).next().map(|(found, _)| found.message).unwrap_or_default();
                Err(Refusal::Msg(format!("Error parsing {}: {what}", index.file_text(file))))
            }
        }
    }
}

/// The platform's variables (step 8).
fn platform(vars: &Vars) -> Platform {
    let mut platform = Platform::default();
    for (name, value) in [
        ("arch", vars.arch.as_str()),
        ("os", &vars.os),
        ("os-distribution", &vars.os_distribution),
        ("os-version", &vars.os_version),
        ("os-family", &vars.os_family),
        ("opam-version", &vars.opam_version),
        ("ocaml:native", "true"),
    ] {
        platform.set(name, value);
    }
    platform
}
