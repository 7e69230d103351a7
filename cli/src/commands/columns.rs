//! What plans are made for: platforms of the catalogue, and packages.

use super::list::matches;
use super::solve::failure;
use crate::arguments::{Columns, Rows};
use crate::failure::{Failure, Kind};
use crate::platform::platforms;
use caravan_planning::catalogue::{Catalogue, CatalogueError, Entry};
use caravan_planning::matrix::latest;
use caravan_revdeps::impact::Target;
use caravan_solver::compiler::compiler;
use caravan_solver::{Request, SolveError, Stop, View, explain};
use opam_parser::index::{Index, PackageId};
use std::path::Path;

impl From<CatalogueError> for Failure {
    fn from(error: CatalogueError) -> Self {
        let kind = match error {
            CatalogueError::UnknownCompiler(_) => Kind::Unknown,
            _ => Kind::Usage,
        };
        let failure = Self::new(kind, error.to_string());
        match error {
            CatalogueError::Malformed(_) | CatalogueError::Dangling { .. } => {
                failure.hint("`caravan platforms --toml` prints a catalogue that is well-formed")
            }
            _ => failure.hint("`caravan platforms` lists platforms and sets of them"),
        }
    }
}

/// The user's catalogue, or caravan's.
pub(crate) fn catalogue(file: Option<&Path>) -> Result<Catalogue, Failure> {
    let Some(file) = file else { return Ok(Catalogue::builtin()?) };
    let text = fs_err::read_to_string(file).map_err(|error| Failure::usage(error.to_string()))?;
    Catalogue::parse(&text).map_err(|error| {
        let mut failure = Failure::from(error);
        failure.message = format!("`{}` is no catalogue: {}", file.display(), failure.message);
        failure
    })
}

/// The entries of a set, or a platform.
pub(crate) fn entries(catalogue: &Catalogue, index: &Index, text: &str) -> Result<Vec<Entry>, Failure> {
    match catalogue.set(index, text) {
        Ok(entries) if entries.is_empty() => {
            Err(Failure::new(Kind::Unknown, format!("the repository has no compiler for any platform of `{text}`")))
        }
        Ok(entries) => Ok(entries),
        Err(CatalogueError::UnknownSet(_)) => Ok(vec![catalogue.platform(index, text)?]),
        Err(error) => Err(error.into()),
    }
}

/// A platform to plan for.
pub(crate) struct Place {
    pub(crate) target: Target,
    /// `None` for a platform that is not from the catalogue.
    pub(crate) entry: Option<Entry>,
}

/// The platforms that the arguments name; `usual` if they name none.
pub(crate) fn places(arguments: &Columns, index: &Index, usual: &str) -> Result<Vec<Place>, Failure> {
    let catalogue = catalogue(arguments.catalogue.as_deref())?;
    let (described, named): (Vec<String>, Vec<String>) =
        arguments.platforms.iter().cloned().partition(|text| text.contains('/'));
    if !arguments.ocaml.is_empty() && described.is_empty() && !named.is_empty() {
        return Err(Failure::usage(
            "a platform of the catalogue has its compiler, so `--ocaml` cannot be used with it",
        )
        .hint("write `--platform debian-13-5.4`, or `--platform linux/x86_64/debian-13 --ocaml 5.4`"));
    }
    let mut found = Vec::new();
    for text in &named {
        for entry in entries(&catalogue, index, text)? {
            found.push(Place { target: entry.target(&Request::default()), entry: Some(entry) });
        }
    }
    if !described.is_empty() || named.is_empty() && !arguments.ocaml.is_empty() {
        for platform in platforms(&described, &crate::arguments::PlatformArguments::default())? {
            for version in &arguments.ocaml {
                let request = Request { roots: vec![compiler(index, version)?], ..Request::default() };
                let label = format!("{}, OCaml {version}", platform.summary());
                found.push(Place { target: Target { label, platform: platform.clone(), request }, entry: None });
            }
            if arguments.ocaml.is_empty() {
                let target = Target { label: platform.summary(), platform, request: Request::default() };
                found.push(Place { target, entry: None });
            }
        }
    }
    if found.is_empty() {
        for entry in entries(&catalogue, index, usual)? {
            found.push(Place { target: entry.target(&Request::default()), entry: Some(entry) });
        }
    }
    let mut labels: Vec<String> = Vec::new();
    found.retain(|place| {
        let new = !labels.contains(&place.target.label);
        labels.push(place.target.label.clone());
        new
    });
    Ok(found)
}

/// The packages that the arguments name.
pub(crate) fn packages(rows: &Rows, index: &Index) -> Result<Vec<PackageId>, Failure> {
    let wanted = |name: &str| {
        rows.patterns.is_empty() || rows.patterns.iter().any(|pattern| matches(pattern.as_bytes(), name.as_bytes()))
    };
    let names = index.names().filter(|name| wanted(index.name(*name)));
    let found: Vec<PackageId> = match rows.all_versions {
        true => names.flat_map(|name| index.versions_of(name)).collect(),
        false => names.filter_map(|name| latest(index, name)).collect(),
    };
    match (found.is_empty(), rows.patterns.as_slice()) {
        (true, [pattern]) if !pattern.contains(['*', '?']) => {
            let near: Vec<String> =
                index.near_names(pattern, 3).into_iter().map(|name| index.name(name).to_owned()).collect();
            Err(Failure::unknown_package(pattern, &near))
        }
        (true, [_, ..]) => {
            Err(Failure::new(Kind::Unknown, format!("no package is called {}", rows.patterns.join(" or ")))
                .hint("`caravan list '*WORD*'` searches the names"))
        }
        _ => Ok(found),
    }
}

/// The failure of a plan: on a platform whose compiler has no solution nothing can be planned.
pub(crate) fn failed(index: &Index, targets: &[Target], (label, error): (String, SolveError)) -> Failure {
    let target = targets.iter().find(|target| target.label == label);
    if let (SolveError::NoSolution, Some(target)) = (&error, target) {
        let view = View::new(index, &target.platform);
        let facts = explain(&view, &target.request, &Stop::new());
        let failure =
            Failure::new(Kind::No, format!("nothing can be installed on {label}: its compiler has no solution"));
        return match facts {
            Ok(explanation) => failure.details(explanation.to_string()),
            Err(_) => failure,
        };
    }
    failure(error)
}
