//! The recipes of a build plan.

use crate::answer::{self, RecipeKind};
use crate::error::Error;
use crate::question::Recipes;
use crate::repository::{self, last_changes};
use caravan_planning::builds::Builds;
use caravan_planning::builds::dockerfile::dockerfile;
use caravan_planning::builds::layers::{Layers, Sharing};
use caravan_planning::builds::recipe::{Recipe, Repository};
use caravan_planning::catalogue::CatalogueEntry;
use opam_parser::index::PackageId;

/// The recipes that are wanted of a plan for some platforms.
pub(super) fn recipes(
    wanted: Recipes,
    repository: &repository::Repository,
    builds: &Builds,
    entries: &[CatalogueEntry],
) -> Result<Vec<answer::Recipe>, Error> {
    let mut found = Vec::new();
    if !wanted.obuilder && !wanted.dockerfile {
        return Ok(found);
    }
    let [place] = repository.places() else {
        return Err(Error::question("recipes are written for one repository, and there are several"));
    };
    let commits = last_changes(&place.location, repository.index())?;
    let newest = |packages: &[PackageId]| -> String {
        let changes = packages.iter().filter_map(|package| commits.as_ref()?.of(*package));
        let newest = changes.min_by_key(|(age, _)| *age).map(|(_, commit)| commit.to_owned());
        newest.or_else(|| commits.as_ref().map(|commits| commits.oldest.clone())).unwrap_or_default()
    };
    for (platform, entry) in entries.iter().enumerate() {
        let layers = Layers::of(builds, platform, Sharing::default());
        let recipe = Recipe {
            builds,
            layers: &layers,
            index: repository.index(),
            entry,
            repository: if commits.is_some() { Repository::Commit(&newest) } else { Repository::Copied },
        };
        if wanted.obuilder {
            found.extend(of_platform(&recipe, RecipeKind::Obuilder, wanted.per_job));
        }
        if wanted.dockerfile {
            found.extend(of_platform(&recipe, RecipeKind::Dockerfile, wanted.per_job));
        }
    }
    Ok(found)
}

/// The recipe of a platform, or those of its jobs.
fn of_platform(recipe: &Recipe<'_>, kind: RecipeKind, per_job: bool) -> Vec<answer::Recipe> {
    let id = &recipe.entry.id;
    let named = |name: String, text: String| {
        let suffix = match kind {
            RecipeKind::Obuilder => "spec",
            RecipeKind::Dockerfile => "Dockerfile",
        };
        answer::Recipe { kind, path: format!("{name}.{suffix}"), text }
    };
    if !per_job {
        let text = match kind {
            RecipeKind::Obuilder => recipe.all().to_string(),
            RecipeKind::Dockerfile => recipe.dockerfile(),
        };
        return vec![named(id.clone(), text)];
    }
    let specs = recipe.jobs().enumerate().filter_map(|(place, (_, job))| Some((job, recipe.job(place)?)));
    let of_job = |(job, spec)| {
        let text = match kind {
            RecipeKind::Obuilder => ToString::to_string(&spec),
            RecipeKind::Dockerfile => dockerfile(&spec),
        };
        named(format!("{id}/{job}"), text)
    };
    specs.map(of_job).collect()
}
