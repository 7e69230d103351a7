//! Answers `docs`.

use super::context::Context;
use super::plans::{catalogue, count_solved, entries, not_told, packages, plan_error};
use crate::answer::{BlessedDocs, DocsAnswer, DocsJob, PreparedDocs};
use crate::error::Error;
use crate::question::Docs;
use crate::repository::places_at;
use caravan_planning::docs;
use caravan_solver::problem::Constraint;
use caravan_solver::target::Target;
use caravan_solver::{Request, Root};
use opam_parser::index::Index;
use opam_parser::syntax::RelOp;

pub(super) fn answer(question: &Docs, context: &mut Context<'_>) -> Result<DocsAnswer, Error> {
    let places = context.places(&question.repositories)?;
    let precedence = context.repositories.precedence();
    let head = context.open_places(&places, precedence)?;
    let target = target(question, head.index())?;
    let Some(state) = &question.base else {
        let plan = make_plan(question, head.index(), &target, context)?;
        let not_told = not_told(&plan.matrix, context.stop)?;
        return Ok(DocsAnswer { not_told, ..answer_of(&plan, head.label(), None) });
    };
    let places = places_at(places, state, context.repositories, context.observer)?;
    let base = context.open_places(&places, precedence)?;
    let before = make_plan(question, base.index(), &target, context)?;
    let packages = packages(&question.patterns, !question.latest, head.index())?;
    context.observer.progress("planning", 0, 0);
    let step = before.step(head.index(), packages, context.stop);
    context.observer.progress("planning", 1, 1);
    let failed = |error| plan_error(head.index(), std::slice::from_ref(&target), error, context.stop);
    let plan = step.map_err(failed)?;
    let not_told = not_told(&plan.matrix, context.stop)?;
    Ok(DocsAnswer { not_told, ..answer_of(&plan, head.label(), Some(base.label())) })
}

fn make_plan<'i>(
    question: &Docs,
    index: &'i Index,
    target: &Target,
    context: &Context<'_>,
) -> Result<docs::Docs<'i>, Error> {
    let packages = packages(&question.patterns, !question.latest, index)?;
    let plan = count_solved(context.observer, packages.len(), |done| {
        docs::Docs::new(index, target, packages, context.stop, done)
    });
    plan.map_err(|error| plan_error(index, std::slice::from_ref(target), error, context.stop))
}

/// The platform, where every package has the newest compiler that it goes with.
fn target(question: &Docs, index: &Index) -> Result<Target, Error> {
    let catalogue = catalogue(question.catalogue.as_deref())?;
    let found = entries(&catalogue, index, &question.platform)?;
    let [entry] = found.as_slice() else {
        return Err(Error::question(format!("`{}` is not one platform", question.platform))
            .with_hint("documentation is built on one; `caravan platforms` lists them"));
    };
    let up_to = |root: &Root| Root {
        constraints: root.constraints.iter().map(|of| Constraint(RelOp::Leq, of.1.clone())).collect(),
        ..root.clone()
    };
    let request = Request { roots: entry.roots.iter().map(up_to).collect(), ..Request::default() };
    let target = entry.target(&Request::default());
    Ok(Target { request, ..target })
}

/// The answer that a plan is.
fn answer_of(plan: &docs::Docs<'_>, head: String, base: Option<String>) -> DocsAnswer {
    let platform = &plan.matrix.platforms[0];
    let index = platform.view.index();
    let text = |build: u32| index.package_text(plan.builds.builds[build as usize].package);
    let universe = |build: u32| plan.universes[build as usize].to_string();
    let jobs = plan.jobs.iter().map(|preparation| {
        let job = &plan.builds.jobs[preparation.job];
        let prepared = |build: &u32| PreparedDocs { package: text(*build), universe: universe(*build) };
        DocsJob {
            package: index.package_text(job.package),
            install: job.builds.iter().map(|build| text(*build)).collect(),
            prepare: preparation.new.iter().map(prepared).collect(),
        }
    });
    let blessed = plan.blessed.iter().map(|(package, build)| BlessedDocs {
        package: index.package_text(*package),
        universe: universe(*build),
        size: plan.universes[*build as usize].size,
    });
    DocsAnswer {
        schema: "caravan.docs/1".into(),
        platform: platform.target.label.clone(),
        head,
        base,
        versions: plan.matrix.rows.len(),
        solutions: plan.builds.jobs.len(),
        solved: plan.solved,
        universes: plan.builds.builds.len(),
        jobs: jobs.collect(),
        blessed: blessed.collect(),
        not_told: vec![],
    }
}
