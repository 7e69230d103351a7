//! `caravan platforms`

use super::columns::{catalogue, entries};
use crate::arguments::{Format, Global, ListPlatforms};
use crate::failure::Failure;
use crate::output::{BOLD, Cell, DIM, Output};
use crate::session::Session;
use caravan_planning::catalogue::{BUILTIN, Entry};
use serde::Serialize;
use std::process::ExitCode;

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sets: Vec<Set>,
    platforms: Vec<Entry>,
}

#[derive(Serialize)]
struct Set {
    name: String,
    what: String,
    platforms: Vec<String>,
}

pub(crate) fn run(global: &Global, arguments: &ListPlatforms, output: &mut Output) -> Result<ExitCode, Failure> {
    if arguments.toml {
        output.bytes(BUILTIN.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let catalogue = catalogue(arguments.catalogue.as_deref())?;
    let session = Session::open(global, output)?;
    let index = &session.index;
    let mut sets = Vec::new();
    let mut platforms: Vec<Entry> = Vec::new();
    if arguments.platforms.is_empty() {
        for (name, what) in catalogue.sets() {
            let entries = catalogue.set(index, name)?;
            let platforms = entries.iter().map(|entry| entry.id.clone()).collect();
            sets.push(Set { name: name.to_owned(), what: what.to_owned(), platforms });
        }
    }
    for text in &arguments.platforms {
        for entry in entries(&catalogue, index, text)? {
            if platforms.iter().all(|known| known.id != entry.id) {
                platforms.push(entry);
            }
        }
    }
    if output.format == Format::Json {
        output.json(&Answer { schema: "caravan.platforms/1", sets, platforms })?;
        return Ok(ExitCode::SUCCESS);
    }
    if !sets.is_empty() {
        let rows: Vec<Vec<Cell>> = sets
            .iter()
            .map(|set| {
                let count = set.platforms.len();
                let platforms = format!("{count} platform{}", if count == 1 { "" } else { "s" });
                vec![Cell::styled(&set.name, BOLD), Cell::new(platforms), Cell::styled(&set.what, DIM)]
            })
            .collect();
        output.table(&rows)?;
        let distributions: Vec<&str> = catalogue.distributions().collect();
        output.line(format_args!("\n{DIM}distributions:{DIM:#} {}", distributions.join(", ")))?;
    }
    let rows: Vec<Vec<Cell>> = platforms
        .iter()
        .map(|entry| {
            vec![
                Cell::styled(&entry.id, BOLD),
                Cell::new(format!("tier {}", entry.tier)),
                Cell::new(entry.compiler.join(" ")),
                Cell::new(format!("opam {}", entry.opam)),
                Cell::styled(&entry.image, DIM),
            ]
        })
        .collect();
    output.table(&rows)?;
    Ok(ExitCode::SUCCESS)
}
