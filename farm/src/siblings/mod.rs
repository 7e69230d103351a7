//! The requests of ocaml-docs-ci and mirage-ci, which have schemas of their own (`solver-service-protocol.md`,
//! section 7): roots by name, constraints on any name, several repositories or one, no compiler of its own.

pub mod docs_ci;
pub mod mirage_ci;

use crate::reach::closure;
use crate::worker::Held;
use caravan_solver::problem::Constraint;
use caravan_solver::reduce::{Bound, Sets};
use caravan_solver::view::Masks;
use caravan_solver::{
    Amendments, Dialect, Platform, Request, Root, Setting, SolveError, Stop, Stopped, View, explain_facts, solve_until,
};
use opam_parser::index::{Index, PackageId, Part};
use opam_parser::name::PackageName;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A platform: what its packages see.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vars {
    /// opam's `arch`
    pub arch: String,
    /// opam's `os`
    pub os: String,
    /// opam's `os-family`
    pub os_family: String,
    /// opam's `os-distribution`
    pub os_distribution: String,
    /// opam's `os-version`
    pub os_version: String,
}

impl Vars {
    fn platform(&self) -> Platform {
        let mut platform = Platform::default();
        for (name, value) in [
            ("arch", self.arch.as_str()),
            ("os", &self.os),
            ("os-distribution", &self.os_distribution),
            ("os-version", &self.os_version),
            ("os-family", &self.os_family),
            ("opam-version", "2.1.0"),
        ] {
            platform.set(name, value);
        }
        platform
    }
}

/// Why there is no answer at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody waits for it, or it took too long.
    Stopped(Stopped),
    /// Something is wrong.
    Msg(String),
}

fn refused(error: impl std::fmt::Display) -> Refusal {
    Refusal::Msg(error.to_string())
}

/// `["Ok", …]` or `["Error", ["Msg", …]]`
fn response<T: Serialize>(result: &Result<Vec<T>, String>) -> Vec<u8> {
    let written = match result {
        Ok(selections) => serde_json::to_vec(&("Ok", selections)),
        Err(text) => serde_json::to_vec(&("Error", ("Msg", text))),
    };
    // Strings and lists only: nothing in it can fail to be written.
    written.unwrap_or_default()
}

/// Roots by name, and constraints on any names.
struct Question<'q> {
    /// Repositories, those on top first.
    states: Vec<&'q Arc<Held>>,
    roots: &'q [String],
    constraints: Vec<(PackageName, Constraint)>,
}

/// What the names of a question can reach.
struct Reached {
    index: Index,
    roots: Vec<Root>,
    constraints: Vec<(PackageName, Constraint)>,
}

impl Question<'_> {
    fn reached(self) -> Result<Reached, Refusal> {
        let tables: Vec<_> = self.states.iter().map(|held| (&held.index, &held.reach)).collect();
        let names = self.roots.iter().map(String::as_str);
        let reached = closure(&tables, names.chain(self.constraints.iter().map(|(name, _)| name.as_str())));
        let parts: Vec<Part<'_>> = self
            .states
            .iter()
            .zip(&reached)
            .map(|(held, names)| Part { index: &held.index, names: Some(names) })
            .collect();
        let index = Index::from_parts(&parts, &[]).map_err(refused)?;
        let root = |name: &String| {
            let name = PackageName::new(name).ok_or_else(|| Refusal::Msg(format!("`{name}` is no package name")))?;
            Ok(Root { name, constraints: vec![], flags: Default::default() })
        };
        Ok(Reached {
            index,
            roots: self.roots.iter().map(root).collect::<Result<_, _>>()?,
            constraints: self.constraints,
        })
    }
}

impl Reached {
    /// The selection on a platform, with the view that it was found in; `None`, with the reasons in the log, if
    /// there is none.
    fn solve(
        &self,
        (id, vars): (&str, &Vars),
        log: &mut dyn FnMut(&str),
        stop: &Stop,
    ) -> Result<(View<'_>, Option<Vec<PackageId>>), Refusal> {
        let setting = Setting { dialect: Dialect::Opam0install, ..Setting::new(vars.platform()) };
        let view = View::of(&self.index, &setting).amended(self.excluded());
        let request = Request { roots: self.roots.clone(), ..Request::default() };
        log(&format!("= {id} ="));
        let selection = match solve_until(&view, &request, stop) {
            Ok(selection) => Some(selection.packages().to_vec()),
            Err(SolveError::Stopped(why)) => return Err(Refusal::Stopped(why)),
            Err(SolveError::NoSolution | SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. }) => {
                log(&format!("{id}: eliminated all possibilities"));
                match explain_facts(&view, &request, stop) {
                    Ok(facts) => facts.iter().for_each(|fact| log(&fact.to_string())),
                    Err(error) => log(&error.to_string()),
                }
                None
            }
            Err(error) => return Err(refused(error)),
        };
        if let Some(packages) = &selection {
            let shown: Vec<String> = packages.iter().map(|package| self.index.package_text(*package)).collect();
            log(&format!("-> {}", shown.join(" ")));
        }
        Ok((view, selection))
    }

    /// The versions that a constraint does not allow.
    fn excluded(&self) -> Amendments {
        let mut amendments = Amendments::new();
        let index = &self.index;
        for (name, Constraint(op, version)) in &self.constraints {
            let Some(name) = index.find_name(name.as_str()) else { continue };
            let allowed = Masks(index).constraint(name, *op, Bound::Text(version.as_str()));
            let versions = index.versions_of(name).enumerate();
            versions
                .filter(|(place, _)| !allowed.contains(*place))
                .for_each(|(_, package)| amendments.exclude(package));
        }
        amendments
    }

    /// Which of the states a package is from.
    fn origin(&self, package: PackageId) -> Option<usize> {
        // Layer 0 is that of the pins, of which there are none.
        self.index.file(self.index.package_file(package)).layer.checked_sub(1)
    }
}
