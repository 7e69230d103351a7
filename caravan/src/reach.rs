//! Which names an answer can depend on, without solving and on any platform: most questions concern some
//! hundred of a repository's names, and cost what these cost.

use opam_parser::filter::{Env, Expr, Node, Scope, Value};
use opam_parser::index::{
    ConditionNode, ConditionRef, FilterRef, FormulaNode, FormulaRef, Index, IndexEnv, NameId, PackageId, VariableId,
};
use std::sync::OnceLock;

/// What each name of an index needs, worked out when somebody first asks.
pub(crate) struct Reach {
    needs: Vec<OnceLock<Box<[NameId]>>>,
}

impl Reach {
    /// Nothing is known yet.
    pub(crate) fn new(index: &Index) -> Self {
        let mut needs = Vec::new();
        needs.resize_with(index.name_count(), OnceLock::new);
        Self { needs }
    }

    /// The names that any version of a name depends on or conflicts with, but for tests, documentation and
    /// development.
    fn needs(&self, index: &Index, name: NameId) -> &[NameId] {
        self.needs[name.place()].get_or_init(|| {
            let mut found = Vec::new();
            index.versions_of(name).for_each(|package| mentioned(index, package, false, &mut found));
            found.sort_unstable();
            found.dedup();
            found.into_boxed_slice()
        })
    }
}

/// The names that a package depends on or conflicts with; `everything`: for tests, documentation and
/// development, too.
pub(crate) fn mentioned(index: &Index, package: PackageId, everything: bool, found: &mut Vec<NameId>) {
    match everything {
        true => found.extend(index.depends(package).names()),
        false => formula(index, index.depends(package), found),
    }
    found.extend(index.conflicts(package).names());
}

fn formula(index: &Index, of: FormulaRef<'_>, found: &mut Vec<NameId>) {
    match of.node() {
        FormulaNode::Atom(name, condition) if can_hold(index, condition) => found.push(name),
        FormulaNode::Atom(..) => {}
        FormulaNode::All(parts) | FormulaNode::Any(parts) => parts.for_each(|part| formula(index, part, found)),
    }
}

/// Whether a condition can hold for a package that is nobody's root.
fn can_hold(index: &Index, of: ConditionRef<'_>) -> bool {
    match of.node() {
        ConditionNode::Filter(filter) => !is_optional(index, filter),
        ConditionNode::All(mut parts) => parts.all(|part| can_hold(index, part)),
        ConditionNode::AnyOf(mut parts) => parts.any(|part| can_hold(index, part)),
        ConditionNode::Any | ConditionNode::Version(..) | ConditionNode::Expanded(..) => true,
    }
}

/// Whether a filter is false for everything that is nobody's root. Where it is not obvious, it is not.
fn is_optional(index: &Index, of: FilterRef<'_>) -> bool {
    let optional = |id| matches!(index.variable(id), "with-test" | "with-doc" | "with-dev-setup");
    match Expr::<'_, Nothing>::node(of) {
        Node::Variable => of.as_variable().is_some_and(optional),
        Node::And(mut parts) => parts.any(|part| is_optional(index, part)),
        Node::Or(mut parts) => parts.all(|part| is_optional(index, part)),
        _ => false,
    }
}

/// An environment that is never asked.
struct Nothing;

impl Env for Nothing {
    fn variable(&self, _: Scope<'_>, _: &str) -> Value<'_> {
        Value::Undefined
    }
}

impl IndexEnv for Nothing {
    fn indexed(&self, _: VariableId) -> Value<'_> {
        Value::Undefined
    }
}

/// The names that can be reached from some names in several indexes together, as a table for each.
pub(crate) fn closure<'s>(
    states: &[(&'s Index, &'s Reach)],
    from: impl IntoIterator<Item = &'s str>,
) -> Vec<Vec<bool>> {
    let mut seen: Vec<Vec<bool>> = states.iter().map(|(index, _)| vec![false; index.name_count()]).collect();
    let mut work: Vec<&str> = from.into_iter().collect();
    while let Some(name) = work.pop() {
        for ((index, reach), seen) in states.iter().zip(&mut seen) {
            let Some(id) = index.find_name(name) else { continue };
            if !std::mem::replace(&mut seen[id.place()], true) {
                work.extend(reach.needs(index, id).iter().map(|needed| index.name(*needed)));
            }
        }
    }
    seen
}
