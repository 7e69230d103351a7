//! The answer of `installable` as text.

use super::options::TextOptions;
use super::palette::BOLD;
use super::table::{Cell, write_table};
use super::words::platform;
use crate::answer::{InstallableAnswer, PlatformInstallable};
use opam_parser::name::split_package;
use std::cmp::Ordering;

pub(super) fn text(answer: &InstallableAnswer, options: TextOptions, out: &mut String) {
    for found in &answer.answers {
        let rows: Vec<Vec<Cell>> = in_order(found)
            .into_iter()
            .filter(|(_, installable)| !*installable || options.verbose)
            .map(|(package, installable)| {
                let verdict = if installable { "can be installed" } else { "cannot be installed" };
                vec![Cell::new(package), Cell::new(verdict)]
            })
            .collect();
        write_table(&rows, out);
        let not_told = &found.not_told;
        let rows =
            not_told.iter().map(|one| vec![Cell::new(&one.package), Cell::new(format!("not told: {}", one.reason))]);
        write_table(&rows.collect::<Vec<_>>(), out);
        let count = found.installable.len();
        let all = count + found.not_installable.len() + not_told.len();
        let rest =
            if not_told.is_empty() { String::new() } else { format!("; of {} it could not be told", not_told.len()) };
        let platform = platform(&found.platform);
        out.push_str(&format!("{BOLD}{count} of {all} can be installed on {platform}{rest}{BOLD:#}\n"));
    }
}

/// All packages in opam's order, and whether they can be installed: both lists are in that order.
fn in_order(found: &PlatformInstallable) -> Vec<(&str, bool)> {
    let mut all = Vec::new();
    let mut not = found.not_installable.iter().map(String::as_str).peekable();
    for package in found.installable.iter().map(String::as_str) {
        while let Some(earlier) = not.next_if(|other| order(other, package).is_lt()) {
            all.push((earlier, false));
        }
        all.push((package, true));
    }
    all.extend(not.map(|package| (package, false)));
    all
}

/// The order in which opam lists `NAME.VERSION`.
fn order(a: &str, b: &str) -> Ordering {
    split_package(a).cmp(&split_package(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_and_what_cannot_be_installed_is_in_opams_order() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let found = PlatformInstallable {
            platform: Default::default(),
            installable: texts(&["a.2", "B.1", "b.1.10"]),
            not_installable: texts(&["a.1", "b.1.9", "c.1", "c.2"]),
            not_told: vec![],
        };
        let expected = [
            ("a.1", false),
            ("a.2", true),
            ("B.1", true),
            ("b.1.9", false),
            ("b.1.10", true),
            ("c.1", false),
            ("c.2", false),
        ];
        assert_eq!(in_order(&found), expected);
    }
}
