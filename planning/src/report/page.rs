//! A page of its own: no network, no other file. `page.html` is what it looks like and does; here the data
//! is put into it, as small as thousands of packages with their solutions allow.

use super::charts;
use super::{CellReport, HealthReport};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::fmt::Write;

const TEMPLATE: &str = include_str!("page.html");

/// Package texts by number.
#[derive(Default)]
struct Texts<'r> {
    numbers: FxHashMap<&'r str, usize>,
    texts: Vec<&'r str>,
}

impl<'r> Texts<'r> {
    fn number(&mut self, text: &'r str) -> usize {
        let next = self.texts.len();
        let number = *self.numbers.entry(text).or_insert(next);
        if number == next {
            self.texts.push(text);
        }
        number
    }

    /// A selection: the numbers in order, each as its distance from the one before, in base 36.
    fn selection(&mut self, packages: &'r [String]) -> String {
        let mut numbers: Vec<usize> = packages.iter().map(|package| self.number(package)).collect();
        numbers.sort_unstable();
        let mut text = String::with_capacity(numbers.len() * 3);
        let mut last = 0;
        for number in numbers {
            if !text.is_empty() {
                text.push(',');
            }
            base36(number - last, &mut text);
            last = number;
        }
        text
    }
}

fn base36(number: usize, into: &mut String) {
    if number >= 36 {
        base36(number / 36, into);
    }
    into.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
}

/// The page of a health check.
pub fn page(report: &HealthReport, title: &str) -> String {
    let mut texts = Texts::default();
    let rows: Vec<Value> = report
        .packages
        .iter()
        .map(|row| {
            let cells: Vec<Value> = row
                .cells
                .iter()
                .map(|cell| match cell {
                    None => Value::Null,
                    Some(CellReport::Installable { selection, .. }) => texts.selection(selection).into(),
                    Some(CellReport::Not { reason, .. }) => {
                        let path: Vec<usize> = reason.path.iter().map(|package| texts.number(package)).collect();
                        let facts: Vec<&str> = reason.facts.iter().map(|said| said.text.as_str()).collect();
                        json!([reason.class, path, reason.cause, facts])
                    }
                })
                .collect();
            json!([row.package, cells])
        })
        .collect();
    let platforms: Vec<Value> = report
        .platforms
        .iter()
        .map(|platform| json!({"id": platform.id, "repository": platform.repository, "installable": platform.installable}))
        .collect();
    let blockers = report.comparison.as_ref().map(|comparison| {
        let place = |id: &str| report.platforms.iter().rposition(|platform| platform.id == id);
        json!({
            // The last two columns are the ones that were compared.
            "a": report.platforms.len().saturating_sub(2),
            "b": place(&comparison.after),
            "blockers": comparison.blockers,
        })
    });
    let data = json!({"platforms": platforms, "texts": texts.texts, "rows": rows, "comparison": blockers});
    // Nothing in the data can end the element that it stands in.
    let data = data.to_string().replace('<', "\\u003c");
    let mut drawn = charts::shares(report);
    if let Some(comparison) = report.comparison.as_ref().filter(|comparison| !comparison.blockers.is_empty()) {
        let _ = write!(
            drawn,
            "<h2>What stands in the way of {}</h2>{}",
            charts::escaped(&comparison.after),
            charts::blockers(comparison)
        );
    }
    let mut page = String::with_capacity(TEMPLATE.len() + data.len());
    let mut rest = TEMPLATE;
    // Each mark is replaced where it stands, so that no data is mistaken for one.
    for (mark, text) in [
        ("{{title}}", charts::escaped(title)),
        ("{{title}}", charts::escaped(title)),
        ("{{charts}}", drawn),
        ("{{data}}", data),
    ] {
        if let Some((before, after)) = rest.split_once(mark) {
            page.push_str(before);
            page.push_str(&text);
            rest = after;
        }
    }
    page.push_str(rest);
    page
}
