//! The answer of `show` as text.

use super::palette::BOLD;
use super::table::{Cell, write_table};
use crate::answer::{ShowAnswer, ShownPackage};
use crate::escape::lines;

/// The length, in bytes, of lines of words.
const LINE: usize = 80;

pub(super) fn text(answer: &ShowAnswer, out: &mut String) {
    for (place, package) in answer.packages.iter().enumerate() {
        if place > 0 {
            out.push('\n');
        }
        describe(package, out);
    }
}

fn describe(package: &ShownPackage, out: &mut String) {
    let available = if package.available { "yes" } else { "no, not on this platform" };
    let condition = if package.available_if == "true" { "" } else { package.available_if.as_str() };
    let fields: [(&str, &str); 18] = [
        ("name", &package.name),
        ("version", &package.version),
        ("synopsis", &package.synopsis),
        ("all-versions", &wrapped(&package.all_versions)),
        ("available", available),
        ("available-if", condition),
        ("flags", &package.flags.join(" ")),
        ("authors", &package.authors.join(", ")),
        ("maintainer", &package.maintainer.join(", ")),
        ("license", &package.license.join(", ")),
        ("homepage", &package.homepage.join(", ")),
        ("bug-reports", &package.bug_reports.join(", ")),
        ("depends", &package.depends.join("\n")),
        ("depopts", &package.depopts),
        ("conflicts", &package.conflicts),
        ("conflict-class", &package.conflict_class.join(", ")),
        ("source", package.source.as_deref().unwrap_or_default()),
        ("file", &package.file),
    ];
    let mut rows = Vec::new();
    for (name, text) in fields {
        for (place, line) in text.lines().enumerate() {
            let label = if place == 0 { name } else { "" };
            rows.push(vec![Cell::styled(label, BOLD), Cell::new(line)]);
        }
    }
    write_table(&rows, out);
    if !package.description.is_empty() {
        out.push_str(&format!("\n{}\n", lines(&package.description)));
    }
}

/// Words in lines of some 80 characters.
fn wrapped(words: &[String]) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in words {
        if column > 0 && column + 2 + word.len() > LINE {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push_str("  ");
            column += 2;
        }
        text.push_str(word);
        column += word.len();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_of_words_end_at_80_characters() {
        let words: Vec<String> = (0..30).map(|number| format!("1.{number}.00")).collect();
        let text = wrapped(&words);
        assert!(text.lines().all(|line| line.len() <= 80 && line.len() > 70 || line.ends_with("1.29.00")), "{text}");
        assert_eq!(text.split_whitespace().collect::<Vec<_>>(), words);
    }
}
