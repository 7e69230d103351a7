//! `health`, `builds`, `docs`, `platforms`.

use crate::arguments::{Builds, Docs, Format, Global, Health, ListPlatforms};
use crate::failure::Failure;
use caravan::question::{ComparedSide, Recipes};
use caravan::repository::StateName;
use caravan::vocabulary::Platform;
use caravan::{Question, plan_input, question};
use std::path::Path;

/// The user's catalogue; what is wrong with it is said with its file.
fn catalogue(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let text = fs_err::read_to_string(file).map_err(|error| Failure::usage(error.to_string()))?;
    match plan_input::check_catalogue(&text) {
        Ok(()) => Ok(Some(text)),
        Err(mut error) => {
            error.message = format!("`{}` is no catalogue: {}", file.display(), error.message);
            Err(error.into())
        }
    }
}

/// `caravan health`
pub(crate) fn health(arguments: &Health) -> Result<Question, Failure> {
    Ok(Question::Health(Box::new(question::Health {
        repositories: vec![],
        patterns: arguments.rows.patterns.clone(),
        all_versions: arguments.rows.all_versions,
        with_test: arguments.with_test,
        with_doc: arguments.with_doc,
        platforms: arguments.catalogue_platforms.platforms.clone(),
        ocaml: arguments.catalogue_platforms.ocaml.clone(),
        machine: Some(Platform::detect()),
        catalogue: catalogue(arguments.catalogue_platforms.catalogue.as_deref())?,
        compare: match arguments.compare.as_deref() {
            Some([a, b]) => Some([side(a), side(b)]),
            _ => None,
        },
        blockers: arguments.blockers,
        time_limit_ms: arguments.time_limit,
    })))
}

/// One side of `--compare`: a platform (`5.4`), a commit (`@HEAD~10`), or both (`5.4@HEAD~10`).
fn side(text: &str) -> ComparedSide {
    let (platform, revision) = text.split_once('@').map_or((text, ""), |(platform, revision)| (platform, revision));
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ComparedSide { platform: given(platform), state: given(revision).map(StateName::Revision) }
}

/// `caravan builds`
pub(crate) fn builds(global: &Global, arguments: &Builds) -> Result<Question, Failure> {
    let (obuilder, dockerfile) = (arguments.obuilder.is_some(), arguments.dockerfile.is_some());
    if arguments.per_job && !obuilder && !dockerfile {
        return Err(Failure::usage("`--per-job` is for recipes, and none are wanted")
            .hint("add `--obuilder DIR` or `--dockerfile DIR`"));
    }
    Ok(Question::Builds(Box::new(question::Builds {
        repositories: vec![],
        patterns: arguments.rows.patterns.clone(),
        all_versions: arguments.rows.all_versions,
        with_test: arguments.with_test,
        platforms: arguments.catalogue_platforms.platforms.clone(),
        ocaml: arguments.catalogue_platforms.ocaml.clone(),
        catalogue: catalogue(arguments.catalogue_platforms.catalogue.as_deref())?,
        workers: arguments.workers,
        times: times(arguments)?,
        // Keys are only for programs, and cost a look into every file.
        keys: global.format != Format::Text,
        recipes: (obuilder || dockerfile).then_some(Recipes { obuilder, dockerfile, per_job: arguments.per_job }),
    })))
}

/// The file of times; what is wrong in it is said with its name and line.
fn times(arguments: &Builds) -> Result<Option<String>, Failure> {
    let Some(file) = &arguments.times else { return Ok(None) };
    let text = fs_err::read_to_string(file).map_err(|error| Failure::usage(error.to_string()))?;
    plan_input::check_times(&file.display().to_string(), &text)?;
    Ok(Some(text))
}

/// `caravan docs`
pub(crate) fn docs(arguments: &Docs) -> Result<Question, Failure> {
    Ok(Question::Docs(Box::new(question::Docs {
        repositories: vec![],
        patterns: arguments.patterns.clone(),
        latest: arguments.latest,
        base: arguments.base.clone().map(StateName::Revision),
        platform: arguments.platform.clone(),
        catalogue: catalogue(arguments.catalogue.as_deref())?,
    })))
}

/// `caravan platforms`
pub(crate) fn platforms(arguments: &ListPlatforms) -> Result<Question, Failure> {
    Ok(Question::Platforms(Box::new(question::Platforms {
        repositories: vec![],
        platforms: arguments.platforms.clone(),
        catalogue: catalogue(arguments.catalogue.as_deref())?,
    })))
}
