//! Compilers as people name them: `5.4.1`, or `5.4` for its newest release.

use crate::constraint::Constraint;
use crate::problem::{Flags, Root};
use opam_parser::index::Index;
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;

/// Why a text names no compiler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompilerError {
    /// It is no version.
    #[error("`{0}` is not a version of OCaml")]
    Malformed(String),
    /// There is no OCaml at all.
    #[error("there is no package `ocaml`")]
    NoOcaml,
    /// There is no such version.
    #[error("there is no version `{version}` of `ocaml`")]
    Unknown {
        /// What was asked for.
        version: String,
        /// The newest that there are.
        newest: Vec<String>,
    },
}

/// The compiler that is asked for: that version of `ocaml`, or the newest that begins with it.
///
/// # Errors
/// When there is none.
pub fn compiler(index: &Index, text: &str) -> Result<Root, CompilerError> {
    let wrong = || CompilerError::Malformed(text.to_owned());
    let version = Version::new(text).ok_or_else(wrong)?;
    let name = PackageName::new("ocaml").ok_or_else(wrong)?;
    let known = index.find_name("ocaml").filter(|id| !index.package_range(*id).is_empty());
    let id = known.ok_or(CompilerError::NoOcaml)?;
    let constraints = match index.find_package(id, text) {
        Some(_) => vec![Constraint(RelOp::Eq, version)],
        None => {
            // `5.4` stands for 5.4.0, 5.4.1 and so on: from it up to its next sibling. Versions of OCaml
            // have two digits after the first dot until 4.14.
            let next = text.rsplit_once('.').and_then(|(major, minor)| {
                let next = minor.parse::<u64>().ok()?.checked_add(1)?;
                Version::new(&format!("{major}.{next:0width$}~", width = minor.len()))
            });
            let next = match next {
                Some(next) => next,
                None => {
                    let major = text.parse::<u64>().ok().and_then(|major| major.checked_add(1));
                    major.and_then(|major| Version::new(&format!("{major}~"))).ok_or_else(wrong)?
                }
            };
            let inside = |package| {
                let found = Version::new(index.version(index.package_version(package)));
                found.is_some_and(|found| found >= version && found < next)
            };
            if !index.versions_of(id).any(inside) {
                let newest = index.versions_of(id).rev().take(5);
                let newest = newest.map(|package| index.version(index.package_version(package)).to_owned()).collect();
                return Err(CompilerError::Unknown { version: text.to_owned(), newest });
            }
            vec![Constraint(RelOp::Geq, version), Constraint(RelOp::Lt, next)]
        }
    };
    Ok(Root { name, constraints, flags: Flags::default() })
}
