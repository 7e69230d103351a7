//! What is wrong with an opam file, in the words of the opam that solver-service is built with.

use opam_parser::diagnostic::{Diagnostic, Severity, Span};
use opam_parser::file::{Extent, OpamFile, Parsed};

/// A file without `opam-version`, or with a later one than that opam reads.
pub(super) const LATER_FORMAT: &str =
    "In ./<none>:\nunsupported or missing file format version; should be 2.0 or older";

/// What is wrong with a file; `None` if that opam can read it.
pub(super) fn opam_error(text: &[u8]) -> Option<String> {
    let Parsed { file, diagnostics } = OpamFile::parse_extent(text, Extent::Solving);
    match file {
        Some(file) => file.is_of_later_format().then(|| LATER_FORMAT.to_owned()),
        None => Some(of_diagnostics(text, &diagnostics)),
    }
}

/// What is wrong with a file that was set aside.
pub(super) fn of_diagnostics(text: &[u8], diagnostics: &[Diagnostic]) -> String {
    let first = diagnostics.iter().find(|found| found.severity == Severity::Error);
    let Some((found, span)) = first.and_then(|found| Some((found, found.span?))) else {
        return LATER_FORMAT.to_owned();
    };
    let (message, span) = match () {
        () if found.message == "this string is never closed" => ("unterminated string".to_owned(), end_of(text)),
        () if found.message == "this comment is never closed" => ("unterminated comment".to_owned(), end_of(text)),
        () if found.message == "this escape means nothing" => {
            ("illegal escape sequence".to_owned(), Span::new(span.start + 1, span.start + 1))
        }
        () if found.message.starts_with("unexpected ") => {
            let byte = String::from_utf8_lossy(span.slice(text).get(..1).unwrap_or_default()).into_owned();
            (format!("'{byte}' is not a valid token"), Span::new(span.start, span.start + 1))
        }
        () => ("Parse error".to_owned(), last_lexeme(text, span)),
    };
    let ((line, column), (end_line, end_column)) = (position(text, span.start), position(text, span.end));
    format!("At ./<none>:{line}:{column}-{end_line}:{end_column}::\n{message}")
}

fn end_of(text: &[u8]) -> Span {
    Span::new(text.len() as u32, text.len() as u32)
}

/// OCaml's lexer reads a string piece by piece, and remembers where the last piece is: the closing quotes.
fn last_lexeme(text: &[u8], token: Span) -> Span {
    let quotes = match token.slice(text) {
        [b'"', b'"', b'"', ..] => 3,
        [b'"', ..] => 1,
        _ => return token,
    };
    Span::new(token.end.saturating_sub(quotes), token.end)
}

/// The line, from 1, and the column, from 0.
fn position(text: &[u8], offset: u32) -> (usize, usize) {
    let before = &text[..(offset as usize).min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    (before.iter().filter(|byte| **byte == b'\n').count() + 1, before.len() - line_start)
}

#[cfg(test)]
mod tests {
    use super::opam_error;

    #[test]
    fn errors_are_where_ocaml_sees_them() {
        for (text, expected) in [
            ("opam-version: \"2.0\"\n", None),
            ("opam-version: \"1.2\"\n", None),
            (
                "opam-version: \"2.1\"\n",
                Some("In ./<none>:\nunsupported or missing file format version; should be 2.0 or older"),
            ),
            ("", Some("In ./<none>:\nunsupported or missing file format version; should be 2.0 or older")),
            ("opam-version: \"2.0\"\ndepends: [ \"a\" {", Some("At ./<none>:2:16-2:16::\nParse error")),
            ("opam-version: \"2.0\"\ndepends: [\"a\" {\n", Some("At ./<none>:3:0-3:0::\nParse error")),
            ("opam-version: \"2.0\"\nbuild \"x\" ]\n", Some("At ./<none>:2:10-2:11::\nParse error")),
            ("opam-version: \"2.0\"\nname: ;\n", Some("At ./<none>:2:6-2:7::\n';' is not a valid token")),
            ("opam-version: \"2.0\"\nname: \"a\n", Some("At ./<none>:3:0-3:0::\nunterminated string")),
        ] {
            assert_eq!(opam_error(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }
}
