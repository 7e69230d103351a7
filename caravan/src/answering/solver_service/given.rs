//! The packages that a request brings: their opam files are in it.

use super::opam_error::{LATER_FORMAT, of_diagnostics};
use crate::protocols::Refusal;
use crate::protocols::solver_service::OpamText;
use opam_parser::file::{OpamFile, Parsed};
use opam_parser::name::{PackageName, split_package};
use opam_parser::version::Version;

/// A package of the request.
pub(super) type GivenPackage = (PackageName, Version, OpamFile);

/// Reads a package (rule C6): `NAME.VERSION` and the text of its opam file.
pub(super) fn read((package, text): &(String, OpamText)) -> Result<GivenPackage, Refusal> {
    let wrong = |what: &str| Refusal::Msg(format!("Error parsing {package}: {what}"));
    let (name, version) = split_package(package).ok_or_else(|| wrong("it is not NAME.VERSION"))?;
    let Parsed { file, diagnostics } = OpamFile::parse(&text.0);
    match file {
        Some(file) if !file.is_of_later_format() => Ok((name, version, file)),
        Some(_) => Err(wrong(LATER_FORMAT)),
        None => Err(wrong(&of_diagnostics(&text.0, &diagnostics))),
    }
}
