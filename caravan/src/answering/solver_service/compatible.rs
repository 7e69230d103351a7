//! Which of the roots are meant for a platform.

use super::given::GivenPackage;
use crate::protocols::solver_service::Vars;
use caravan_solver::Platform;
use opam_parser::filter::{Env, Scope, Value, eval_to_bool};
use opam_parser::formula::{Condition, Dependency, Formula, Operand};
use opam_parser::version;

/// Whether a root is meant for a platform (rule C2): its `available` is not false, where undefined variables, among them
/// `version`, count as true; and no literal constraint of its `depends` on `ocaml` excludes the compiler's version.
pub(super) fn is_compatible((_, _, file): &GivenPackage, platform: &Platform, vars: &Vars) -> bool {
    eval_to_bool(&file.available, &PlatformAlone(platform), true) && formula(&file.depends, &vars.ocaml_version)
}

/// The platform's variables, and no others.
struct PlatformAlone<'p>(&'p Platform);

impl Env for PlatformAlone<'_> {
    fn variable(&self, scope: Scope<'_>, name: &str) -> Value<'_> {
        let text = match scope {
            Scope::Global => self.0.get(name),
            Scope::Own => None,
            Scope::Package(package) => self.0.get(&format!("{package}:{name}")),
        };
        match text {
            None => Value::Undefined,
            Some("true") => Value::Bool(true),
            Some("false") => Value::Bool(false),
            Some(text) => Value::str(text),
        }
    }
}

fn formula(of: &Formula<Dependency>, ocaml_version: &str) -> bool {
    match of {
        Formula::Atom(Dependency { name, condition }) if name.as_str() == "ocaml" => {
            self::condition(condition, ocaml_version)
        }
        Formula::Empty | Formula::Atom(_) => true,
        Formula::And(parts) => parts.iter().all(|part| formula(part, ocaml_version)),
        Formula::Or(parts) => parts.iter().any(|part| formula(part, ocaml_version)),
    }
}

/// Only literal constraints count; everything else is taken to hold.
fn condition(of: &Condition, ocaml_version: &str) -> bool {
    match of {
        Condition::Constraint(op, Operand::Version(bound)) => {
            op.holds(version::compare(ocaml_version.as_bytes(), bound.as_str().as_bytes()))
        }
        Condition::Any | Condition::Constraint(..) | Condition::Filter(_) => true,
        Condition::And(parts) => parts.iter().all(|part| condition(part, ocaml_version)),
        Condition::Or(parts) => parts.iter().any(|part| condition(part, ocaml_version)),
    }
}
