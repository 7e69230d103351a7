//! Text of others at the border: what opam files, paths and requests say is shown, never obeyed.
//!
//! A repository's files may hold any characters. Some of them are orders to whoever reads the output: control sequences
//! to a terminal, line breaks to whatever reads lines, `::error::` at the beginning of a line to GitHub's workflows,
//! `<`, `@` and `|` to Markdown. Each form has one function here, and all text that is not our own goes through it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Text within one line on a terminal, in a file for people or in a log: what is not printed as it stands (control
/// characters but the tab, line breaks, characters that change the direction of writing) becomes an escape, such as `\n`, `\x1b`
/// or `\u{202e}`. So do the beginnings of GitHub's workflow commands, which anything that a workflow prints is searched
/// for. Text that went through it once stays as it is.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\t')
}

/// As [`line()`], for text of several lines: these stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// Text of a log: as [`lines`], but a line of a log begins with its time, so a line break stays only where what follows
/// is indented.
pub fn log(text: &str) -> Cow<'_, str> {
    let is_indented = |rest: &str| rest.starts_with([' ', '\t']);
    if text.split('\n').skip(1).all(is_indented) {
        return lines(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (place, part) in text.split('\n').enumerate() {
        match place {
            0 => {}
            _ if is_indented(part) => out.push('\n'),
            _ => out.push_str("\\n"),
        }
        out.push_str(&lines(part));
    }
    Cow::Owned(out)
}

/// Text in GitHub's Markdown, within a line or a cell of a table: as [`line()`], and nothing in it is markup, ends a cell
/// or notifies anybody.
pub fn markdown(text: &str) -> String {
    let text = line(text);
    let mut out = String::with_capacity(text.len());
    for (place, c) in text.char_indices() {
        match c {
            // `< 5.5` begins no element.
            '<' if !text[place..].starts_with("< ") && !text[place..].starts_with("<=") => out.push_str("&lt;"),
            '|' => out.push_str("\\|"),
            '`' => out.push_str("\\`"),
            '[' => out.push_str("\\["),
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            c => out.push(c),
        }
    }
    out
}

/// Text as code in GitHub's Markdown, within a line or a cell of a table: what would end either is replaced.
pub fn markdown_code(text: &str) -> String {
    format!("`{}`", line(text).replace('`', "'").replace('|', "\\|"))
}

/// Text as a quoted string of a graph for Graphviz; line breaks stay.
pub fn graph(text: &str) -> String {
    // What `line` makes of a character is shown, not read as an escape.
    let escaped = escaped(text, |c| matches!(c, '\n' | '\t')).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_harmless = |c: char| !is_order(c) || stays(c);
    if !text.contains("::") && !text.contains("##[") && text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    // Only white space since the line began.
    let mut begins = true;
    for (place, c) in text.char_indices() {
        let rest = text.get(place..).unwrap_or_default();
        match c {
            ':' if begins && rest.starts_with("::") => out.push_str("\\x3a"),
            '#' if rest.starts_with("#[") && out.ends_with('#') => out.push_str("\\x23"),
            c if is_harmless(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            // Writing to a string cannot fail.
            c if c < '\u{100}' => drop(write!(out, "\\x{:02x}", u32::from(c))),
            c => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
        }
        begins = c == '\n' && stays(c) || begins && c.is_whitespace();
    }
    Cow::Owned(out)
}

/// Whether a character is an order to a terminal: control characters, line and paragraph separators, and what changes
/// the direction of writing.
fn is_order(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_orders() {
        for (text, shown) in [
            ("ocaml >= 4.14", "ocaml >= 4.14"),
            ("Ünïcode → ✓", "Ünïcode → ✓"),
            ("\x1b[2J\x1b]0;t\x07", "\\x1b[2J\\x1b]0;t\\x07"),
            ("\u{9b}31m\u{7f}", "\\x9b31m\\x7f"),
            ("a\r\n\tb", "a\\r\\n\tb"),
            ("\u{202e}bidi\u{2066}", "\\u{202e}bidi\\u{2066}"),
            ("::error::x", "\\x3a:error::x"),
            (" ::error::x", " \\x3a:error::x"),
            ("a::b", "a::b"),
            ("x ##[error]y", "x #\\x23[error]y"),
        ] {
            assert_eq!(line(text), shown);
            assert_eq!(line(shown), shown);
        }
    }

    #[test]
    fn several_lines_stay_several() {
        assert_eq!(lines("a\n\tb\x1b[m\n::error::x"), "a\n\tb\\x1b[m\n\\x3a:error::x");
        assert_eq!(lines("a\n  ::set-output::x"), "a\n  \\x3a:set-output::x");
    }

    #[test]
    fn a_string_of_a_graph_ends_where_it_ends() {
        assert_eq!(graph("a\nb\"]\\\x1b"), r#""a\nb\"]\\\\x1b""#);
    }

    #[test]
    fn a_log_has_no_lines_of_others() {
        let forged = "url\n2026-11-24 00:00.00 [INFO] fake\x1b[m\n  more";
        assert_eq!(log(forged), "url\\n2026-11-24 00:00.00 [INFO] fake\\x1b[m\n  more");
        assert_eq!(log("a\n  b"), "a\n  b");
    }

    #[test]
    fn markdown_has_no_markup_of_others() {
        let text = "a\n::error::b @here | `x` </details><img src=x> ![i](u) #1";
        let shown = "a\\n::error::b &#64;here \\| \\`x\\` &lt;/details>&lt;img src=x> !\\[i](u) &#35;1";
        assert_eq!(markdown(text), shown);
        assert_eq!(markdown_code("a`b|c\nd"), "`a'b\\|c\\nd`");
    }
}
