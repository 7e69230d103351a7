//! `%{variable}%` in strings (`docs/semantics.md`, rules F11 to F14).
//!
//! ```text
//! %%                          a percent sign
//! %{[pkg+…:]var[?yes:no]}%    a variable, or one of two texts by its truth
//! %{?pkg:var:}%               the variable of a package whose name holds `+`
//! ```

use super::lookup::lookup_in;
use super::value::{Env, Scope, Value};
use bstr::ByteSlice;
use nom::branch::alt;
use nom::bytes::complete::{tag, take, take_till1, take_until};
use nom::combinator::{map, rest, verify};
use nom::sequence::delimited;
use nom::{IResult, Parser};

/// A piece of a string.
enum Piece<'s> {
    Text(&'s [u8]),
    Percent,
    Variable(&'s [u8]),
}

fn piece(input: &[u8]) -> IResult<&[u8], Piece<'_>> {
    let variable = delimited(tag(&b"%{"[..]), take_until(&b"}%"[..]), tag(&b"}%"[..]));
    // A variable spans no newline; where it would, its `%{` is plain text.
    let variable = verify(variable, |inside: &[u8]| !inside.contains(&b'\n'));
    alt((
        map(take_till1(|b| b == b'%'), Piece::Text),
        map(tag(&b"%%"[..]), |_| Piece::Percent),
        map(variable, Piece::Variable),
        map(take(1_usize), Piece::Text),
        map(verify(rest, |text: &[u8]| !text.is_empty()), Piece::Text),
    ))
    .parse(input)
}

fn pieces(text: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut remaining = text;
    std::iter::from_fn(move || {
        let (after, found) = piece(remaining).ok()?;
        remaining = after;
        Some(found)
    })
}

/// What stands between `%{` and `}%`.
struct Reference<'s> {
    packages: Option<&'s str>,
    /// The packages' names hold `+` and are one name (rule F14).
    verbatim: bool,
    name: &'s str,
    converter: Option<(&'s str, &'s str)>,
}

impl<'s> Reference<'s> {
    fn parse(inside: &'s [u8]) -> Option<Self> {
        let text = std::str::from_utf8(inside).ok()?;
        if let Some(quoted) = text.strip_prefix('?') {
            // `?pkg:var:` with an optional converter after the last colon.
            let (packages, tail) = quoted.split_once(':')?;
            let (name, converter) = tail.split_once(':')?;
            let converter = converter.strip_prefix('?').and_then(|c| c.split_once(':'));
            return Some(Self { packages: Some(packages), verbatim: true, name, converter });
        }
        let plain = |text: &'s str| match text.rsplit_once(':') {
            None => (None, text),
            Some((packages, name)) => (Some(packages), name),
        };
        // The last colon separates a converter's two texts if a `?` comes before it.
        if let Some((left, no)) = text.rsplit_once(':')
            && let Some((variable, yes)) = left.rsplit_once('?')
        {
            let (packages, name) = plain(variable);
            return Some(Self { packages, verbatim: false, name, converter: Some((yes, no)) });
        }
        let (packages, name) = plain(text);
        Some(Self { packages, verbatim: false, name, converter: None })
    }

    fn value<'e, E: Env + ?Sized>(&self, env: &'e E) -> Value<'e> {
        let value = match self.packages {
            None => env.variable(Scope::Global, self.name),
            Some(package) if self.verbatim => env.variable(Scope::Package(package), self.name),
            Some(packages) => lookup_in(packages.split('+').map(Some), self.name, env),
        };
        match self.converter {
            None => value,
            // Undefined and non-boolean take the second text (rule F12).
            Some((yes, no)) => {
                let text = if value.to_bool() == Some(true) { yes } else { no };
                Value::String(std::borrow::Cow::Owned(text.into()))
            }
        }
    }
}

/// Expands a string completely; undefined variables are empty.
pub fn expand<E: Env + ?Sized>(text: &[u8], env: &E) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Percent => out.push(b'%'),
            Piece::Variable(inside) => {
                if let Some(reference) = Reference::parse(inside)
                    && let Some(value) = reference.value(env).to_bytes()
                {
                    out.extend_from_slice(value);
                }
            }
        }
    }
    out
}

/// Expands what is known. The result is again a string to expand: percent signs stay doubled and
/// unknown variables as they are. The flag says whether any stayed.
pub(super) fn expand_partially<E: Env + ?Sized>(text: &[u8], env: &E) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(text.len());
    let mut unknown = false;
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Percent => out.extend_from_slice(b"%%"),
            Piece::Variable(inside) => {
                let reference = Reference::parse(inside);
                let known = reference.as_ref().map(|reference| reference.value(env));
                match known.as_ref().and_then(Value::to_bytes) {
                    Some(value) => out.extend_from_slice(&value.replace("%", "%%")),
                    None => {
                        unknown = true;
                        out.extend_from_slice(b"%{");
                        out.extend_from_slice(inside);
                        out.extend_from_slice(b"}%");
                    }
                }
            }
        }
    }
    (out, unknown)
}
