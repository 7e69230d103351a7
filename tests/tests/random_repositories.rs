//! Random small repositories with every construct, against brute force and against a SAT solver.
//!
//! Brute force tries every assignment of versions to names and asks the verifier which hold; of those
//! it takes the best by walking as rule O7 says. Both the walk and the clauses for the SAT solver are
//! made from the tree that the opam files are printed from, not from anything the solver reads.

use caravan_solver::problem::{Avoid, Constraint, LowerBounds, Preference, Root};
use caravan_solver::{Dialect, Platform, Request, Setting, SolveError, Solver, View, Violation, verify};
use opam_parser::index::{Index, PackageId};
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use varisat::{ExtendFormula, Lit, Var};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "nosuch"];
/// How many of the names exist.
const EXISTING: usize = 5;
const OPS: [(&str, RelOp); 6] =
    [("=", RelOp::Eq), ("!=", RelOp::Neq), ("<", RelOp::Lt), ("<=", RelOp::Leq), (">", RelOp::Gt), (">=", RelOp::Geq)];

/// Filters, with their values in dependencies for somebody who is no root, and in conflicts of opam,
/// which do not see the dependency flags.
const FILTERS: [(&str, bool, bool); 9] = [
    ("os = \"linux\"", true, true),
    ("os = \"win32\"", false, false),
    ("with-test", false, false),
    ("!with-test", true, false),
    ("build", true, false),
    ("post", true, false),
    ("unheard-of", false, false),
    ("dev", false, false),
    ("?os", true, true),
];
const WITH_TEST: usize = 2;
const NOT_WITH_TEST: usize = 3;

#[derive(Clone, Debug)]
struct Atom {
    name: usize,
    filters: Vec<usize>,
    constraints: Vec<(usize, u32)>,
}

#[derive(Clone, Debug)]
enum Formula {
    Atom(Atom),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

#[derive(Clone, Debug)]
struct Package {
    depends: Vec<Formula>,
    conflicts: Vec<Atom>,
    class: bool,
    available: bool,
    avoid: bool,
    deprecated: bool,
}

/// Versions 1, 2, … of each existing name.
#[derive(Clone, Debug)]
pub(super) struct Repository(Vec<Vec<Package>>);

fn atoms() -> impl Strategy<Value = Atom> {
    let filters = prop_oneof![6 => Just(vec![]), 2 => prop::collection::vec(0..FILTERS.len(), 1..3)];
    let constraints = prop_oneof![3 => Just(vec![]), 4 => prop::collection::vec((0..OPS.len(), 1..5_u32), 1..3)];
    let name = prop_oneof![20 => 0..EXISTING, 1 => Just(EXISTING)];
    (name, filters, constraints).prop_map(|(name, filters, constraints)| Atom { name, filters, constraints })
}

fn formulas() -> impl Strategy<Value = Formula> {
    atoms().prop_map(Formula::Atom).prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Formula::Any),
            prop::collection::vec(inner, 2..3).prop_map(Formula::All),
        ]
    })
}

pub(super) fn repositories() -> impl Strategy<Value = Repository> {
    let package = (
        prop::collection::vec(formulas(), 0..4),
        prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(atoms(), 1..3)],
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.93),
        prop::bool::weighted(0.12),
        prop::bool::weighted(0.05),
    )
        .prop_map(|(depends, conflicts, class, available, avoid, deprecated)| Package {
            depends,
            conflicts,
            class,
            available,
            avoid,
            deprecated,
        });
    prop::collection::vec(prop::collection::vec(package, 1..4), EXISTING..=EXISTING).prop_map(Repository)
}

fn requests() -> impl Strategy<Value = Request> {
    let constraint = prop_oneof![
        3 => Just(vec![]),
        1 => (0..OPS.len(), 1..3_u32).prop_map(|(op, version)| vec![Constraint(OPS[op].1, text(version))]),
    ];
    let root = (0..EXISTING, constraint, prop::bool::weighted(0.3)).prop_map(|(name, constraints, tests)| {
        let mut root = Root::from(NAMES[name].parse::<opam_parser::atom::Atom>().unwrap());
        root.constraints = constraints;
        root.flags.with_test = tests;
        root
    });
    let avoid = prop_oneof![
        4 => Just(None),
        1 => prop::sample::select(vec![Avoid::Never, Avoid::IfNeeded, Avoid::LastOfName, Avoid::Ignore]).prop_map(Some),
    ];
    let prefer = prop::sample::select(vec![Preference::Newest, Preference::Newest, Preference::Oldest]);
    (prop::collection::vec(root, 1..3), prefer, avoid).prop_map(|(mut roots, prefer, avoid)| {
        // Twice the same root is another test's subject.
        let mut seen = BTreeSet::new();
        roots.retain(|root| seen.insert(root.name.as_str().to_owned()));
        Request { roots, prefer, avoid, lower_bounds: Some(LowerBounds::EVERYTHING), ..Request::default() }
    })
}

fn text(version: u32) -> Version {
    Version::new(&version.to_string()).unwrap()
}

impl Atom {
    fn print(&self) -> String {
        let filters = self.filters.iter().map(|filter| FILTERS[*filter].0.to_owned());
        let constraints = self.constraints.iter().map(|(op, version)| format!("{} \"{version}\"", OPS[*op].0));
        let parts: Vec<String> = filters.chain(constraints).collect();
        match parts.is_empty() {
            true => format!("\"{}\"", NAMES[self.name]),
            false => format!("\"{}\" {{{}}}", NAMES[self.name], parts.join(" & ")),
        }
    }

    /// Whether its filters leave it there.
    fn stays(&self, tests: bool, sees_flags: bool) -> bool {
        self.filters.iter().all(|filter| match (*filter, sees_flags) {
            (WITH_TEST, true) => tests,
            (NOT_WITH_TEST, true) => !tests,
            (filter, true) => FILTERS[filter].1,
            (filter, false) => FILTERS[filter].2,
        })
    }

    fn accepts(&self, version: u32) -> bool {
        self.constraints.iter().all(|(op, bound)| OPS[*op].1.holds(version.cmp(bound)))
    }
}

impl Formula {
    fn print(&self) -> String {
        let join = |parts: &[Formula], with: &str| {
            format!("({})", parts.iter().map(Formula::print).collect::<Vec<_>>().join(with))
        };
        match self {
            Formula::Atom(atom) => atom.print(),
            Formula::All(parts) => join(parts, " & "),
            Formula::Any(parts) => join(parts, " | "),
        }
    }

    /// What its filters leave of it (rules F22 and F23).
    fn reduce(&self, tests: bool) -> Option<Formula> {
        let all = |parts: &[Formula]| -> Vec<Formula> { parts.iter().filter_map(|part| part.reduce(tests)).collect() };
        let (parts, join): (_, fn(Vec<Formula>) -> Formula) = match self {
            Formula::Atom(atom) => return atom.stays(tests, true).then(|| self.clone()),
            Formula::All(parts) => (all(parts), Formula::All),
            Formula::Any(parts) => (all(parts), Formula::Any),
        };
        match parts.len() {
            0 => None,
            1 => parts.into_iter().next(),
            _ => Some(join(parts)),
        }
    }

    fn holds(&self, assignment: &[Option<u32>]) -> bool {
        match self {
            Formula::Atom(atom) => {
                assignment.get(atom.name).copied().flatten().is_some_and(|version| atom.accepts(version))
            }
            Formula::All(parts) => parts.iter().all(|part| part.holds(assignment)),
            Formula::Any(parts) => parts.iter().any(|part| part.holds(assignment)),
        }
    }

    fn one_name(&self) -> Option<usize> {
        match self {
            Formula::Atom(atom) => Some(atom.name),
            Formula::All(_) => None,
            Formula::Any(parts) => {
                let mut names = parts.iter().map(|part| match part {
                    Formula::Atom(atom) => Some(atom.name),
                    _ => None,
                });
                let first = names.next()??;
                names.all(|name| name == Some(first)).then_some(first)
            }
        }
    }
}

impl Package {
    fn print(&self) -> String {
        let mut lines = vec![];
        if !self.depends.is_empty() {
            let parts: Vec<String> = self.depends.iter().map(Formula::print).collect();
            lines.push(format!("depends: [ {} ]", parts.join(" ")));
        }
        if !self.conflicts.is_empty() {
            let parts: Vec<String> = self.conflicts.iter().map(Atom::print).collect();
            lines.push(format!("conflicts: [ {} ]", parts.join(" ")));
        }
        if self.class {
            lines.push("conflict-class: \"k\"".to_owned());
        }
        if !self.available {
            lines.push("available: os = \"win32\"".to_owned());
        }
        let flags = [(self.avoid, "avoid-version"), (self.deprecated, "deprecated")];
        let flags: Vec<&str> = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        if !flags.is_empty() {
            lines.push(format!("flags: [ {} ]", flags.join(" ")));
        }
        lines.join("\n")
    }
}

impl Repository {
    /// `NAME.VERSION` and the text of its opam file, for each package.
    pub(super) fn texts(&self) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for (name, versions) in self.0.iter().enumerate() {
            for (place, package) in versions.iter().enumerate() {
                texts.push((format!("{}.{}", NAMES[name], place + 1), package.print()));
            }
        }
        texts
    }

    fn index(&self) -> Index {
        let texts = self.texts();
        caravan_tests::index_of_texts(texts.iter().map(|(package, text)| (package.as_str(), text.as_str())))
    }

    fn package(&self, name: usize, version: u32) -> &Package {
        &self.0[name][version as usize - 1]
    }

    fn assignments(&self) -> Vec<Vec<Option<u32>>> {
        self.0.iter().fold(vec![vec![]], |before, versions| {
            let mut after = Vec::new();
            for assignment in before {
                for version in 0..=versions.len() as u32 {
                    let mut next = assignment.clone();
                    next.push((version > 0).then_some(version));
                    after.push(next);
                }
            }
            after
        })
    }
}

fn packages(index: &Index, assignment: &[Option<u32>]) -> Vec<PackageId> {
    let find = |(name, version): (usize, &Option<u32>)| {
        let name = index.find_name(NAMES[name]).unwrap();
        index.find_package(name, &(*version)?.to_string())
    };
    assignment.iter().enumerate().filter_map(find).collect()
}

/// The assignments that hold. Packages that nothing needs do no harm here.
fn valid(repository: &Repository, index: &Index, setting: &Setting, request: &Request) -> Vec<Vec<Option<u32>>> {
    let mut valid = repository.assignments();
    valid.retain(|assignment| {
        let violations = verify(index, setting, request, &packages(index, assignment));
        violations.iter().all(|violation| matches!(violation, Violation::Unneeded { .. }))
    });
    valid
}

/// Brute force.
struct Best<'a> {
    repository: &'a Repository,
    request: &'a Request,
    dialect: Dialect,
    avoid: Avoid,
    /// The assignments that hold and that no decision has excluded.
    left: Vec<Vec<Option<u32>>>,
    chosen: BTreeMap<usize, u32>,
    asked_exactly: BTreeMap<usize, Vec<u32>>,
}

impl Best<'_> {
    fn is_avoided(&self, name: usize, version: u32) -> bool {
        let package = self.repository.package(name, version);
        let flagged = package.avoid || self.dialect == Dialect::Opam && package.deprecated;
        flagged && !self.asked_exactly.get(&name).is_some_and(|versions| versions.contains(&version))
    }

    fn root(&self, name: usize) -> Option<&Root> {
        self.request.roots.iter().find(|root| root.name.as_str() == NAMES[name])
    }

    /// The versions of a name, the best first.
    fn order(&self, name: usize) -> Vec<u32> {
        let mut versions: Vec<u32> = (1..=self.repository.0[name].len() as u32).collect();
        if self.request.prefer == Preference::Newest {
            versions.reverse();
        }
        if self.avoid != Avoid::Ignore {
            versions.sort_by_key(|version| self.is_avoided(name, *version));
        }
        versions
    }

    fn visit_name(&mut self, name: usize) {
        if self.chosen.contains_key(&name) {
            return;
        }
        let order = self.order(name);
        let possible = |version: &u32| self.left.iter().any(|assignment| assignment[name] == Some(*version));
        let best = order.into_iter().find(possible).expect("what is walked to is in every assignment left");
        self.left.retain(|assignment| assignment[name] == Some(best));
        self.chosen.insert(name, best);
        let tests = self.root(name).is_some_and(|root| root.flags.with_test);
        let package = self.repository.package(name, best).clone();
        let depends: Vec<Formula> = package.depends.iter().filter_map(|part| part.reduce(tests)).collect();
        depends.iter().for_each(|part| self.visit(part));
    }

    fn visit(&mut self, formula: &Formula) {
        match formula {
            Formula::Atom(atom) => self.visit_name(atom.name),
            Formula::All(parts) => parts.iter().for_each(|part| self.visit(part)),
            Formula::Any(parts) => {
                // A disjunction between versions of one name is a constraint on it, to opam.
                if let Some(name) = formula.one_name().filter(|_| self.dialect == Dialect::Opam) {
                    return self.visit_name(name);
                }
                let mut branches = Vec::new();
                flatten(parts, &mut branches);
                let possible = |branch: &&Formula| self.left.iter().any(|assignment| branch.holds(assignment));
                let best = branches.into_iter().find(possible).expect("one branch holds in every assignment left");
                self.left.retain(|assignment| best.holds(assignment));
                self.visit(best);
            }
        }
    }
}

fn flatten<'f>(parts: &'f [Formula], into: &mut Vec<&'f Formula>) {
    for part in parts {
        match part {
            Formula::Any(inner) => flatten(inner, into),
            part => into.push(part),
        }
    }
}

fn asked_exactly(request: &Request) -> BTreeMap<usize, Vec<u32>> {
    let mut asked: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for root in &request.roots {
        let name = NAMES.iter().position(|name| *name == root.name.as_str()).unwrap();
        for constraint in root.constraints.iter().filter(|constraint| constraint.0 == RelOp::Eq) {
            asked.entry(name).or_default().push(constraint.1.as_str().parse().unwrap());
        }
    }
    asked
}

fn check(repository: &Repository, request: &Request, dialect: Dialect) -> Result<(), TestCaseError> {
    let index = repository.index();
    let setting = Setting { dialect, ..Setting::new(Platform::linux_x86_64()) };
    let view = View::of(&index, &setting);
    let all = valid(repository, &index, &setting, request);
    let avoid = request.avoid.unwrap_or_else(|| dialect.avoid());
    let mut best = Best {
        repository,
        request,
        dialect,
        avoid,
        left: all,
        chosen: BTreeMap::new(),
        asked_exactly: asked_exactly(request),
    };
    let ours = match Solver::new(&view).prove(true).verify(&setting).solve(request) {
        Ok(selection) => selection.packages().to_vec(),
        // A root in a version that is not there.
        Err(SolveError::UnknownVersion { .. }) => return Ok(()),
        Err(SolveError::NoSolution) => {
            prop_assert!(best.left.is_empty(), "there is {:?}", packages(&index, &best.left[0]));
            // The crate pubgrub agrees, and an explanation can be made of its proof.
            let explanation = Solver::new(&view).explain(request);
            prop_assert!(explanation.is_ok_and(|explanation| !explanation.facts.is_empty()));
            return Ok(());
        }
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    prop_assert!(!best.left.is_empty());
    if avoid == Avoid::IfNeeded {
        let avoided = |assignment: &[Option<u32>]| -> BTreeSet<usize> {
            let names = assignment.iter().enumerate();
            names.filter(|(name, v)| v.is_some_and(|v| best.is_avoided(*name, v))).map(|(name, _)| name).collect()
        };
        let name_of = |package: &PackageId| {
            let text = index.name(index.package_name(*package));
            NAMES.iter().position(|name| *name == text).unwrap()
        };
        let version_of = |package: &PackageId| index.version(index.package_version(*package)).parse::<u32>().unwrap();
        let mut assignment = vec![None; EXISTING];
        ours.iter().for_each(|package| assignment[name_of(package)] = Some(version_of(package)));
        let used = avoided(&assignment);
        let allowed = |other: &[Option<u32>]| {
            let found = avoided(other);
            found.iter().all(|name| used.contains(name) && other[*name] == assignment[*name])
        };
        let fewer = best.left.iter().find(|other| allowed(other) && avoided(other).len() < used.len());
        prop_assert!(fewer.is_none(), "fewer to avoid: {:?}", packages(&index, fewer.unwrap()));
        best.left = best.left.iter().filter(|other| allowed(other)).cloned().collect();
    }
    for root in &request.roots {
        best.visit_name(NAMES.iter().position(|name| *name == root.name.as_str()).unwrap());
    }
    let mut theirs = vec![None; EXISTING];
    best.chosen.iter().for_each(|(name, version)| theirs[*name] = Some(*version));
    let theirs = packages(&index, &theirs);
    let names = |packages: &[PackageId]| packages.iter().map(|p| index.package_text(*p)).collect::<Vec<_>>();
    prop_assert_eq!(names(&ours), names(&theirs));
    Ok(())
}

/// Whether a SAT solver finds an assignment, by rules Z2 to Z5.
fn sat(repository: &Repository, request: &Request) -> bool {
    let mut solver = varisat::Solver::new();
    let mut vars: BTreeMap<(usize, u32), Var> = BTreeMap::new();
    for (name, versions) in repository.0.iter().enumerate() {
        for version in 1..=versions.len() as u32 {
            vars.insert((name, version), solver.new_var());
        }
    }
    let lit = |name: usize, version: u32| Lit::from_var(vars[&(name, version)], true);
    let matching = |atom: &Atom| -> Vec<Lit> {
        let versions = repository.0.get(atom.name).map_or(0, Vec::len) as u32;
        (1..=versions).filter(|version| atom.accepts(*version)).map(|version| lit(atom.name, version)).collect()
    };
    fn add(solver: &mut varisat::Solver<'_>, premise: Lit, formula: &Formula, matching: &dyn Fn(&Atom) -> Vec<Lit>) {
        match formula {
            Formula::Atom(atom) => {
                let mut clause = matching(atom);
                clause.push(!premise);
                solver.add_clause(&clause);
            }
            Formula::All(parts) => parts.iter().for_each(|part| add(solver, premise, part, matching)),
            Formula::Any(parts) => {
                let mut clause = vec![!premise];
                for part in parts {
                    let branch = solver.new_lit();
                    clause.push(branch);
                    add(solver, branch, part, matching);
                }
                solver.add_clause(&clause);
            }
        }
    }
    let mut members = Vec::new();
    for ((name, version), var) in &vars {
        let own = Lit::from_var(*var, true);
        let package = repository.package(*name, *version);
        let root = request.roots.iter().find(|root| root.name.as_str() == NAMES[*name]);
        let tests = root.is_some_and(|root| root.flags.with_test);
        if !package.available {
            solver.add_clause(&[!own]);
        }
        for other in vars.keys().filter(|(other, later)| other == name && later > version) {
            solver.add_clause(&[!own, !lit(other.0, other.1)]);
        }
        for part in package.depends.iter().filter_map(|part| part.reduce(tests)) {
            add(&mut solver, own, &part, &matching);
        }
        for atom in package.conflicts.iter().filter(|atom| atom.stays(tests, true)) {
            for other in matching(atom) {
                solver.add_clause(&[!own, !other]);
            }
        }
        if package.class {
            members.push((*name, own));
        }
    }
    for (name, own) in &members {
        for (other, theirs) in members.iter().filter(|(other, _)| other > name) {
            let _ = other;
            solver.add_clause(&[!*own, !*theirs]);
        }
    }
    for root in &request.roots {
        let name = NAMES.iter().position(|name| *name == root.name.as_str()).unwrap();
        let versions = repository.0[name].len() as u32;
        let accepted = |version: &u32| {
            root.constraints.iter().all(|constraint| constraint.0.holds(text(*version).cmp(&constraint.1)))
        };
        solver.add_clause(&(1..=versions).filter(accepted).map(|version| lit(name, version)).collect::<Vec<_>>());
    }
    solver.solve().unwrap()
}

/// A repository, and the same with some packages of another one: added or changed, with some more text, or
/// gone.
pub(super) fn changed(
    one: &Repository,
    two: &Repository,
    fates: &[u8],
    more: &str,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let before: BTreeMap<String, String> = one.texts().into_iter().collect();
    let other: BTreeMap<String, String> = two.texts().into_iter().collect();
    let mut after = before.clone();
    let all: BTreeSet<String> = before.keys().chain(other.keys()).cloned().collect();
    for (package, fate) in all.into_iter().zip(fates) {
        match (fate, other.get(&package)) {
            (0, _) => drop(after.remove(&package)),
            (1, Some(text)) => drop(after.insert(package, format!("{text}{more}"))),
            _ => {}
        }
    }
    (before, after)
}

/// More cases than usual, and as many as PROPTEST_CASES says.
pub(super) fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 4000 };
    ProptestConfig { cases, ..config }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn opams_answer_is_the_best(repository in repositories(), request in requests()) {
        check(&repository, &request, Dialect::Opam)?;
    }

    #[test]
    fn the_other_dialects_answers_are_the_best(repository in repositories(), request in requests()) {
        check(&repository, &request, Dialect::SolverService)?;
        check(&repository, &request, Dialect::Opam0install)?;
    }

    #[test]
    fn a_sat_solver_says_the_same(repository in repositories(), request in requests()) {
        let request = Request { avoid: None, ..request };
        let index = repository.index();
        let view = View::in_dialect(&index, &Platform::linux_x86_64(), Dialect::Opam0install);
        match Solver::new(&view).solve(&request) {
            Ok(_) => prop_assert!(sat(&repository, &request)),
            Err(SolveError::NoSolution) => prop_assert!(!sat(&repository, &request)),
            Err(SolveError::UnknownVersion { .. }) => {}
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}
