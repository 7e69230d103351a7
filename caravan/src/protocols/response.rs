//! Responses as OCaml writes variants: `["Ok", …]`, `["Error", ["Msg", TEXT]]`, `["Error", ["Cancelled"]]`.

use serde::{Serialize, Serializer};
use std::fmt;

/// The answer to a request of a CI service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response<T> {
    /// For each platform with a solution that solution, in the order of the request.
    Ok(Vec<T>),
    /// There is no answer.
    Error(Refusal),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was cancelled.
    Cancelled,
    /// Something is wrong.
    Msg(String),
}

impl<T: Serialize> Response<T> {
    /// A refusal with words.
    pub fn message(text: impl fmt::Display) -> Self {
        Self::Error(Refusal::Msg(text.to_string()))
    }

    /// As it is sent.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings and lists only: nothing in it can fail to be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Response<T> {
    /// `SolverServiceResponse` for `SolverServiceSelection`.
    fn schema_name() -> std::borrow::Cow<'static, str> {
        let selection = T::schema_name();
        format!("{}Response", selection.strip_suffix("Selection").unwrap_or(&selection)).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let of_two = |first: serde_json::Value, second: serde_json::Value| {
            serde_json::json!({
                "type": "array",
                "prefixItems": [first, second],
                "items": false,
                "minItems": 2,
                "maxItems": 2,
            })
        };
        let constant = |text: &str| serde_json::json!({ "const": text });
        let selections = serde_json::json!({ "type": "array", "items": generator.subschema_for::<T>() });
        let cancelled = serde_json::json!({ "const": ["Cancelled"] });
        let message = of_two(constant("Msg"), serde_json::json!({ "type": "string" }));
        schemars::json_schema!({
            "description": "`[\"Ok\", SELECTIONS]`, `[\"Error\", [\"Cancelled\"]]` or `[\"Error\", [\"Msg\", TEXT]]`",
            "oneOf": [
                of_two(constant("Ok"), selections),
                of_two(constant("Error"), serde_json::json!({ "oneOf": [cancelled, message] })),
            ],
        })
    }
}

impl<T: Serialize> Serialize for Response<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ok(selections) => ("Ok", selections).serialize(serializer),
            Self::Error(Refusal::Cancelled) => ("Error", ("Cancelled",)).serialize(serializer),
            Self::Error(Refusal::Msg(text)) => ("Error", ("Msg", text)).serialize(serializer),
        }
    }
}
