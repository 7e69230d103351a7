//! What the decisions of the engine mean for packages.

use crate::engine::Variable;
use crate::question::{PlatformPackage, Question};
use crate::value::Value;
use opam_parser::index::PackageId;

/// The packages among decisions.
pub(crate) fn packages<'a>(
    question: &'a Question<'_, '_>,
    decisions: &'a [(Variable, Value)],
) -> impl Iterator<Item = PlatformPackage> + 'a {
    decisions.iter().filter_map(|(variable, value)| match variable {
        Variable::Name(platform, name) => {
            let index = question.platform(*platform).view.index();
            Some((*platform, value.package(index.package_range(*name))?))
        }
        _ => None,
    })
}

/// The packages among decisions that are on one platform.
pub(crate) fn packages_on(
    question: &Question<'_, '_>,
    decisions: &[(Variable, Value)],
    platform: u8,
) -> Vec<PackageId> {
    packages(question, decisions).filter(|(of, _)| *of == platform).map(|(_, package)| package).collect()
}
