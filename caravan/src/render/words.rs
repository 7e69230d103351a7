//! Words that several forms use.

use crate::answer::{Difference, NotTold, Variables};
use crate::escape::line;
use caravan_solver::Platform;

/// `1 version`, `2 versions`
pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// The first of some texts, within a line, and how many more there are.
pub(super) fn some<T: AsRef<str>>(texts: &[T], limit: usize) -> String {
    // One more line says less than the one text that it stands for.
    let shown = if texts.len() <= limit + 1 { texts.len() } else { limit };
    let mut list = texts[..shown].iter().map(|text| line(text.as_ref())).collect::<Vec<_>>().join(", ");
    if shown < texts.len() {
        list.push_str(&format!(" and {} more", texts.len() - shown));
    }
    list
}

/// A platform in a few words: `linux x86_64 debian-13`
pub(super) fn platform(variables: &Variables) -> String {
    let mut platform = Platform::default();
    variables.iter().for_each(|(name, value)| platform.set(name, value));
    line(&platform.summary()).into_owned()
}

/// The first line of a synopsis; control characters become blanks.
pub(super) fn first_line(synopsis: &str) -> String {
    let first = synopsis.lines().next().unwrap_or_default();
    let blanks: String = first.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line(&blanks).into_owned()
}

/// `dune 3.23.1 → 3.24.0`, `base.v0.17 comes in`, `num.1.6 is left out`
pub(super) fn difference(difference: &Difference) -> String {
    let name = &difference.name;
    let text = match (&difference.before, &difference.after) {
        (Some(before), Some(after)) => format!("{name} {before} → {after}"),
        (None, Some(after)) => format!("{name}.{after} comes in"),
        (Some(before), None) => format!("{name}.{before} is left out"),
        (None, None) => name.clone(),
    };
    line(&text).into_owned()
}

/// Texts within a line.
pub(super) fn joined<T: AsRef<str>>(texts: &[T]) -> String {
    texts.iter().map(|text| line(text.as_ref())).collect::<Vec<_>>().join(", ")
}

/// What is left out of an answer because it could not be told, a line each.
pub(super) fn write_not_told(not_told: &[NotTold], out: &mut String) {
    for NotTold { package, reason } in not_told {
        out.push_str(&format!("{} is left out: it could not be told: {}\n", line(package), line(reason)));
    }
}
