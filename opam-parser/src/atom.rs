//! Packages as people name them on a command line: `utop`, `utop.2.14.0`, `cohttp-lwt-unix>=6`.
//!
//! Rule N6 of `docs/semantics.md` (opam, `OpamFormula.atom_of_string`): the name ends at the first
//! of `. = ! < >`; what follows is a version after a dot, or an operator and a version.

use crate::name::PackageName;
use crate::syntax::RelOp;
use crate::version::Version;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while1};
use nom::combinator::{all_consuming, opt, value};
use nom::{IResult, Parser};
use std::fmt;

/// A package name and, perhaps, one constraint on its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atom {
    /// The package.
    pub name: PackageName,
    /// What its version has to be.
    pub constraint: Option<(RelOp, Version)>,
}

/// Why a text is no [`Atom`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AtomError {
    /// What stands before the dot or operator cannot be a package name.
    #[error("`{0}` is not a package name: letters, digits, `_`, `+` and `-`, with at least one letter")]
    Name(String),
    /// The version has characters that no version has.
    #[error("`{0}` is not a version: letters, digits and `. _ + ~ -`")]
    Version(String),
    /// There is something else where an operator and a version are expected.
    #[error(
        "`{0}` is not a version constraint: expected `=`, `!=`, `<`, `<=`, `>` or `>=` and a version, as in `>=1.2`"
    )]
    Constraint(String),
}

fn relop(input: &str) -> IResult<&str, RelOp> {
    alt((
        value(RelOp::Neq, tag("!=")),
        value(RelOp::Leq, tag("<=")),
        value(RelOp::Geq, tag(">=")),
        value(RelOp::Eq, tag("=")),
        value(RelOp::Lt, tag("<")),
        value(RelOp::Gt, tag(">")),
        value(RelOp::Eq, tag(".")),
    ))
    .parse(input)
}

type Split<'a> = (&'a str, Option<(RelOp, &'a str)>);

fn split(input: &str) -> IResult<&str, Split<'_>> {
    let name = take_till(|c: char| ".=!<>".contains(c));
    let version = take_while1(|c: char| !"=!<>".contains(c));
    all_consuming((name, opt((relop, version)))).parse(input)
}

impl std::str::FromStr for Atom {
    type Err = AtomError;

    fn from_str(text: &str) -> Result<Self, AtomError> {
        // Blanks are harmless where a shell let them through: `"foo >= 1.2"`.
        let compact: String = text.split_whitespace().collect();
        let (name, constraint) = match split(&compact) {
            Ok((_, split)) => split,
            Err(_) => {
                let end = compact.find(['.', '=', '!', '<', '>']).unwrap_or(compact.len());
                return Err(AtomError::Constraint(compact[end..].to_owned()));
            }
        };
        let name = PackageName::new(name).ok_or_else(|| AtomError::Name(name.to_owned()))?;
        let constraint = match constraint {
            None => None,
            Some((op, version)) => {
                let parsed = Version::new(version);
                Some((op, parsed.ok_or_else(|| AtomError::Version(version.to_owned()))?))
            }
        };
        Ok(Self { name, constraint })
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.constraint {
            None => self.name.fmt(f),
            Some((RelOp::Eq, version)) => write!(f, "{}.{version}", self.name),
            Some((op, version)) => write!(f, "{}{}{version}", self.name, op.as_str()),
        }
    }
}
