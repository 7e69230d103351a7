//! The packages that a request brings: their opam files are in it.

use crate::protocols::Refusal;
use crate::protocols::solver_service::OpamText;
use opam_parser::file::{OpamFile, Parsed};
use opam_parser::index::{Index, PackageId};
use opam_parser::name::{PackageName, split_package};
use opam_parser::version::Version;

/// A package of the request.
pub(super) type GivenPackage = (PackageName, Version, OpamFile);

/// Reads a package: `NAME.VERSION` and the text of its opam file.
pub(super) fn read((package, text): &(String, OpamText)) -> Result<GivenPackage, Refusal> {
    let wrong = |what: String| Refusal::Msg(format!("Error parsing {package}: {what}"));
    let (name, version) = split_package(package).ok_or_else(|| wrong("it is not NAME.VERSION".to_owned()))?;
    let Parsed { file, diagnostics } = OpamFile::parse(&text.0);
    let first = || diagnostics.first().map(|found| found.render(package, &text.0, false)).unwrap_or_default();
    Ok((name, version, file.ok_or_else(|| wrong(first()))?))
}

/// Where it is in an index.
pub(super) fn find(index: &Index, (name, version, _): &GivenPackage) -> Option<PackageId> {
    index.find_package(index.find_name(name.as_str())?, version.as_str())
}
