//! JSON schemas of what is written as text.

use crate::atom::Atom;
use crate::name::PackageName;
use crate::version::Version;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

macro_rules! text {
    ($type:ident, $($schema:tt)+) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn schema_id() -> Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($type)).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($schema)+)
            }
        }
    };
}

text!(PackageName, {
    "description": "A package name.",
    "type": "string",
    "pattern": "^[A-Za-z0-9_+-]*[A-Za-z][A-Za-z0-9_+-]*$",
});

text!(Version, {
    "description": "A version, as it is written.",
    "type": "string",
    "pattern": "^[A-Za-z0-9._+~-]+$",
});

text!(Atom, {
    "description": "A package, perhaps with a version or a constraint on it: `utop`, `utop.2.14.0`, `utop>=2.0`.",
    "type": "string",
    "pattern": "^[A-Za-z0-9_+-]*[A-Za-z][A-Za-z0-9_+-]* *((\\.|=|!=|<=?|>=?) *[A-Za-z0-9._+~-]+)?$",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_patterns() {
        for schema in [schemars::schema_for!(PackageName), schemars::schema_for!(Version), schemars::schema_for!(Atom)]
        {
            assert_eq!(schema.get("type").and_then(|found| found.as_str()), Some("string"));
            assert!(schema.get("pattern").is_some_and(|pattern| pattern.is_string()));
        }
    }
}
