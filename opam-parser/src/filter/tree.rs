//! The expression as a tree.

use crate::syntax::RelOp;
use bstr::BString;
use compact_str::CompactString;

/// A filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// `true` or `false`
    Bool(bool),
    /// A string, perhaps with `%{variables}%` in it.
    String(BString),
    /// A variable.
    Ident(Ident),
    /// Both sides compared as versions (rule F5).
    RelOp(RelOp, Box<[Filter; 2]>),
    /// All of them.
    And(Vec<Filter>),
    /// At least one of them.
    Or(Vec<Filter>),
    /// Not this one.
    Not(Box<Filter>),
    /// Whether this one has a value (`?x`).
    Defined(Box<Filter>),
}

/// A variable as it is written: `os`, `pkg:installed`, `_:version`, `a+b:enable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The packages before the colon, joined by `+`; `_` is the package itself. `None`: no colon.
    pub packages: Option<CompactString>,
    /// The variable's name.
    pub name: CompactString,
}

impl Ident {
    /// Splits an identifier token at its colon.
    pub fn new(text: &str) -> Self {
        match text.split_once(':') {
            None => Self { packages: None, name: text.into() },
            Some((packages, name)) => Self { packages: Some(packages.into()), name: name.into() },
        }
    }
}
