//! Constraints on versions as people write them: `>= 2.0`.

use opam_parser::atom::Atom;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A constraint on a version, in JSON a text such as `>= 2.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint(pub RelOp, pub Version);

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.as_str(), self.1)
    }
}

impl Serialize for Constraint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Constraint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The grammar of atoms, with a name that is not kept.
        let operator = text.trim_start().starts_with(['=', '!', '<', '>']);
        let atom = format!("x{text}").parse::<Atom>().ok().filter(|_| operator).and_then(|atom| atom.constraint);
        let (op, version) = atom.ok_or_else(|| {
            serde::de::Error::custom(format_args!("`{text}` is not a version constraint such as `>= 1.2`"))
        })?;
        Ok(Self(op, version))
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Constraint {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Constraint".into()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        concat!(module_path!(), "::Constraint").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A constraint on a version: `>= 2.0`.",
            "type": "string",
            "pattern": "^ *(=|!=|<=?|>=?) *[A-Za-z0-9._+~-]+ *$",
        })
    }
}
