//! What the packages of a selection are built with, as ocaml-docs-ci has it (rule C10).

use opam_parser::filter::{Env, Scope, Value, eval};
use opam_parser::index::{
    ConditionNode, ConditionRef, FormulaNode, FormulaRef, Index, IndexEnv, NameId, PackageId, VariableId,
};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// For each package of a selection all that it is built with, optional dependencies included where they are selected;
/// in descending order.
pub(super) fn universes(index: &Index, packages: &[PackageId]) -> Vec<(String, Vec<String>)> {
    let selected: FxHashMap<NameId, PackageId> =
        packages.iter().map(|package| (index.package_name(*package), *package)).collect();
    let needs: FxHashMap<PackageId, Vec<PackageId>> =
        packages.iter().map(|package| (*package, needs(index, *package, &selected))).collect();
    let text = |package: &PackageId| index.package_text(*package);
    let universe = |package: &PackageId| {
        let mut found = BTreeSet::new();
        let mut work = vec![*package];
        while let Some(at) = work.pop() {
            work.extend(needs.get(&at).into_iter().flatten().filter(|needed| found.insert(**needed)));
        }
        // A circle of optional dependencies may lead back.
        found.remove(package);
        (text(package), found.iter().rev().map(text).collect())
    };
    packages.iter().map(universe).collect()
}

/// The selected packages that one names.
fn needs(index: &Index, package: PackageId, selected: &FxHashMap<NameId, PackageId>) -> Vec<PackageId> {
    let mut names = Vec::new();
    formula(index.depends(package), &Known { index, with_doc: false }, &mut names);
    formula(index.depopts(package), &Known { index, with_doc: true }, &mut names);
    names.iter().filter_map(|name| selected.get(name).copied()).collect()
}

fn formula(of: FormulaRef<'_>, known: &Known<'_>, names: &mut Vec<NameId>) {
    match of.node() {
        FormulaNode::Atom(name, condition) => names.extend(can_hold(condition, known).then_some(name)),
        FormulaNode::All(parts) | FormulaNode::Any(parts) => {
            parts.for_each(|part| formula(part, known, names));
        }
    }
}

/// Whether a condition is not false as far as it is known.
fn can_hold(of: ConditionRef<'_>, known: &Known<'_>) -> bool {
    match of.node() {
        ConditionNode::Filter(filter) => eval(filter, known) != Value::Bool(false),
        ConditionNode::All(mut parts) => parts.all(|part| can_hold(part, known)),
        ConditionNode::AnyOf(mut parts) => parts.any(|part| can_hold(part, known)),
        ConditionNode::Any | ConditionNode::Version(..) | ConditionNode::Expanded(..) => true,
    }
}

/// The variables that are evaluated; all others stay undefined.
struct Known<'i> {
    index: &'i Index,
    with_doc: bool,
}

impl Env for Known<'_> {
    fn variable(&self, scope: Scope<'_>, name: &str) -> Value<'_> {
        match (scope, name) {
            (Scope::Global, "build") => Value::Bool(true),
            (Scope::Global, "post" | "with-test" | "dev" | "with-dev-setup") => Value::Bool(false),
            (Scope::Global, "with-doc") => Value::Bool(self.with_doc),
            _ => Value::Undefined,
        }
    }
}

impl IndexEnv for Known<'_> {
    fn indexed(&self, variable: VariableId) -> Value<'_> {
        match self.index.variable(variable) {
            name if name.contains(':') => Value::Undefined,
            name => self.variable(Scope::Global, name),
        }
    }
}
