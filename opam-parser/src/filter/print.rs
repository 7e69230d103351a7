//! Filters as opam writes them: with the fewest parentheses that keep the meaning.

use super::tree::{Filter, Ident};
use std::fmt;

/// Binding strength of what surrounds a filter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Context {
    Or,
    And,
    Relation,
    Prefix,
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.packages {
            None => f.write_str(&self.name),
            Some(packages) => write!(f, "{packages}:{}", self.name),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Context::Or)
    }
}

impl Filter {
    fn write(&self, f: &mut fmt::Formatter<'_>, context: Context) -> fmt::Result {
        let own = match self {
            Filter::Or(_) => Context::Or,
            Filter::And(_) => Context::And,
            Filter::RelOp(..) => Context::Relation,
            _ => Context::Prefix,
        };
        let parentheses = own < context;
        if parentheses {
            f.write_str("(")?;
        }
        match self {
            Filter::Bool(b) => write!(f, "{b}")?,
            Filter::String(text) => write!(f, "{}", crate::syntax::print::quoted(text))?,
            Filter::Ident(ident) => write!(f, "{ident}")?,
            Filter::RelOp(op, sides) => {
                sides[0].write(f, Context::Prefix)?;
                write!(f, " {} ", op.as_str())?;
                sides[1].write(f, Context::Prefix)?;
            }
            Filter::And(parts) => Self::write_all(parts, f, " & ", Context::And)?,
            Filter::Or(parts) => Self::write_all(parts, f, " | ", Context::Or)?,
            Filter::Not(inner) => {
                f.write_str("!")?;
                inner.write(f, Context::Prefix)?;
            }
            Filter::Defined(inner) => {
                f.write_str("?")?;
                inner.write(f, Context::Prefix)?;
            }
        }
        if parentheses {
            f.write_str(")")?;
        }
        Ok(())
    }

    fn write_all(parts: &[Filter], f: &mut fmt::Formatter<'_>, glue: &str, context: Context) -> fmt::Result {
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                f.write_str(glue)?;
            }
            part.write(f, context)?;
        }
        Ok(())
    }
}
