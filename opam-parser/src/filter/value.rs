//! What filters and variables are worth, and where variables get their values.

use bstr::{BStr, ByteSlice};
use std::borrow::Cow;

/// What a filter or variable is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// No value: an unknown variable, or something that depends on one.
    Undefined,
    /// A boolean.
    Bool(bool),
    /// A string.
    String(Cow<'v, BStr>),
}

impl<'v> Value<'v> {
    /// A string value that is borrowed.
    pub fn str(text: &'v str) -> Self {
        Value::String(Cow::Borrowed(BStr::new(text)))
    }

    /// As a boolean: `"true"` and `"false"` count as such, other strings do not (rule F1).
    pub fn to_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            Value::String(text) if text.as_bytes() == b"true" => Some(true),
            Value::String(text) if text.as_bytes() == b"false" => Some(false),
            _ => None,
        }
    }

    /// As a string; booleans are `true` and `false`, undefined has none.
    pub fn to_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Undefined => None,
            Value::Bool(true) => Some(b"true"),
            Value::Bool(false) => Some(b"false"),
            Value::String(text) => Some(text.as_bytes()),
        }
    }
}

/// Whose variable is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// `x`
    Global,
    /// `_:x`: the package that the filter belongs to.
    Own,
    /// `pkg:x`
    Package(&'a str),
}

/// Where variables get their values.
pub trait Env {
    /// The value of a variable; [`Value::Undefined`] if there is none.
    fn variable(&self, scope: Scope<'_>, name: &str) -> Value<'_>;
}
