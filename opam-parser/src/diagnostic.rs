//! What is wrong in a file, where, and what to do about it.
//!
//! Parsing never fails as a whole: every stage hands back what it could read and a list of
//! [`Diagnostic`]s. A diagnostic holds byte offsets only; lines, columns and the source excerpt are
//! worked out when somebody looks at it ([`Diagnostic::position`], [`Diagnostic::render`]).

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use bstr::ByteSlice;

/// A half-open range of byte offsets in one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset just past the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` up to and without `end`.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The bytes of `source` that the span covers; empty when it lies outside.
    pub fn slice(self, source: &[u8]) -> &[u8] {
        source.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// How much of a file a diagnostic costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// One field is ignored and the rest of the file is used (`docs/semantics.md`, rule P9).
    Warning,
    /// The whole file is set aside: the package version does not exist (rules P1 to P8).
    Error,
}

/// One thing wrong in a file. As an error it is its message alone; [`Diagnostic::render`] says where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// What it costs.
    pub severity: Severity,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// Where, if it is in one place.
    pub span: Option<Span>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A place in a file as editors count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, counted in bytes.
    pub column: u32,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), span: Some(span), hint: None }
    }

    /// A warning at `span`: something there is ignored.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, message: message.into(), span: Some(span), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Line and column of the start of the span, in the file's own text.
    pub fn position(&self, source: &[u8]) -> Option<Position> {
        let offset = (self.span?.start as usize).min(source.len());
        let before = &source[..offset];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let column = offset - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1) + 1;
        Some(Position { line: line as u32, column: column as u32 })
    }

    /// The diagnostic as a person reads it: message, `path:line:column`, the source with the place
    /// underlined, and the hint. `color` adds terminal colours.
    pub fn render(&self, path: &str, source: &[u8], color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let path = &plain_path(path);
        let message = without_high_controls(&self.message);
        let hint = self.hint.as_deref().map(without_high_controls);
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&message);
        let shown;
        let mut group = match self.span {
            Some(span) => {
                shown = Shown::new(source, span);
                Group::with_title(title).element(
                    Snippet::source(&shown.text)
                        .path(path)
                        .line_start(shown.first_line)
                        .annotation(AnnotationKind::Primary.span(shown.start..shown.end)),
                )
            }
            None => Group::with_title(title).element(annotate_snippets::Origin::path(path)),
        };
        if let Some(hint) = &hint {
            group = group.element(Level::HELP.with_name("hint").message(hint));
        }
        renderer.render(&[group])
    }
}

/// A path in which nothing is an order to a terminal.
fn plain_path(path: &str) -> String {
    path.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Text without the control characters from 0x80 on, which are orders to a terminal, too: the renderer replaces only
/// those below.
fn without_high_controls(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\u{80}'..='\u{9f}') { '\u{fffd}' } else { c }).collect()
}

/// The lines around a span as valid UTF-8, since files may hold any bytes (rule L14).
struct Shown {
    text: String,
    first_line: usize,
    start: usize,
    end: usize,
}

impl Shown {
    fn new(source: &[u8], span: Span) -> Self {
        let start = (span.start as usize).min(source.len());
        let end = (span.end as usize).clamp(start, source.len());
        let from = memchr::memrchr(b'\n', &source[..start]).map_or(0, |at| at + 1);
        let to = memchr::memchr(b'\n', &source[end..]).map_or(source.len(), |at| end + at);
        // A span over many lines (an unterminated string) is shown by its first one only.
        let line_end = memchr::memchr(b'\n', &source[start..to]).map_or(to, |at| start + at);
        let end = end.min(line_end);
        let lossy = |bytes: &[u8]| without_high_controls(&bytes.to_str_lossy());
        let before = lossy(&source[from..start]);
        let inside = lossy(&source[start..end]);
        let after = lossy(&source[end..line_end]);
        Self {
            first_line: memchr::memchr_iter(b'\n', &source[..from]).count() + 1,
            start: before.len(),
            end: before.len() + inside.len(),
            text: [before, inside, after].concat(),
        }
    }
}
