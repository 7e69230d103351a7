//! The answer of `platforms` as text.

use super::options::TextOptions;
use super::palette::{BOLD, DIM};
use super::table::{Cell, write_table};
use super::words::{count, joined};
use crate::answer::{CataloguePlatform, PlatformSet, PlatformsAnswer};
use std::fmt::Write;

pub(super) fn text(answer: &PlatformsAnswer, _: TextOptions, out: &mut String) {
    if !answer.sets.is_empty() {
        let rows: Vec<Vec<Cell>> = answer.sets.iter().map(set_row).collect();
        write_table(&rows, out);
        // What was read from JSON does not have them.
        if !answer.distributions.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "\n{DIM}distributions:{DIM:#} {}", joined(&answer.distributions));
        }
    }
    let rows: Vec<Vec<Cell>> = answer.platforms.iter().map(platform_row).collect();
    write_table(&rows, out);
}

fn set_row(set: &PlatformSet) -> Vec<Cell> {
    vec![Cell::styled(&set.name, BOLD), Cell::new(count(set.platforms.len(), "platform")), Cell::styled(&set.what, DIM)]
}

fn platform_row(platform: &CataloguePlatform) -> Vec<Cell> {
    vec![
        Cell::styled(&platform.id, BOLD),
        Cell::new(format!("tier {}", platform.tier)),
        Cell::new(platform.compiler.join(" ")),
        Cell::new(format!("opam {}", platform.opam)),
        Cell::styled(&platform.image, DIM),
    ]
}
