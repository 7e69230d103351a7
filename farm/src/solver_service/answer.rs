//! The answer to a request (section 4).

use super::json::{OpamText, Refusal, Selection, SolveRequest, SolveResponse, Vars};
use super::roots::is_compatible;
use super::stable::Ancestry;
use caravan_solver::problem::{Constraint, Preference};
use caravan_solver::{
    Amendments, Dialect, Flags, Platform, Request, Root, Setting, SolveError, Stop, Stopped, View, explain_facts,
    solve_until,
};
use opam_parser::file::{self, OpamFile, Parsed};
use opam_parser::index::{Index, NameId, PackageId, Precedence, overlay, with_pins};
use opam_parser::name::{PackageName, split_package};
use opam_parser::syntax::RelOp;
use opam_parser::version::{self, Version};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::time::Instant;

/// A repository at a commit.
pub struct State<'s> {
    /// Its URL, as the request has it.
    pub url: &'s str,
    /// Its packages.
    pub index: &'s Index,
    /// Its commit and those before it.
    pub ancestry: &'s Ancestry,
}

/// What is always watched, whether or not it is selected: what clients build it with.
const WATCHED: &str = "odoc.2.1.1";

/// Pins are laid over the repositories, so they are the first of the layers.
const PINS: usize = 0;

/// The package that says that betas are welcome.
const OCAML_BETA: &str = "opam-version: \"2.0\"\nflags: avoid-version\n";

/// Answers a request. `states` are the repositories that it names, in its order. `log` gets each line of the
/// log, without the time; lines of one platform come together and in the order of the request.
pub fn answer(states: &[State<'_>], request: &SolveRequest, log: &mut dyn FnMut(&str), stop: &Stop) -> SolveResponse {
    match selections(states, request, log, stop) {
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

fn selections(
    states: &[State<'_>],
    request: &SolveRequest,
    log: &mut dyn FnMut(&str),
    stop: &Stop,
) -> Result<Vec<Selection>, Refusal> {
    let roots: Vec<Given> = request.root_pkgs.iter().map(given).collect::<Result<_, _>>()?;
    let pinned: Vec<Given> = request.pinned_pkgs.iter().map(given).collect::<Result<_, _>>()?;
    let indexes: Vec<&Index> = states.iter().map(|state| state.index).collect();
    let repositories = overlay(&indexes, Precedence::LastWins).map_err(refused)?;
    let mut pins: Vec<Given> = Vec::new();
    for pin in roots.iter().chain(&pinned) {
        if pins.iter().all(|known| known.0 != pin.0) {
            pins.push(pin.clone());
        }
    }
    let index = with_pins(&repositories, &pins).map_err(refused)?;
    // Step 9: a compiler that is not released wants to know that betas are welcome.
    let is_development: Vec<bool> =
        request.platforms.iter().map(|(_, vars)| is_development(&repositories, &vars.ocaml_version)).collect();
    let with_beta = is_development.contains(&true).then(|| {
        let beta = given(&("ocaml-beta.enabled".to_owned(), OCAML_BETA.into()))?;
        with_pins(&repositories, &[pins.as_slice(), &[beta]].concat()).map_err(refused)
    });
    let with_beta = with_beta.transpose()?;
    log(&format!(
        "Solving for {}",
        request.root_pkgs.iter().map(|(package, _)| package.as_str()).collect::<Vec<_>>().join(" ")
    ));
    let one = |((id, vars), is_development): (&(String, Vars), &bool)| {
        let index = with_beta.as_ref().filter(|_| *is_development).unwrap_or(&index);
        Question { states, index, roots: &roots, pins: &pins, id, vars }.answer(stop)
    };
    let answers: Vec<Result<Answered, Refusal>> = request.platforms.par_iter().zip(&is_development).map(one).collect();
    let mut selections = Vec::new();
    for answer in answers {
        let (lines, selection) = answer?;
        lines.iter().for_each(|line| log(line));
        selections.extend(selection);
    }
    Ok(selections)
}

/// Whether a version of OCaml belongs to a series of which nothing is released.
fn is_development(index: &Index, ocaml_version: &str) -> bool {
    let series = |version: &str| {
        let end = version.match_indices(['.', '~', '+']).nth(1).map_or(version.len(), |(end, _)| end);
        version[..end].to_owned()
    };
    let released = |package: &PackageId| !index.flags(*package).intersects(file::Flags::AVOID_VERSION);
    let name = index.find_name("ocaml-base-compiler");
    let newest = name.and_then(|name| index.versions_of(name).rev().find(released));
    newest.is_some_and(|newest| {
        let newest = series(index.version(index.package_version(newest)));
        version::compare(series(ocaml_version).as_bytes(), newest.as_bytes()).is_gt()
    })
}

/// The lines of the log, and the selection if there is one.
type Answered = (Vec<String>, Option<Selection>);

/// A request on one platform.
struct Question<'q> {
    states: &'q [State<'q>],
    index: &'q Index,
    roots: &'q [Given],
    pins: &'q [Given],
    id: &'q str,
    vars: &'q Vars,
}

impl Question<'_> {
    fn answer(&self, stop: &Stop) -> Result<Answered, Refusal> {
        let (index, id, vars) = (self.index, self.id, self.vars);
        let started = Instant::now();
        let setting = Setting { dialect: Dialect::SolverService, ..Setting::new(platform(vars)) };
        // What is given counts as available: only what is looked for has to be (steps 5 and 6).
        let view = View::of(index, &setting).amended(self.available());
        let fits = |root: &&Given| {
            self.package(root).is_some_and(|package| is_compatible(&view, package, &vars.ocaml_version))
        };
        let compatible: Vec<&Given> = self.roots.iter().filter(fits).collect();
        if compatible.is_empty() {
            return Ok((vec![format!("{id}: not available for this platform")], None));
        }
        let request = self.request(&compatible)?;
        self.no_broken_file(&view, &request)?;
        let seconds = || started.elapsed().as_secs_f64();
        let selection = match solve_until(&view, &request, stop) {
            Ok(selection) => selection,
            Err(SolveError::Stopped(Stopped::Cancelled)) => return Err(Refusal::Cancelled),
            // Something that is asked for does not exist, or does not fit.
            Err(SolveError::NoSolution | SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. }) => {
                let mut lines = vec![format!("{id}: eliminated all possibilities in {:.2} s", seconds())];
                let facts =
                    explain_facts(&view, &request, stop).map(|facts| facts.iter().map(ToString::to_string).collect());
                lines.extend(facts.unwrap_or_else(|error| vec![error.to_string()]));
                return Ok((lines, None));
            }
            Err(error) => return Err(refused(error)),
        };
        let packages: Vec<String> = selection.packages().iter().map(|package| index.package_text(*package)).collect();
        let commits = self.commits(selection.packages())?;
        let shown: Vec<String> = commits.iter().map(|(_, commit)| commit.clone()).collect();
        let lines = vec![
            format!("{id}: found solution in {:.2} s", seconds()),
            format!("= {id} ="),
            format!("-> {}", packages.join(" ")),
            format!("(valid since opam-repository commit(s): {})", shown.join(" ")),
        ];
        let compat_pkgs = compatible.iter().map(|(name, version, _)| format!("{name}.{version}")).collect();
        let selection = Selection { id: id.to_owned(), compat_pkgs, packages, commits, lower_bound: vars.lower_bound };
        Ok((lines, Some(selection)))
    }

    fn package(&self, (name, version, _): &Given) -> Option<PackageId> {
        self.index.find_package(self.index.find_name(name.as_str())?, version.as_str())
    }

    /// What the request gives, made available.
    fn available(&self) -> Amendments {
        let mut amendments = Amendments::new();
        let packages = self.pins.iter().filter_map(|pin| self.package(pin));
        packages.for_each(|package| amendments.make_available(package));
        amendments
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
    fn no_broken_file(&self, view: &View<'_>, request: &Request) -> Result<(), Refusal> {
        let index = self.index;
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
                let compiled = view.package(package);
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

    /// For each repository that a selected package is from the oldest commit that will do.
    fn commits(&self, packages: &[PackageId]) -> Result<Vec<(String, String)>, Refusal> {
        let index = self.index;
        let mut watched: Vec<FxHashSet<String>> = vec![FxHashSet::default(); self.states.len()];
        for package in packages {
            let layer = index.file(index.package_file(*package)).layer;
            if let Some(watched) = layer.checked_sub(PINS + 1).and_then(|layer| watched.get_mut(layer)) {
                watched.insert(index.package_text(*package));
            }
        }
        let pairs = self.states.iter().zip(watched).filter(|(_, watched)| !watched.is_empty());
        pairs
            .map(|(state, mut watched)| {
                watched.insert(WATCHED.to_owned());
                Ok((state.url.to_owned(), state.ancestry.oldest_with(&watched).map_err(refused)?))
            })
            .collect()
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
