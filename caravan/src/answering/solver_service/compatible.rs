//! Which of the roots are meant for a platform.

use caravan_solver::View;
use opam_parser::filter::eval_to_bool;
use opam_parser::index::{ConditionNode, ConditionRef, FormulaNode, FormulaRef, Index, PackageId};
use opam_parser::version;

/// Whether a root is meant for a platform: its `available` is not false, undefined variables counting as
/// true, and no literal constraint of its `depends` on `ocaml` excludes the compiler's version.
pub(super) fn is_compatible(view: &View<'_>, root: PackageId, ocaml_version: &str) -> bool {
    let index = view.index();
    let environment = view.environment(root, view.flags(root, None));
    eval_to_bool(index.available(root), &environment, true) && formula(index, index.depends(root), ocaml_version)
}

fn formula(index: &Index, of: FormulaRef<'_>, ocaml_version: &str) -> bool {
    match of.node() {
        FormulaNode::Atom(name, condition) if index.name(name) == "ocaml" => {
            self::condition(index, condition, ocaml_version)
        }
        FormulaNode::Atom(..) => true,
        FormulaNode::All(mut parts) => parts.all(|part| formula(index, part, ocaml_version)),
        FormulaNode::Any(mut parts) => parts.any(|part| formula(index, part, ocaml_version)),
    }
}

/// Only literal constraints count; everything else is taken to hold.
fn condition(index: &Index, of: ConditionRef<'_>, ocaml_version: &str) -> bool {
    match of.node() {
        ConditionNode::Version(op, bound) => {
            op.holds(version::compare(ocaml_version.as_bytes(), index.version(bound).as_bytes()))
        }
        ConditionNode::Any | ConditionNode::Expanded(..) | ConditionNode::Filter(_) => true,
        ConditionNode::All(mut parts) => parts.all(|part| condition(index, part, ocaml_version)),
        ConditionNode::AnyOf(mut parts) => parts.any(|part| condition(index, part, ocaml_version)),
    }
}
