//! Bytes to tokens: rules L1 to L17 of `docs/semantics.md` (`opam-file-format`, `opamLexer.mll`).
//!
//! The longest match wins, and of two of equal length the earlier rule, as ocamllex has it. The
//! lexer works on bytes and never looks at UTF-8. Something it cannot read becomes a diagnostic and
//! a token of its own, so that the parser can go on behind it.

use super::tree::{EnvOp, RelOp, Text};
use crate::diagnostic::{Diagnostic, Span};
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Ident,
    Bool(bool),
    Int(i64),
    Str(Text),
    RelOp(RelOp),
    EnvOp(EnvOp),
    And,
    Or,
    Not,
    Defined,
    Colon,
    LBrace,
    RBrace,
    LBracket,
    RBracket,
    LParen,
    RParen,
    /// Something unreadable, which has its diagnostic already.
    Error,
    Eof,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

pub(super) struct Lexer<'s> {
    source: &'s [u8],
    pos: usize,
    /// Strings whose value is not a slice of the source (escapes, CR-LF), one after the other.
    pub(super) decoded: Vec<u8>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// A bit per byte class, so that scanning an identifier is one table look-up a byte.
const WORD: u8 = 1;
const LETTER: u8 = 2;
static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphabetic() {
            table[byte] = WORD | LETTER;
        } else if b.is_ascii_digit() || b == b'_' || b == b'-' {
            table[byte] = WORD;
        }
        byte += 1;
    }
    table
};

/// After so many errors nobody reads on.
const MAX_ERRORS: usize = 50;

/// 63-bit integers, as OCaml's on a 64-bit machine (rule L8).
const INT_MAX: i64 = (1 << 62) - 1;
const INT_MIN: i64 = -(1 << 62);

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s [u8]) -> Self {
        Self { source, pos: 0, decoded: Vec::new(), diagnostics: Vec::new() }
    }

    fn byte(&self, at: usize) -> u8 {
        // 0 is no token's first byte, so it serves as the end mark.
        self.source.get(at).copied().unwrap_or(0)
    }

    fn span(&self, start: usize) -> Span {
        Span::new(start as u32, self.pos as u32)
    }

    /// Records an error. A file with very many is no opam file: the rest of it is not read.
    pub(super) fn report(&mut self, found: Diagnostic) {
        if self.diagnostics.len() < MAX_ERRORS {
            self.diagnostics.push(found);
            return;
        }
        if self.diagnostics.len() == MAX_ERRORS {
            let end = self.source.len() as u32;
            let rest = Diagnostic::error(Span::new(end, end), "too many errors: the rest of the file is not read");
            self.diagnostics.push(rest);
        }
        self.pos = self.source.len();
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::error(span, message));
    }

    pub(super) fn next(&mut self) -> Token {
        self.skip_blanks();
        let start = self.pos;
        let kind = match start < self.source.len() {
            true => self.token(start).unwrap_or(TokenKind::Error),
            false => TokenKind::Eof,
        };
        Token { kind, span: self.span(start) }
    }

    /// Blanks (rule L1) and comments (rules L2 to L4).
    fn skip_blanks(&mut self) {
        loop {
            match self.byte(self.pos) {
                b' ' | b'\t' | b'\n' => self.pos += 1,
                b'\r' if self.byte(self.pos + 1) == b'\n' => self.pos += 2,
                b'#' => {
                    let rest = &self.source[self.pos..];
                    self.pos += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                b'(' if self.byte(self.pos + 1) == b'*' => self.skip_comment(),
                _ => return,
            }
        }
    }

    fn skip_comment(&mut self) {
        let start = self.pos;
        let mut depth = 1;
        self.pos += 2;
        while depth > 0 {
            match (self.byte(self.pos), self.byte(self.pos + 1)) {
                (b'*', b')') => {
                    depth -= 1;
                    self.pos += 2;
                }
                (b'(', b'*') => {
                    depth += 1;
                    self.pos += 2;
                }
                _ if self.pos >= self.source.len() => {
                    let span = Span::new(start as u32, start as u32 + 2);
                    self.error(span, "this comment is never closed");
                    return;
                }
                _ => self.pos += 1,
            }
        }
    }

    fn token(&mut self, start: usize) -> Option<TokenKind> {
        use TokenKind as T;
        let next = self.byte(start + 1);
        let (kind, len) = match self.source[start] {
            b'"' => return Some(self.string(start)),
            b if CLASS[b as usize] & WORD != 0 => return self.word(start),
            b':' if next == b'=' => (T::EnvOp(EnvOp::ColonEq), 2),
            b':' => (T::Colon, 1),
            b'{' => (T::LBrace, 1),
            b'}' => (T::RBrace, 1),
            b'[' => (T::LBracket, 1),
            b']' => (T::RBracket, 1),
            b'(' => (T::LParen, 1),
            b')' => (T::RParen, 1),
            b'&' => (T::And, 1),
            b'|' => (T::Or, 1),
            b'?' => (T::Defined, 1),
            b'!' if next == b'=' => (T::RelOp(RelOp::Neq), 2),
            b'!' => (T::Not, 1),
            b'<' if next == b'=' => (T::RelOp(RelOp::Leq), 2),
            b'<' => (T::RelOp(RelOp::Lt), 1),
            b'>' if next == b'=' => (T::RelOp(RelOp::Geq), 2),
            b'>' => (T::RelOp(RelOp::Gt), 1),
            b'~' => (T::RelOp(RelOp::Geq), 1),
            b'+' if next == b'=' => (T::EnvOp(EnvOp::PlusEq), 2),
            b'=' => match (next, self.byte(start + 2)) {
                (b'+', b'=') => (T::EnvOp(EnvOp::EqPlusEq), 3),
                (b'+', _) => (T::EnvOp(EnvOp::EqPlus), 2),
                (b':', b'=') => {
                    // It lexes in opam too, and is refused (rule L12).
                    self.pos = start + 3;
                    self.error(self.span(start), "`=:=` is not an operator");
                    return None;
                }
                (b':', _) => (T::EnvOp(EnvOp::EqColon), 2),
                _ => (T::RelOp(RelOp::Eq), 1),
            },
            _ => {
                self.bad_byte(start);
                return None;
            }
        };
        self.pos = start + len;
        Some(kind)
    }

    fn bad_byte(&mut self, start: usize) {
        let rest = &self.source[start..];
        if rest.starts_with(b"\xef\xbb\xbf") {
            self.pos = start + 3;
            let found = Diagnostic::error(self.span(start), "a byte order mark is not allowed here")
                .with_hint("save the file as UTF-8 without a byte order mark");
            self.report(found);
            return;
        }
        // One whole character, so that the message is readable and the rest is not reported again.
        let (shown, len) = match bstr::decode_utf8(rest) {
            (Some(c), len) => (format!("`{}`", c.escape_debug()), len),
            (None, len) => (format!("byte 0x{:02x}", rest[0]), len.max(1)),
        };
        self.pos = start + len;
        let mut found = Diagnostic::error(self.span(start), format!("unexpected {shown}"));
        if rest[0] == b'\r' {
            found = found.with_hint("end lines with LF or CR-LF, not with a lone CR");
        } else if matches!(rest[0], b',' | b';') {
            found = found.with_hint("separate elements with blanks alone");
        } else if rest[0] == b'\'' {
            found = found.with_hint("strings are written between double quotes");
        }
        self.report(found);
    }

    /// End of the run of word bytes from `at`, and whether it holds a letter.
    fn run(&self, at: usize) -> (usize, bool) {
        let mut end = at;
        let mut classes = 0;
        while let class @ 1.. = CLASS[self.byte(end) as usize] {
            classes |= class;
            end += 1;
        }
        (end, classes & LETTER != 0)
    }

    /// An identifier or an integer (rules L5 to L8).
    fn word(&mut self, start: usize) -> Option<TokenKind> {
        let (end, has_letter) = self.run(start);
        let ident_end = if has_letter {
            self.ident_tail(end)
        } else if self.source[start] == b'_' {
            // `_` alone is a segment of an identifier; an integer of the same length wins.
            self.ident_tail(start + 1)
        } else {
            start
        };
        let int_end = if has_letter { start } else { self.int_end(start) };
        if int_end >= ident_end && int_end > start {
            return self.int(start, int_end);
        }
        if ident_end == start {
            self.pos = start + 1;
            self.error(self.span(start), "unexpected `-`");
            return None;
        }
        self.pos = ident_end;
        Some(match &self.source[start..ident_end] {
            b"true" => TokenKind::Bool(true),
            b"false" => TokenKind::Bool(false),
            _ => TokenKind::Ident,
        })
    }

    /// `('+' segment)* (':' id)?` after a first segment that ends at `end`.
    fn ident_tail(&self, mut end: usize) -> usize {
        while self.byte(end) == b'+' {
            let (run_end, has_letter) = self.run(end + 1);
            if has_letter {
                end = run_end;
            } else if self.byte(end + 1) == b'_' {
                end += 2;
            } else {
                break;
            }
        }
        if self.byte(end) == b':' {
            let (run_end, has_letter) = self.run(end + 1);
            if has_letter {
                return run_end;
            }
        }
        end
    }

    fn int_end(&self, start: usize) -> usize {
        let digits = start + usize::from(self.source[start] == b'-');
        let mut end = digits;
        while matches!(self.byte(end), b'0'..=b'9' | b'_') {
            end += 1;
        }
        if end == digits { start } else { end }
    }

    fn int(&mut self, start: usize, end: usize) -> Option<TokenKind> {
        self.pos = end;
        let text = &self.source[start..end];
        let (negative, digits) = match text.strip_prefix(b"-") {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        // A leading `_` makes OCaml's conversion fail; later ones are ignored.
        let mut value = (digits[0] != b'_').then_some(0_i64);
        for digit in digits.iter().filter(|&&d| d != b'_') {
            value = value.and_then(|v| v.checked_mul(10)).and_then(|v| v.checked_sub(i64::from(digit - b'0')));
        }
        let value = value.and_then(|v| if negative { Some(v) } else { v.checked_neg() });
        match value.filter(|v| (INT_MIN..=INT_MAX).contains(v)) {
            Some(value) => Some(TokenKind::Int(value)),
            None => {
                self.error(self.span(start), "this is not an integer that opam can read");
                Some(TokenKind::Int(0))
            }
        }
    }

    /// A string, with one or three quotes (rules L14 to L16).
    fn string(&mut self, start: usize) -> TokenKind {
        let triple = self.source[start..].starts_with(b"\"\"\"");
        let body = start + if triple { 3 } else { 1 };
        let mut decoder = Decoder { out: None, copied: body };
        let mut at = body;
        loop {
            let Some(found) = self.source.get(at..).and_then(|rest| memchr::memchr3(b'"', b'\\', b'\r', rest)) else {
                self.pos = self.source.len();
                let span = Span::new(start as u32, body as u32);
                let found = Diagnostic::error(span, "this string is never closed").with_hint(if triple {
                    "close it with `\"\"\"`"
                } else {
                    "close it with `\"`"
                });
                self.report(found);
                return TokenKind::Str(decoder.finish(self.source, self.source.len(), &mut self.decoded));
            };
            at += found;
            match self.source[at] {
                b'"' if !triple || self.source[at..].starts_with(b"\"\"\"") => {
                    self.pos = at + if triple { 3 } else { 1 };
                    return TokenKind::Str(decoder.finish(self.source, at, &mut self.decoded));
                }
                b'\r' if self.byte(at + 1) == b'\n' => {
                    decoder.replace(self.source, at..at + 1, &[], &mut self.decoded);
                    at += 2;
                }
                b'\\' => at = self.escape(at, &mut decoder),
                _ => at += 1,
            }
        }
    }

    /// The escape at `at` (rule L16); gives the offset after it.
    fn escape(&mut self, at: usize, decoder: &mut Decoder) -> usize {
        let rest = &self.source[at + 1..];
        let digit = |b: u8| u16::from(b - b'0');
        let hex = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
        let (value, len): (Option<u8>, usize) = match *rest {
            [b @ (b'\\' | b'"' | b'\'' | b' '), ..] => (Some(b), 1),
            [b'n', ..] => (Some(b'\n'), 1),
            [b'r', ..] => (Some(b'\r'), 1),
            [b't', ..] => (Some(b'\t'), 1),
            [b'b', ..] => (Some(8), 1),
            [b'\n', ..] | [b'\r', b'\n', ..] => {
                let newline = if rest[0] == b'\n' { 1 } else { 2 };
                let blanks = rest[newline..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
                (None, newline + blanks)
            }
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..]
                if digit(a) * 100 + digit(b) * 10 + digit(c) <= 255 =>
            {
                (Some((digit(a) * 100 + digit(b) * 10 + digit(c)) as u8), 3)
            }
            [b'x', a, b, ..] if hex(a).is_some() && hex(b).is_some() => {
                (hex(a).zip(hex(b)).map(|(a, b)| a * 16 + b), 3)
            }
            _ => {
                let span = Span::new(at as u32, (at + 2).min(self.source.len()) as u32);
                let found = Diagnostic::error(span, "this escape means nothing").with_hint(
                    r#"write `\\` for a backslash; the others are `\"`, `\'`, `\n`, `\r`, `\t`, `\b`, `\ `, `\123` and `\x7f`"#,
                );
                self.report(found);
                return at + 1;
            }
        };
        decoder.replace(self.source, at..at + 1 + len, value.as_slice(), &mut self.decoded);
        at + 1 + len
    }
}

/// Builds a string's value: nothing is copied until the first byte that differs from the source.
struct Decoder {
    /// Where the value starts in `decoded`, once it had to be copied.
    out: Option<usize>,
    /// Up to where the source is already in `decoded` (or, uncopied, where the value starts).
    copied: usize,
}

impl Decoder {
    /// Puts `by` into the value instead of a range of the source.
    fn replace(&mut self, source: &[u8], range: Range<usize>, by: &[u8], decoded: &mut Vec<u8>) {
        self.out.get_or_insert(decoded.len());
        decoded.extend_from_slice(&source[self.copied..range.start]);
        decoded.extend_from_slice(by);
        self.copied = range.end;
    }

    fn finish(self, source: &[u8], end: usize, decoded: &mut Vec<u8>) -> Text {
        match self.out {
            None => Text { start: self.copied as u32, end: end as u32, decoded: false },
            Some(start) => {
                decoded.extend_from_slice(&source[self.copied..end]);
                Text { start: start as u32, end: decoded.len() as u32, decoded: true }
            }
        }
    }
}
