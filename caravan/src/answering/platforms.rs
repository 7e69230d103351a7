//! Answers `platforms`.

use super::context::Context;
use super::plans::{catalogue, entries};
use crate::answer::{CataloguePlatform, PlatformSet, PlatformsAnswer};
use crate::error::Error;
use crate::question::Platforms;

pub(super) fn answer(question: &Platforms, context: &mut Context<'_>) -> Result<PlatformsAnswer, Error> {
    let catalogue = catalogue(question.catalogue.as_deref())?;
    let precedence = context.repositories.precedence();
    let repository = context.open(&question.repositories, precedence)?;
    let index = repository.index();
    let mut sets = Vec::new();
    if question.platforms.is_empty() {
        for (name, what) in catalogue.sets() {
            let platforms = catalogue.set(index, name)?.into_iter().map(|entry| entry.id).collect();
            sets.push(PlatformSet { name: name.to_owned(), what: what.to_owned(), platforms });
        }
    }
    let mut platforms: Vec<CataloguePlatform> = Vec::new();
    for text in &question.platforms {
        for entry in entries(&catalogue, index, text)? {
            if platforms.iter().all(|known| known.id != entry.id) {
                platforms.push(entry.into());
            }
        }
    }
    let distributions = catalogue.distributions().map(str::to_owned).collect();
    Ok(PlatformsAnswer { schema: "caravan.platforms/1".into(), sets, platforms, distributions })
}
