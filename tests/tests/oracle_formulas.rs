//! Every package of `oracle/pef.txt.gz`: `available`, `depends`, `depopts` and `conflicts` as opam
//! evaluates them for linux, x86_64, debian 12, compared as formulas in conjunctive form.

use caravan_solver::environment::DependencyFlags;
use caravan_solver::reduce::{Bound, Reduced, Reduction, Sets, UndefinedBound};
use caravan_solver::{Platform, View};
use opam_parser::index::{FormulaRef, Index, NameId, PackageId};
use opam_parser::syntax::RelOp;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Constraints as a formula of single constraints, since the oracle keeps each operand.
#[derive(Clone, Debug)]
enum Text {
    One(RelOp, String),
    And(Box<Text>, Box<Text>),
    Or(Box<Text>, Box<Text>),
}

struct Texts<'i>(&'i Index);

impl Sets for Texts<'_> {
    type Set = Text;

    fn constraint(&self, _: NameId, op: RelOp, bound: Bound<'_>) -> Text {
        Text::One(
            op,
            match bound {
                Bound::Known(version) => self.0.version(version).to_owned(),
                Bound::Text(text) => text.to_owned(),
            },
        )
    }

    fn and(&self, a: Text, b: Text) -> Text {
        Text::And(Box::new(a), Box::new(b))
    }

    fn or(&self, a: Text, b: Text) -> Text {
        Text::Or(Box::new(a), Box::new(b))
    }
}

type Clause = BTreeSet<String>;
type Cnf = BTreeSet<Clause>;

fn and(a: Vec<Clause>, b: Vec<Clause>) -> Vec<Clause> {
    a.into_iter().chain(b).collect()
}

fn or(a: &[Clause], b: &[Clause]) -> Vec<Clause> {
    a.iter().flat_map(|x| b.iter().map(move |y| x.union(y).cloned().collect())).collect()
}

fn constraint(name: &str, text: &Text) -> Vec<Clause> {
    match text {
        Text::One(op, version) => vec![Clause::from([format!("{name} ({} {version})", op.as_str())])],
        Text::And(a, b) => and(constraint(name, a), constraint(name, b)),
        Text::Or(a, b) => or(&constraint(name, a), &constraint(name, b)),
    }
}

fn cnf(index: &Index, formula: &Reduced<Text>) -> Vec<Clause> {
    match formula {
        Reduced::Atom(name, None) => vec![Clause::from([index.name(*name).to_owned()])],
        Reduced::Atom(name, Some(text)) => constraint(index.name(*name), text),
        Reduced::All(parts) => parts.iter().flat_map(|part| cnf(index, part)).collect(),
        Reduced::Any(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| cnf(index, part)).collect();
            parts[1..].iter().fold(parts[0].clone(), |all, part| or(&all, part))
        }
    }
}

/// `a (>= 1) | b , c`
fn read_cnf(text: &str) -> Cnf {
    let clauses = text.split(" , ").map(str::trim).filter(|clause| !clause.is_empty());
    clauses.map(|clause| clause.split(" | ").map(|atom| atom.trim().to_owned()).collect()).collect()
}

/// Atoms of a list that is read as a disjunction.
fn read_atoms(text: &str) -> BTreeSet<String> {
    text.split([',', '|']).map(|atom| atom.trim().to_owned()).filter(|atom| !atom.is_empty()).collect()
}

fn atoms(formula: &Reduced<Text>, into: &mut Vec<(NameId, Option<Text>)>) {
    match formula {
        Reduced::Atom(name, set) => into.push((*name, set.clone())),
        Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| atoms(part, into)),
    }
}

struct Compare<'a> {
    index: &'a Index,
    view: &'a View<'a>,
    classes: BTreeMap<NameId, Vec<PackageId>>,
}

impl Compare<'_> {
    fn reduce(&self, package: PackageId, formula: FormulaRef<'_>, flags: DependencyFlags) -> Option<Reduced<Text>> {
        let environment = self.view.environment(package, flags);
        let sets = Texts(self.index);
        let undefined_bound = UndefinedBound::False;
        Reduction { index: self.index, environment: &environment, default: false, undefined_bound, sets: &sets }
            .formula(formula)
    }

    fn check(&self, block: &str) -> Vec<String> {
        let fields: BTreeMap<&str, &str> = block.lines().filter_map(|line| line.split_once(": ")).collect();
        let (name, version) = (fields["package"], fields["version"]);
        let index = self.index;
        let package = index.find_package(index.find_name(name).unwrap(), version).unwrap();
        let mut wrong = Vec::new();
        let mut same = |what: &str, ours: String, theirs: String| {
            if ours != theirs {
                wrong.push(format!("{name}.{version} {what}\n  opam: {theirs}\n  ours: {ours}"));
            }
        };
        let available = self.view.is_available(package).to_string();
        same("available", available, fields["available"].to_owned());

        // opam's own evaluation leaves `post` out and keeps `build`.
        let flags = DependencyFlags { post: Some(false), ..DependencyFlags::solving(index.is_dev(package)) };
        let depends = self.reduce(package, index.depends(package), flags);
        let ours: Cnf = depends.map_or(Cnf::new(), |formula| cnf(index, &formula).into_iter().collect());
        let theirs = read_cnf(fields.get("depends").unwrap_or(&""));
        same("depends", format!("{ours:?}"), format!("{theirs:?}"));

        let depopts = self.reduce(package, index.depopts(package), flags);
        let ours: Cnf = depopts.map_or(Cnf::new(), |formula| cnf(index, &formula).into_iter().collect());
        let theirs = read_cnf(fields.get("recommends").unwrap_or(&""));
        same("depopts", format!("{ours:?}"), format!("{theirs:?}"));

        let conflicts = self.conflicts(package);
        let theirs = read_atoms(fields.get("conflicts").unwrap_or(&""));
        same("conflicts", format!("{conflicts:?}"), format!("{theirs:?}"));
        wrong
    }

    /// Itself by name, its field, and the other members of its classes (rules S3, S5, S13).
    fn conflicts(&self, package: PackageId) -> BTreeSet<String> {
        let index = self.index;
        let own = index.package_name(package);
        let mut all = BTreeSet::from([index.name(own).to_owned()]);
        let field = self.reduce(package, index.conflicts(package), DependencyFlags::default());
        let mut found = Vec::new();
        if let Some(field) = &field {
            atoms(field, &mut found);
        }
        for (name, set) in found {
            let text = index.name(name);
            match set {
                None => drop(all.insert(text.to_owned())),
                Some(set) => {
                    for clause in disjuncts(&set) {
                        all.extend(self.conflict(text, name, &clause));
                    }
                }
            }
        }
        for class in index.conflict_classes(package) {
            for member in &self.classes[&class] {
                let name = index.package_name(*member);
                if name != own {
                    // The oracle lists the other members by their names alone.
                    all.insert(index.name(name).to_owned());
                }
            }
        }
        all
    }

    /// One constraint stays; a conjunction becomes the versions that exist (rule S5).
    fn conflict(&self, text: &str, name: NameId, constraints: &[(RelOp, String)]) -> Vec<String> {
        if let [(op, version)] = constraints {
            return vec![format!("{text} ({} {version})", op.as_str())];
        }
        let index = self.index;
        let versions = index.versions_of(name).map(|package| index.version(index.package_version(package)));
        let holds = |version: &&str| {
            constraints
                .iter()
                .all(|(op, bound)| op.holds(opam_parser::version::compare(version.as_bytes(), bound.as_bytes())))
        };
        versions.filter(holds).map(|version| format!("{text} (= {version})")).collect()
    }
}

fn disjuncts(text: &Text) -> Vec<Vec<(RelOp, String)>> {
    match text {
        Text::One(op, version) => vec![vec![(*op, version.clone())]],
        Text::Or(a, b) => disjuncts(a).into_iter().chain(disjuncts(b)).collect(),
        Text::And(a, b) => {
            let b = disjuncts(b);
            disjuncts(a).iter().flat_map(|x| b.iter().map(|y| [x.clone(), y.clone()].concat())).collect()
        }
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_package_evaluates_as_in_opam() {
    let text = caravan_tests::shared_gz("oracle/pef.txt.gz");
    let index = caravan_tests::shared_index();
    let mut platform = Platform::linux_x86_64();
    platform.set("os-version", "12");
    // The opam that made this file; `oui.0.1.0` depends on the version of opam.
    platform.set("opam-version", "2.6.0~beta1");
    let view = View::new(&index, &platform);
    let mut classes: BTreeMap<NameId, Vec<PackageId>> = BTreeMap::new();
    for package in index.packages() {
        for class in index.conflict_classes(package) {
            classes.entry(class).or_default().push(package);
        }
    }
    let compare = Compare { index: &index, view: &view, classes };
    let blocks: Vec<&str> = text.split("\n\n").filter(|block| block.contains("package: ")).collect();
    assert_eq!(blocks.len(), index.package_count());
    let wrong: Vec<String> = blocks.par_iter().flat_map(|block| compare.check(block)).collect();
    assert!(wrong.is_empty(), "{} fields differ:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
}
