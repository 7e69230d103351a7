//! Whether an answer is right: every rule of `docs/semantics.md` that decides what may be installed, checked
//! on the opam files' formulas themselves.
//!
//! This shares nothing with the search: no view, no masks, no reduced formulas, not the table of the
//! dialects' rules. What a filter is worth is asked of the parser's evaluator, and everything else is
//! written down here a second time.

use crate::dialect::Dialect;
use crate::problem::{Avoid, Cycles, Flags, Request, Setting};
use opam_parser::file::Flags as FileFlags;
use opam_parser::filter::{Env, Ident, Scope, Value, eval, eval_to_bool};
use opam_parser::index::{
    ConditionNode, ConditionRef, FormulaNode, FormulaRef, Index, IndexEnv, NameId, PackageId, VariableId,
};
use opam_parser::version;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A rule that an answer breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A name with two versions (rule S3).
    TwoVersions {
        /// The name.
        name: String,
    },
    /// A root that is not there, or in a version that was not asked for.
    Root {
        /// What was asked for.
        root: String,
    },
    /// A package whose `available` is not true (rules S14 to S17).
    Unavailable {
        /// The package.
        package: String,
    },
    /// A package whose dependencies are not fulfilled (rules F21 to F23 and S9).
    Dependencies {
        /// The package.
        package: String,
    },
    /// Two packages that conflict (rules S4, S5, Z3 and Z4).
    Conflict {
        /// The package that says so.
        package: String,
        /// The other one.
        with: String,
    },
    /// Two members of a conflict class (rule S13).
    Class {
        /// The class.
        class: String,
        /// Its members.
        packages: Vec<String>,
    },
    /// Packages that can only be installed after each other (rules S10 and S11).
    Cycle {
        /// All that are in a cycle or wait for one.
        packages: Vec<String>,
    },
    /// A version to avoid, where the request has none of them.
    Avoided {
        /// The package.
        package: String,
    },
    /// A package that nothing in the answer mentions.
    Unneeded {
        /// The package.
        package: String,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::TwoVersions { name } => write!(f, "{name} is there in two versions"),
            Violation::Root { root } => write!(f, "{root} was asked for and is not there"),
            Violation::Unavailable { package } => write!(f, "{package} is not available on this platform"),
            Violation::Dependencies { package } => write!(f, "the dependencies of {package} are not fulfilled"),
            Violation::Conflict { package, with } => write!(f, "{package} conflicts with {with}"),
            Violation::Class { class, packages } => {
                write!(f, "{} are in the conflict class `{class}`", packages.join(" and "))
            }
            Violation::Cycle { packages } => write!(f, "{} wait for each other", packages.join(", ")),
            Violation::Avoided { package } => write!(f, "{package} is to be avoided"),
            Violation::Unneeded { package } => write!(f, "nothing needs {package}"),
        }
    }
}

/// All rules that an answer breaks; none if it is right.
pub fn verify(index: &Index, setting: &Setting, request: &Request, answer: &[PackageId]) -> Vec<Violation> {
    let mut chosen = BTreeMap::new();
    let mut violations = Vec::new();
    for package in answer {
        let name = index.package_name(*package);
        if chosen.insert(name, *package).is_some() {
            violations.push(Violation::TwoVersions { name: index.name(name).to_owned() });
        }
    }
    let checker = Checker { index, setting, request, chosen };
    checker.check_roots(&mut violations);
    checker.check_packages(&mut violations);
    checker.check_classes(&mut violations);
    checker.check_order(&mut violations);
    checker.check_needed(&mut violations);
    violations
}

struct Checker<'c> {
    index: &'c Index,
    setting: &'c Setting,
    request: &'c Request,
    chosen: BTreeMap<NameId, PackageId>,
}

/// What is left of a formula whose filters are evaluated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Nothing (rules F22 and F23).
    Nothing,
    Holds(bool),
}

/// A condition's value (rule F21).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    True,
    False,
    /// A version constraint, and whether the chosen version fulfils it.
    Constraint(bool),
}

/// What an undefined version bound is (rules F29 to F32).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    MakesFalse,
    IsDropped,
}

impl Checker<'_> {
    fn opam(&self) -> bool {
        self.setting.dialect == Dialect::Opam
    }

    fn text(&self, package: PackageId) -> &str {
        self.index.version(self.index.package_version(package))
    }

    fn root_flags(&self, package: PackageId) -> Flags {
        let name = self.index.name(self.index.package_name(package));
        let mut flags = Flags::default();
        for root in self.request.roots.iter().filter(|root| root.name.as_str() == name) {
            flags.with_test |= root.flags.with_test;
            flags.with_doc |= root.flags.with_doc;
            flags.with_dev_setup |= root.flags.with_dev_setup;
            flags.dev = flags.dev.or(root.flags.dev);
        }
        flags
    }

    /// The variables of a package's dependencies (rule E2).
    fn dependency_variables(&self, package: PackageId, post: bool) -> Variables<'_> {
        let flags = self.root_flags(package);
        let dev = flags.dev.unwrap_or_else(|| match self.opam() {
            true => self.index.is_dev(package),
            false => version::compare(self.text(package).as_bytes(), b"dev").is_eq(),
        });
        let flags = [
            ("build", true),
            ("post", post),
            ("with-test", flags.with_test),
            ("with-doc", flags.with_doc),
            ("with-dev-setup", flags.with_dev_setup),
            ("dev", dev),
        ];
        Variables { checker: self, package, flags: Some(flags) }
    }

    fn plain_variables(&self, package: PackageId) -> Variables<'_> {
        Variables { checker: self, package, flags: None }
    }

    fn undefined_bound(&self) -> Bound {
        if self.opam() { Bound::MakesFalse } else { Bound::IsDropped }
    }

    fn check_roots(&self, violations: &mut Vec<Violation>) {
        for root in &self.request.roots {
            let found = self.index.find_name(root.name.as_str()).and_then(|name| self.chosen.get(&name));
            let holds = found.is_some_and(|package| {
                let found = self.text(*package).as_bytes();
                root.constraints
                    .iter()
                    .all(|constraint| constraint.0.holds(version::compare(found, constraint.1.as_str().as_bytes())))
            });
            if !holds {
                violations.push(Violation::Root { root: root.to_string() });
            }
        }
    }

    fn check_packages(&self, violations: &mut Vec<Violation>) {
        let never = self.request.avoid == Some(Avoid::Never);
        for (own, package) in &self.chosen {
            let shown = || self.index.package_text(*package);
            let available = self.index.available(*package);
            let variables = self.plain_variables(*package);
            let is_available = match self.opam() {
                true => eval_to_bool(available, &variables, false),
                false => matches!(eval(available, &variables), Value::Bool(true)),
            };
            if !is_available {
                violations.push(Violation::Unavailable { package: shown() });
            }
            let variables = self.dependency_variables(*package, true);
            let depends = self.index.depends(*package);
            if !depends.is_empty() && self.formula(depends, &variables, self.undefined_bound()) == Left::Holds(false) {
                violations.push(Violation::Dependencies { package: shown() });
            }
            // opam's conflicts see no dependency flags.
            let variables = if self.opam() { self.plain_variables(*package) } else { variables };
            let conflicts = self.index.conflicts(*package);
            if !conflicts.is_empty() {
                let mut met = BTreeSet::new();
                self.met(conflicts, &variables, Bound::IsDropped, &mut met);
                met.retain(|name| !(self.opam() && name == own));
                violations.extend(
                    met.iter()
                        .map(|name| Violation::Conflict { package: shown(), with: self.index.name(*name).to_owned() }),
                );
            }
            let flags = self.index.flags(*package);
            let avoided =
                flags.contains(FileFlags::AVOID_VERSION) || self.opam() && flags.contains(FileFlags::DEPRECATED);
            let asked = self.request.roots.iter().any(|root| {
                let exact = |op| op == opam_parser::syntax::RelOp::Eq;
                root.name.as_str() == self.index.name(*own) && root.constraints.iter().any(|found| exact(found.0))
            });
            if never && avoided && !asked {
                violations.push(Violation::Avoided { package: shown() });
            }
        }
    }

    fn check_classes(&self, violations: &mut Vec<Violation>) {
        let mut classes: BTreeMap<NameId, Vec<PackageId>> = BTreeMap::new();
        for package in self.chosen.values() {
            let own: BTreeSet<NameId> = self.index.conflict_classes(*package).collect();
            own.into_iter().for_each(|class| classes.entry(class).or_default().push(*package));
        }
        for (class, members) in classes.into_iter().filter(|(_, members)| members.len() > 1) {
            let packages = members.into_iter().map(|package| self.index.package_text(package)).collect();
            violations.push(Violation::Class { class: self.index.name(class).to_owned(), packages });
        }
    }

    /// Whether there is an order of installation, taking away what waits for nothing until nothing more
    /// can be taken away.
    fn check_order(&self, violations: &mut Vec<Violation>) {
        let default = if self.opam() { Cycles::Refuse } else { Cycles::Allow };
        if self.request.cycles.unwrap_or(default) == Cycles::Allow {
            return;
        }
        let mut waiting: BTreeMap<NameId, BTreeSet<NameId>> = BTreeMap::new();
        for (name, package) in &self.chosen {
            let mut awaited = BTreeSet::new();
            let depends = self.index.depends(*package);
            if !depends.is_empty() {
                let variables = self.dependency_variables(*package, false);
                self.met(depends, &variables, self.undefined_bound(), &mut awaited);
            }
            waiting.insert(*name, awaited);
        }
        loop {
            let ready: Vec<NameId> =
                waiting.iter().filter(|(_, awaited)| awaited.is_empty()).map(|(name, _)| *name).collect();
            if ready.is_empty() {
                break;
            }
            for name in &ready {
                waiting.remove(name);
            }
            waiting.values_mut().for_each(|awaited| awaited.retain(|name| !ready.contains(name)));
        }
        if !waiting.is_empty() {
            let packages = waiting.keys().map(|name| self.index.package_text(self.chosen[name])).collect();
            violations.push(Violation::Cycle { packages });
        }
    }

    /// Whether each package can be reached from a root through what is mentioned.
    fn check_needed(&self, violations: &mut Vec<Violation>) {
        let roots = self.request.roots.iter().filter_map(|root| self.index.find_name(root.name.as_str()));
        let mut reached: BTreeSet<NameId> = roots.collect();
        let mut waiting: Vec<NameId> = reached.iter().copied().collect();
        while let Some(name) = waiting.pop() {
            let Some(package) = self.chosen.get(&name) else { continue };
            let depends = self.index.depends(*package);
            let mut mentioned = BTreeSet::new();
            if !depends.is_empty() {
                let variables = self.dependency_variables(*package, true);
                self.met(depends, &variables, self.undefined_bound(), &mut mentioned);
            }
            waiting.extend(mentioned.into_iter().filter(|name| reached.insert(*name)));
        }
        let unneeded = self.chosen.iter().filter(|(name, _)| !reached.contains(*name));
        violations
            .extend(unneeded.map(|(_, package)| Violation::Unneeded { package: self.index.package_text(*package) }));
    }

    fn formula(&self, formula: FormulaRef<'_>, variables: &Variables<'_>, bound: Bound) -> Left {
        match formula.node() {
            FormulaNode::Atom(name, condition) => {
                let there = self.chosen.contains_key(&name);
                match self.condition(name, condition, variables, bound) {
                    Condition::False => Left::Nothing,
                    Condition::True => Left::Holds(there),
                    Condition::Constraint(fulfilled) => Left::Holds(there && fulfilled),
                }
            }
            FormulaNode::All(parts) => {
                let mut result = Left::Nothing;
                for part in parts {
                    result = match (result, self.formula(part, variables, bound)) {
                        (result, Left::Nothing) => result,
                        (Left::Nothing, found) => found,
                        (Left::Holds(a), Left::Holds(b)) => Left::Holds(a && b),
                    };
                }
                result
            }
            FormulaNode::Any(parts) => {
                let mut result = Left::Nothing;
                for part in parts {
                    result = match (result, self.formula(part, variables, bound)) {
                        (result, Left::Nothing) => result,
                        (Left::Nothing, found) => found,
                        (Left::Holds(a), Left::Holds(b)) => Left::Holds(a || b),
                    };
                }
                result
            }
        }
    }

    /// The names of atoms that the answer fulfils.
    fn met(&self, formula: FormulaRef<'_>, variables: &Variables<'_>, bound: Bound, into: &mut BTreeSet<NameId>) {
        match formula.node() {
            FormulaNode::Atom(name, _) => {
                if self.formula(formula, variables, bound) == Left::Holds(true) {
                    into.insert(name);
                }
            }
            FormulaNode::All(parts) => parts.for_each(|part| self.met(part, variables, bound, into)),
            FormulaNode::Any(parts) => parts.for_each(|part| self.met(part, variables, bound, into)),
        }
    }

    fn condition(
        &self,
        name: NameId,
        condition: ConditionRef<'_>,
        variables: &Variables<'_>,
        bound: Bound,
    ) -> Condition {
        let fulfils = |op: opam_parser::syntax::RelOp, wanted: &[u8]| {
            let found = self.chosen.get(&name);
            Condition::Constraint(
                found.is_some_and(|found| op.holds(version::compare(self.text(*found).as_bytes(), wanted))),
            )
        };
        match condition.node() {
            ConditionNode::Any => Condition::True,
            ConditionNode::Version(op, wanted) => fulfils(op, self.index.version(wanted).as_bytes()),
            ConditionNode::Expanded(op, wanted) => match eval(wanted, variables).to_bytes() {
                Some(wanted) if version::is_valid(wanted) => fulfils(op, wanted),
                _ if bound == Bound::IsDropped => Condition::True,
                _ => Condition::False,
            },
            ConditionNode::Filter(filter) => match eval_to_bool(filter, variables, false) {
                true => Condition::True,
                false => Condition::False,
            },
            ConditionNode::All(parts) => {
                let parts: Vec<Condition> = parts.map(|part| self.condition(name, part, variables, bound)).collect();
                if parts.contains(&Condition::False) {
                    Condition::False
                } else if parts.contains(&Condition::Constraint(false)) {
                    Condition::Constraint(false)
                } else if parts.contains(&Condition::Constraint(true)) {
                    Condition::Constraint(true)
                } else {
                    Condition::True
                }
            }
            ConditionNode::AnyOf(parts) => {
                let parts: Vec<Condition> = parts.map(|part| self.condition(name, part, variables, bound)).collect();
                if parts.contains(&Condition::True) {
                    Condition::True
                } else if parts.contains(&Condition::Constraint(true)) {
                    Condition::Constraint(true)
                } else if parts.contains(&Condition::Constraint(false)) {
                    Condition::Constraint(false)
                } else {
                    Condition::False
                }
            }
        }
    }
}

/// The variables that a package's filters see (rule E1).
struct Variables<'c> {
    checker: &'c Checker<'c>,
    package: PackageId,
    flags: Option<[(&'static str, bool); 6]>,
}

const DEPENDENCY_FLAGS: [&str; 6] = ["build", "post", "with-test", "with-doc", "with-dev-setup", "dev"];

impl Variables<'_> {
    fn platform(&self, name: &str) -> Value<'_> {
        match self.checker.setting.platform.get(name) {
            None => Value::Undefined,
            Some("true") => Value::Bool(true),
            Some("false") => Value::Bool(false),
            Some(text) => Value::str(text),
        }
    }

    fn own(&self, name: &str) -> Value<'_> {
        let index = self.checker.index;
        match name {
            "name" => Value::str(index.name(index.package_name(self.package))),
            "version" => Value::str(self.checker.text(self.package)),
            _ => Value::Undefined,
        }
    }
}

impl Env for Variables<'_> {
    fn variable(&self, scope: Scope<'_>, name: &str) -> Value<'_> {
        let opam = self.checker.opam();
        match scope {
            Scope::Global if DEPENDENCY_FLAGS.contains(&name) => {
                let flag = self.flags.iter().flatten().find(|(flag, _)| *flag == name);
                flag.map_or(Value::Undefined, |(_, value)| Value::Bool(*value))
            }
            Scope::Global if name == "version" || opam && name == "name" => self.own(name),
            Scope::Global => self.platform(name),
            Scope::Own | Scope::Package("self") if opam && (name == "name" || name == "version") => self.own(name),
            Scope::Own => Value::Undefined,
            Scope::Package(package) => self.platform(&format!("{package}:{name}")),
        }
    }
}

impl IndexEnv for Variables<'_> {
    fn indexed(&self, variable: VariableId) -> Value<'_> {
        let text = self.checker.index.variable(variable);
        let ident = Ident::new(text);
        match ident.packages.as_deref() {
            None => self.variable(Scope::Global, &ident.name),
            Some("_" | "self") => self.variable(Scope::Own, &ident.name),
            Some(_) => self.platform(text),
        }
    }
}
