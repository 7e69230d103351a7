//! Answers `installable`.

use super::{Context, names};
use crate::answer::{InstallableAnswer, NotTold, PlatformInstallable, variables};
use crate::error::Error;
use crate::observer::Observer;
use crate::question::Installable;
use caravan_solver::{Flags, Request, Solver, Stop, Verdict, View};
use opam_parser::index::PackageId;

/// What takes long.
const SOLVING: &str = "solving";

pub(super) fn answer(question: &Installable, context: &mut Context<'_>) -> Result<InstallableAnswer, Error> {
    let setting = &question.setting;
    let repository = context.open(&question.repositories, setting.precedence)?;
    let index = names::universe(&repository, setting)?;
    let request = Request {
        avoid: question.avoid,
        time_limit_ms: question.time_limit_ms,
        ..names::installed(&index, question.ocaml.as_ref())?
    };
    let candidates: Vec<PackageId> = match question.packages.as_slice() {
        [] => index.packages().collect(),
        atoms => names::packages(&repository, &index, atoms, context.observer)?,
    };
    let mut answers = Vec::new();
    for setting in names::settings(setting, &question.platforms) {
        let view = View::of(&index, &setting);
        let targets = match question.all_versions {
            true => candidates.clone(),
            false => view.newest_of_each_name(&candidates),
        };
        let found = decide((&view, &request), &targets, question.flags, context.observer, context.stop)?;
        let of = |wanted: Verdict| {
            let found = targets.iter().zip(&found).filter(|(_, verdict)| **verdict == wanted);
            found.map(|(package, _)| index.package_text(*package)).collect()
        };
        let not_told = targets.iter().zip(&found).filter_map(|(package, verdict)| match verdict {
            Verdict::NotTold(why) => Some(NotTold { package: index.package_text(*package), reason: why.to_string() }),
            Verdict::Installable | Verdict::Not => None,
        });
        answers.push(PlatformInstallable {
            platform: variables(&setting.platform),
            installable: of(Verdict::Installable),
            not_installable: of(Verdict::Not),
            not_told: not_told.collect(),
        });
    }
    Ok(InstallableAnswer { schema: "caravan.installable/1".into(), answers })
}

/// For each package whether it can be installed, with progress.
fn decide(
    (view, request): (&View<'_>, &Request),
    targets: &[PackageId],
    flags: Flags,
    observer: &dyn Observer,
    stop: &Stop,
) -> Result<Vec<Verdict>, Error> {
    let total = targets.len();
    let progress = |done: usize| {
        // All of them: that ends the stage, which is for below.
        if done < total {
            observer.progress(SOLVING, done, total);
        }
    };
    progress(0);
    let found = Solver::new(view).stop(stop).progress(&progress).verdicts(request, targets, flags);
    observer.progress(SOLVING, total, total);
    Ok(found?)
}
