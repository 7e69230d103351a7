//! `revdeps` and `deps`.

use super::{atoms, one_platform, setting};
use crate::arguments::{Deps, Format, Global, Like, Listing, Revdeps};
use crate::failure::Failure;
use caravan::{Question, question};

/// `caravan revdeps`
pub(crate) fn revdeps(global: &Global, arguments: &Revdeps) -> Result<Question, Failure> {
    let mut listing = listing(global, &arguments.packages, &arguments.listing)?;
    listing.like_opam_repo_ci = matches!(arguments.like, Some(Like::OpamRepoCi));
    Ok(Question::Revdeps(Box::new(listing)))
}

/// `caravan deps`
pub(crate) fn deps(global: &Global, arguments: &Deps) -> Result<Question, Failure> {
    Ok(Question::Deps(Box::new(listing(global, &arguments.packages, &arguments.listing)?)))
}

fn listing(global: &Global, packages: &[String], arguments: &Listing) -> Result<question::Listing, Failure> {
    Ok(question::Listing {
        repositories: vec![],
        packages: atoms(packages)?,
        coinstallable_with: atoms(&arguments.coinstallable_with)?,
        resolve: atoms(&arguments.resolve)?,
        setting: setting(global, one_platform(&arguments.platform)?),
        recursive: arguments.recursive,
        all_versions: arguments.all_versions,
        unavailable: arguments.all,
        depopts: arguments.depopts,
        with_test: arguments.with_test,
        with_doc: arguments.with_doc,
        with_dev_setup: arguments.with_dev_setup,
        dev: arguments.dev,
        post: arguments.post,
        no_build: arguments.no_build,
        installable: arguments.installable,
        ocaml: arguments.ocaml.clone(),
        edges: arguments.tree || global.format == Format::Dot,
        like_opam_repo_ci: false,
    })
}
