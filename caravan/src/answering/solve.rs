//! Answers `solve`.

use super::{Context, names};
use crate::answer::{Fact, HeldBack, NoSolution, Package, PlatformSolution, SolveAnswer, variables};
use crate::error::Error;
use crate::observer::Observer;
use crate::question::Solve;
use crate::repository::{Repository, name_in};
use caravan_solver::compiler::compiler;
use caravan_solver::explain;
use caravan_solver::problem::Constraint;
use caravan_solver::{Explanation, Request, Selection, Setting, SolveError, Solver, Stop, View};
use opam_parser::file::field_line;
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::name::{PackageName, split_package};
use opam_parser::syntax::RelOp;
use rayon::prelude::*;

pub(super) fn answer(question: &Solve, context: &mut Context<'_>) -> Result<SolveAnswer, Error> {
    check(question)?;
    let setting = &question.problem.setting;
    let repository = context.open(&question.repositories, setting.precedence)?;
    let index = names::universe(&repository, setting)?;
    let (roots, request) = request(question, (&repository, &index), context.observer)?;
    let settings = names::settings(setting, &question.platforms);
    let views: Vec<View<'_>> = settings.iter().map(|setting| View::of(&index, setting)).collect();
    let (found, differing) = match question.same_versions {
        true => {
            let (found, differing) = solve_for_same_versions(&views, &request, context.stop)?;
            (found, Some(differing))
        }
        false => {
            let one = |(setting, view)| alone(question, setting, view, &request, context.stop);
            let found: Vec<Result<Finding, Error>> = settings.par_iter().zip(&views).map(one).collect();
            (found.into_iter().collect::<Result<_, _>>()?, None)
        }
    };
    let solved = found.iter().any(|finding| finding.result.is_ok());
    let written = Written { repository: &repository, index: &index, setting, places: question.places };
    Ok(SolveAnswer {
        schema: "caravan.solve/2".into(),
        roots,
        answers: settings.iter().zip(&found).map(|(setting, finding)| written.solution(setting, finding)).collect(),
        differing: differing.map(|names| names.iter().map(|name| index.name(*name).to_owned()).collect()),
        checked: (question.check && solved).then_some(true),
        root_names: request.roots.iter().map(|root| root.name.to_string()).collect(),
    })
}

/// What is wrong with the question is said before anything is read.
fn check(question: &Solve) -> Result<(), Error> {
    if question.same_versions && question.explain_versions {
        return Err(Error::question("`--explain-versions` explains the answer of each platform by itself")
            .with_hint("leave out `--same-versions`"));
    }
    let other = match (question.explain_versions, question.same_versions) {
        (true, _) => "--explain-versions",
        (_, true) => "--same-versions",
        _ => return Ok(()),
    };
    match question.check {
        true => Err(Error::question(format!("the argument '--check' cannot be used with '{other}'"))),
        false => Ok(()),
    }
}

/// The texts of the roots with their names as the packages have them, and the request with the compiler before them.
fn request(
    question: &Solve,
    (repository, index): (&Repository, &Index),
    observer: &dyn Observer,
) -> Result<(Vec<String>, Request), Error> {
    let mut request = question.problem.request.clone();
    for root in &mut request.roots {
        let name = name_in(index, root.name.as_str())?;
        for Constraint(op, version) in &root.constraints {
            if *op == RelOp::Eq
                && let Some(file) = names::broken(repository, index, name, Some(version.as_str()))
            {
                return Err(repository.broken(file, observer));
            }
        }
        if index.versions_of(name).len() == 0
            && let Some(file) = names::broken(repository, index, name, None)
        {
            return Err(repository.broken(file, observer));
        }
        if let Some(name) = PackageName::new(index.name(name)) {
            root.name = name;
        }
    }
    let texts = request.roots.iter().map(ToString::to_string).collect();
    if let Some(version) = &question.ocaml {
        request.roots.insert(0, compiler(repository.index(), version)?);
    }
    Ok((texts, request))
}

/// What came out for one platform.
struct Finding {
    result: Result<Selection, Explanation>,
    held_back: Option<Vec<explain::HeldBack>>,
}

/// The answer for one platform by itself.
fn alone(
    question: &Solve,
    setting: &Setting,
    view: &View<'_>,
    request: &Request,
    stop: &Stop,
) -> Result<Finding, Error> {
    let mut held_back = None;
    let result = if question.explain_versions {
        Solver::new(view).stop(stop).explain_versions(request).map(|(selection, reasons)| {
            held_back = Some(reasons);
            selection
        })
    } else if question.check {
        Solver::new(view).stop(stop).prove(true).verify(setting).solve(request)
    } else {
        Solver::new(view).stop(stop).solve(request)
    };
    let result = match result {
        Ok(selection) => Ok(selection),
        Err(SolveError::NoSolution) => Err(Solver::new(view).stop(stop).explain(request)?),
        Err(error) => return Err(error.into()),
    };
    Ok(Finding { result, held_back })
}

/// One version of each package on all platforms that have an answer, where that is possible, and the names of which it
/// is not.
fn solve_for_same_versions(
    views: &[View<'_>],
    request: &Request,
    stop: &Stop,
) -> Result<(Vec<Finding>, Vec<NameId>), Error> {
    let solvable = |view: &View<'_>| match Solver::new(view).stop(stop).solve(request) {
        Ok(_) => Ok(true),
        Err(SolveError::NoSolution) => Ok(false),
        Err(error) => Err(error),
    };
    let solvable: Vec<bool> = views.par_iter().map(solvable).collect::<Result<_, _>>()?;
    let with_solution: Vec<&View<'_>> =
        views.iter().zip(&solvable).filter(|(_, solvable)| **solvable).map(|(view, _)| view).collect();
    let together = Solver::for_platforms(&with_solution).stop(stop).solve(request).map_err(|failed| failed.error)?;
    let mut selections = together.selections.into_iter();
    let mut found = Vec::new();
    for (view, solvable) in views.iter().zip(solvable) {
        let selection = if solvable { selections.next() } else { None };
        let result = match selection {
            Some(selection) => Ok(selection),
            None => Err(Solver::new(view).stop(stop).explain(request)?),
        };
        found.push(Finding { result, held_back: None });
    }
    Ok((found, together.differing))
}

/// Findings of the solver, written as data.
struct Written<'a> {
    repository: &'a Repository,
    index: &'a Index,
    setting: &'a Setting,
    /// Whether the file and line of each fact is wanted.
    places: bool,
}

impl Written<'_> {
    fn solution(&self, setting: &Setting, found: &Finding) -> PlatformSolution {
        let packages = found.result.as_ref().ok().map(|selection| Package::all(self.index, selection.packages()));
        let held_back = found.held_back.as_ref();
        PlatformSolution {
            platform: variables(&setting.platform),
            packages,
            held_back: held_back.map(|held_back| held_back.iter().map(|held| self.held_back(held)).collect()),
            no_solution: found.result.as_ref().err().map(|explanation| NoSolution {
                facts: self.facts(&explanation.facts),
                hints: explanation.hints.iter().map(Into::into).collect(),
            }),
        }
    }

    fn held_back(&self, held: &explain::HeldBack) -> HeldBack {
        let version = |package: PackageId| self.index.version(self.index.package_version(package)).to_owned();
        HeldBack {
            name: self.index.name(self.index.package_name(held.package)).to_owned(),
            version: version(held.package),
            best: version(held.best),
            facts: self.facts(&held.facts),
        }
    }

    fn facts(&self, facts: &[explain::Fact]) -> Vec<Fact> {
        let fact = |found: &explain::Fact| {
            let mut fact = Fact::from(found);
            if let (true, Some(from), Some(origin)) = (self.places, &found.origin, &mut fact.origin) {
                origin.place = self.place(from);
            }
            fact
        };
        facts.iter().map(fact).collect()
    }

    /// The file, line and field of a fact. `None` if the file cannot be read any more.
    fn place(&self, origin: &explain::Origin) -> Option<String> {
        // A pinned file is not in a repository: then its package and field are all there is to say.
        let file = split_package(&origin.package)
            .and_then(|(name, version)| names::file(self.repository, self.setting, name.as_str(), version.as_str()));
        let Some(file) = file else { return Some(format!("{}: {}", origin.package, origin.field)) };
        let label = self.repository.file_label(file);
        let text = self.repository.text(file).ok()?;
        Some(match field_line(&text, origin.field, origin.mention.as_deref()) {
            Some(line) => format!("{label}:{line}: {}", origin.field),
            None => format!("{label}: {}", origin.field),
        })
    }
}
