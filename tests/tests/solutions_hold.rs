//! Solutions of the real repository, checked rule by rule without the solver's view or encoding: by
//! the texts of versions and the formulas of the index.

use caravan_solver::environment::DependencyFlags;
use caravan_solver::reduce::{Bound, Reduced, Reduction, Sets, UndefinedBound};
use caravan_solver::{Platform, Problem, Selection, SolveError, View, solve};
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::syntax::RelOp;
use opam_parser::version;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a version fulfils a constraint, as a function: no sets of versions at all.
struct Predicates<'i>(&'i Index);

type Predicate = Box<dyn Fn(&str) -> bool>;

impl Sets for Predicates<'_> {
    type Set = Predicate;

    fn constraint(&self, _: NameId, op: RelOp, bound: Bound<'_>) -> Predicate {
        let bound = match bound {
            Bound::Known(version) => self.0.version(version).to_owned(),
            Bound::Text(text) => text.to_owned(),
        };
        Box::new(move |text| op.holds(version::compare(text.as_bytes(), bound.as_bytes())))
    }

    fn and(&self, a: Predicate, b: Predicate) -> Predicate {
        Box::new(move |text| a(text) && b(text))
    }

    fn or(&self, a: Predicate, b: Predicate) -> Predicate {
        Box::new(move |text| a(text) || b(text))
    }
}

struct Check<'a> {
    index: &'a Index,
    view: &'a View<'a>,
    chosen: BTreeMap<NameId, &'a str>,
}

impl Check<'_> {
    fn atom(&self, name: NameId, set: Option<&Predicate>) -> bool {
        self.chosen.get(&name).is_some_and(|version| set.is_none_or(|set| set(version)))
    }

    fn holds(&self, formula: &Reduced<Predicate>) -> bool {
        match formula {
            Reduced::Atom(name, set) => self.atom(*name, set.as_ref()),
            Reduced::All(parts) => parts.iter().all(|part| self.holds(part)),
            Reduced::Any(parts) => parts.iter().any(|part| self.holds(part)),
        }
    }

    /// Conflicts: each atom by itself, except with the package's own name.
    fn conflict(&self, formula: &Reduced<Predicate>, own: NameId) -> bool {
        match formula {
            Reduced::Atom(name, set) => *name != own && self.atom(*name, set.as_ref()),
            Reduced::All(parts) | Reduced::Any(parts) => parts.iter().any(|part| self.conflict(part, own)),
        }
    }

    fn mentioned(formula: &Reduced<Predicate>, into: &mut BTreeSet<NameId>) {
        match formula {
            Reduced::Atom(name, _) => drop(into.insert(*name)),
            Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| Self::mentioned(part, into)),
        }
    }
}

/// What is wrong with a selection.
fn wrong(view: &View<'_>, roots: &[(NameId, &str)], selection: &Selection) -> Vec<String> {
    let index = view.index();
    let text = |package: PackageId| index.version(index.package_version(package));
    let packages = selection.packages();
    let chosen: BTreeMap<NameId, &str> =
        packages.iter().map(|package| (index.package_name(*package), text(*package))).collect();
    let mut wrong = Vec::new();
    if chosen.len() != packages.len() {
        wrong.push("a name twice".to_owned());
    }
    for (name, version) in roots {
        if !chosen.get(name).is_some_and(|found| version::compare(found.as_bytes(), version.as_bytes()).is_eq()) {
            wrong.push(format!("the root {} is not there", index.name(*name)));
        }
    }
    let check = Check { index, view, chosen };
    let predicates = Predicates(index);
    let mut classes: BTreeMap<NameId, NameId> = BTreeMap::new();
    let mut wanted: BTreeSet<NameId> = roots.iter().map(|(name, _)| *name).collect();
    for package in packages {
        let (own, shown) = (index.package_name(*package), index.package_text(*package));
        let reduce = |formula, flags, undefined_bound| {
            let environment = check.view.environment(*package, flags);
            let index = check.index;
            Reduction { index, environment: &environment, default: false, undefined_bound, sets: &predicates }
                .formula(formula)
        };
        if !view.is_available(*package) {
            wrong.push(format!("{shown} is not available"));
        }
        let flags = DependencyFlags::solving(index.is_dev(*package));
        if let Some(depends) = reduce(index.depends(*package), flags, UndefinedBound::False) {
            Check::mentioned(&depends, &mut wanted);
            if !check.holds(&depends) {
                wrong.push(format!("{shown} misses a dependency"));
            }
        }
        let unset = DependencyFlags::default();
        if let Some(conflicts) = reduce(index.conflicts(*package), unset, UndefinedBound::Dropped)
            && check.conflict(&conflicts, own)
        {
            wrong.push(format!("{shown} is with something it conflicts with"));
        }
        for class in index.conflict_classes(*package) {
            if *classes.entry(class).or_insert(own) != own {
                wrong.push(format!("two members of {}", index.name(class)));
            }
        }
    }
    // Nothing is there that nobody mentions.
    for package in packages {
        if !wanted.contains(&index.package_name(*package)) {
            wrong.push(format!("nobody needs {}", index.package_text(*package)));
        }
    }
    wrong
}

#[test]
fn every_newest_version_on_two_compilers() {
    let Some(index) = caravan_tests::shared_index() else { return };
    let view = View::new(&index, &Platform::linux_x86_64());
    for ocaml in ["4.14.2", "5.4.1"] {
        let names: Vec<NameId> = index.names().filter(|name| !view.name(*name).available.is_empty()).collect();
        let solved: Vec<bool> = names
            .par_iter()
            .map(|name| {
                let newest = view.name(*name).available.places().last().unwrap();
                let package = index.versions_of(*name).nth(newest).unwrap();
                let version = index.version(index.package_version(package));
                let problem = Problem::new([
                    format!("ocaml.{ocaml}").parse().unwrap(),
                    index.package_text(package).parse().unwrap(),
                ]);
                match solve(&view, &problem) {
                    Ok(selection) => {
                        let roots = [(index.find_name("ocaml").unwrap(), ocaml), (*name, version)];
                        let wrong = wrong(&view, &roots, &selection);
                        assert!(wrong.is_empty(), "{}: {wrong:?}", index.package_text(package));
                        true
                    }
                    Err(SolveError::NoSolution(explanation)) => {
                        assert!(!explanation.facts().is_empty(), "{}", index.package_text(package));
                        false
                    }
                    Err(error) => panic!("{}: {error}", index.package_text(package)),
                }
            })
            .collect();
        let count = solved.iter().filter(|solved| **solved).count();
        assert!(solved.len() > 4000 && count > 3000, "{count} of {} on {ocaml}", solved.len());
    }
}

/// The rows of `oracle/quirks.tsv`: tiny packages with one construct each, and whether real opam has a
/// solution. What it installs is the subject of the issue on the solver.
#[test]
fn constructs_have_solutions_where_opam_has_them() {
    use opam_parser::source::directory::DirectorySource;
    let Some(table) = caravan_tests::shared("oracle/quirks.tsv") else { return };
    let Some(repository) = caravan_tests::shared("oracle/quirks/repo") else { return };
    let index = caravan_tests::index_of(&DirectorySource::open(&repository).unwrap());
    let mut platform = Platform::linux_x86_64();
    platform.set("os-version", "12");
    let view = View::new(&index, &platform);
    let table = fs_err::read_to_string(table).unwrap();
    let mut rows = table.lines();
    let column = rows.next().unwrap().split('\t').position(|title| title == "opam2.6-mccs").unwrap();
    let mut differ = Vec::new();
    for row in rows {
        let columns: Vec<&str> = row.split('\t').collect();
        let problem = Problem::new(columns[1].split_whitespace().map(|root| root.parse().unwrap()));
        let ours = solve(&view, &problem).is_ok();
        let theirs = !columns[column].starts_with("rc") && columns[column] != "NOSOL";
        if ours != theirs {
            differ.push(columns[0].to_owned());
        }
    }
    // opam's solver accepts both; its plan of actions then fails on the cycle (rules S10 and S11),
    // which a solver without actions does not look for.
    assert_eq!(differ, ["d-cycle", "s-selfdep"]);
}
