//! A page of its own: no network, no other file. `page.html` is what it looks like and does; here the data
//! is put into it, as small as thousands of packages with their solutions allow.

use super::charts;
use crate::answer::{HealthAnswer, HealthCell};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::fmt::Write;

const TEMPLATE: &str = include_str!("page.html");

const TITLE: &str = "What can be installed";

/// Package texts by number.
#[derive(Default)]
struct Texts<'a> {
    numbers: FxHashMap<&'a str, usize>,
    texts: Vec<&'a str>,
}

impl<'a> Texts<'a> {
    fn number(&mut self, text: &'a str) -> usize {
        let next = self.texts.len();
        let number = *self.numbers.entry(text).or_insert(next);
        if number == next {
            self.texts.push(text);
        }
        number
    }

    /// A selection: the numbers in order, each as its distance from the one before, in base 36.
    fn selection(&mut self, packages: &'a [String]) -> String {
        let mut numbers: Vec<usize> = packages.iter().map(|package| self.number(package)).collect();
        numbers.sort_unstable();
        let mut text = String::with_capacity(numbers.len() * 3);
        let mut last = 0;
        for number in numbers {
            if !text.is_empty() {
                text.push(',');
            }
            write_base36(number - last, &mut text);
            last = number;
        }
        text
    }

    /// A cell: `null` is not there, a text a selection, a list a reason.
    fn cell(&mut self, cell: Option<&'a HealthCell>) -> Value {
        match cell {
            None => Value::Null,
            Some(HealthCell::Installable { selection, .. }) => self.selection(selection).into(),
            Some(HealthCell::Not { reason, .. }) => {
                let path: Vec<usize> = reason.path.iter().map(|package| self.number(package)).collect();
                let facts: Vec<&str> = reason.facts.iter().filter_map(|fact| fact.text.as_deref()).collect();
                json!([reason.class, path, reason.cause, facts])
            }
            Some(HealthCell::NotTold { not_told, .. }) => json!(["not-told", [], not_told, []]),
        }
    }
}

fn write_base36(number: usize, out: &mut String) {
    if number >= 36 {
        write_base36(number / 36, out);
    }
    out.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
}

/// The page of a health check.
pub(in crate::render) fn html(answer: &HealthAnswer, out: &mut String) {
    let mut drawn = charts::shares(answer);
    if let Some(comparison) = answer.comparison.as_ref().filter(|comparison| !comparison.blockers.is_empty()) {
        let _ = write!(
            drawn,
            "<h2>What stands in the way of {}</h2>{}",
            charts::escaped(&comparison.after),
            charts::blockers(comparison)
        );
    }
    // Nothing in the data can end the element that it stands in.
    let data = data(answer).to_string().replace('<', "\\u003c");
    out.reserve(TEMPLATE.len() + data.len());
    let mut rest = TEMPLATE;
    // Each mark is replaced where it stands, so that no data is mistaken for one.
    for (mark, text) in
        [("{{title}}", TITLE), ("{{title}}", TITLE), ("{{charts}}", drawn.as_str()), ("{{data}}", data.as_str())]
    {
        if let Some((before, after)) = rest.split_once(mark) {
            out.push_str(before);
            out.push_str(text);
            rest = after;
        }
    }
    out.push_str(rest);
}

/// What the page's script reads.
fn data(answer: &HealthAnswer) -> Value {
    let mut texts = Texts::default();
    let rows: Vec<Value> = answer
        .packages
        .iter()
        .map(|row| {
            let cells: Vec<Value> = row.cells.iter().map(|cell| texts.cell(cell.as_ref())).collect();
            json!([row.package, cells])
        })
        .collect();
    let platforms: Vec<Value> = answer
        .platforms
        .iter()
        .map(|platform| json!({"id": platform.id, "repository": platform.repository, "installable": platform.installable}))
        .collect();
    let comparison = answer.comparison.as_ref().map(|comparison| {
        json!({
            // The last two columns are the ones that were compared.
            "a": answer.platforms.len().saturating_sub(2),
            "b": answer.platforms.iter().rposition(|platform| platform.id == comparison.after),
            "blockers": comparison.blockers,
        })
    });
    json!({"platforms": platforms, "texts": texts.texts, "rows": rows, "comparison": comparison})
}

#[cfg(test)]
mod tests {
    use super::{HealthAnswer, Texts, html};
    use crate::answer::{HealthCell, HealthPackage};

    #[test]
    fn selections_are_distances() {
        let mut texts = Texts::default();
        let some = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let many: Vec<String> = (0..40).map(|number| format!("p.{number}")).collect();
        let (first, last) = (some(&["a.1", "b.1"]), some(&["b.1", "p.39", "a.1"]));
        assert_eq!(texts.selection(&first), "0,1");
        texts.selection(&many);
        assert_eq!(texts.selection(&last), "0,1,14");
        assert_eq!(texts.selection(&[]), "");
    }

    #[test]
    fn data_cannot_end_its_element_nor_be_a_mark() {
        let cell = HealthCell::Installable { package: "a.1".to_owned(), selection: vec!["</script>".to_owned()] };
        let answer = HealthAnswer {
            schema: "caravan.health/1".into(),
            platforms: vec![],
            packages: vec![HealthPackage { package: "{{data}}".to_owned(), cells: vec![Some(cell)] }],
            comparison: None,
            names_packages: false,
        };
        let mut page = String::new();
        html(&answer, &mut page);
        assert!(page.contains("\\u003c/script>") && page.contains("[\"{{data}}\",[\"0\"]]"), "{page}");
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(page.ends_with("</html>\n"));
    }
}
