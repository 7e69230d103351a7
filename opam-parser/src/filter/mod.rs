//! Filters: boolean expressions over variables (`docs/semantics.md`, rules F1 to F10; the opam manual,
//! "Filters").
//!
//! [`Filter`] is the expression as a tree, [`eval()`] evaluates it three-valued, [`partial()`] as far as
//! the known variables go, and [`expand`] expands `%{…}%` in strings. Variables get their values from an
//! [`Env`].

mod eval;
mod interpolate;
mod lookup;
mod partial;
mod print;
mod read;
mod tree;
mod value;

pub use eval::{Expr, Node, eval, eval_to_bool};
pub use interpolate::expand;
pub use lookup::lookup;
pub use partial::partial;
pub use read::read_filter;
pub use tree::{Filter, Ident};
pub use value::{Env, Scope, Value};
