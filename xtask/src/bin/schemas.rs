//! `cargo xtask schemas`: the JSON Schemas of questions, answers and errors, and the OpenAPI document of the HTTP
//! server, from the types.

use caravan::schema::{documents, openapi_components};
use caravan_farm::servers::http::openapi::{error_schema, openapi};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::ExitCode;
use xtask::{Files, Mode, report, root};

fn main() -> anyhow::Result<ExitCode> {
    let is_check = std::env::args().skip(1).any(|argument| argument == "--check");
    let mode = if is_check { Mode::Check } else { Mode::Write };
    let mut files = Files::new(mode);
    let folder = root()?.join("caravan/schemas");
    if mode == Mode::Write {
        fs_err::create_dir_all(&folder)?;
    }
    for document in documents() {
        files.put(&folder.join(format!("{}.json", document.name)), &text(document.schema.into())?)?;
    }
    files.put(&folder.join("error.json"), &text(error_schema().into())?)?;
    let document = openapi(openapi_components());
    files.put(&root()?.join("farm/src/servers/http/openapi.json"), &text(document)?)?;
    Ok(report(mode, &files))
}

/// JSON as it is written to a file: members by name, whatever order they were made in.
fn text(value: Value) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(&Sorted::from(value))?;
    text.push(b'\n');
    Ok(text)
}

/// A value whose objects have their members by name.
#[derive(Serialize)]
#[serde(untagged)]
enum Sorted {
    Object(BTreeMap<String, Sorted>),
    Array(Vec<Sorted>),
    Other(Value),
}

impl From<Value> for Sorted {
    fn from(value: Value) -> Self {
        match value {
            Value::Object(members) => {
                Self::Object(members.into_iter().map(|(name, member)| (name, member.into())).collect())
            }
            Value::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            other => Self::Other(other),
        }
    }
}
