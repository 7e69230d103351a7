//! Answers `list`.

use super::{Context, names};
use crate::answer::{ListAnswer, Package, variables};
use crate::error::Error;
use crate::question::List;
use caravan_solver::View;
use opam_parser::index::PackageId;

pub(super) fn answer(question: &List, context: &mut Context<'_>) -> Result<ListAnswer, Error> {
    let setting = &question.setting;
    let repository = context.open(&question.repositories, setting.precedence)?;
    let index = names::universe(&repository, setting)?;
    let view = View::of(&index, setting);
    let mut packages: Vec<PackageId> = index
        .names()
        .filter(|name| names::matches_any(&question.patterns, index.name(*name)))
        .flat_map(|name| index.versions_of(name))
        .filter(|package| question.unavailable || view.is_available(*package))
        .collect();
    if !question.all_versions {
        packages = view.newest_of_each_name(&packages);
    }
    Ok(ListAnswer {
        schema: "caravan.list/1".into(),
        platform: variables(&setting.platform),
        packages: Package::all(&index, &packages),
        all_names: question.patterns.is_empty(),
    })
}
