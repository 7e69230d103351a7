//! Answers `lock`.

use super::context::Context;
use crate::answer::{LockAnswer, LockFile};
use crate::error::{Error, ErrorKind};
use crate::question::{Lock, LockFor};
use crate::repository::Repository;
use caravan_planning::lock::{LockError, MonorepoRules, locked, monorepo, roots};
use caravan_solver::compiler::compiler;
use caravan_solver::problem::Pin;
use caravan_solver::{Request, Selection, Setting, SolveError, Solver, Stop, View};
use opam_parser::index::{Index, PackageId};
use opam_parser::version::Version;

/// What a project without a name is called.
const PROJECT: &str = "project";

pub(super) fn answer(question: &Lock, context: &mut Context<'_>) -> Result<LockAnswer, Error> {
    if (question.allow_jbuilder || question.require_cross_compile) && question.tool == LockFor::Opam {
        return Err(Error::question("`--allow-jbuilder` and `--require-cross-compile` are for opam-monorepo")
            .with_hint("add `--for opam-monorepo`"));
    }
    if question.packages.is_empty() {
        return Err(Error::question("the project has no packages, so there is nothing to lock")
            .with_hint("`packages` has the opam file of each of them"));
    }
    let repository = context.open(&question.repositories, question.setting.precedence)?;
    let setting = Setting { pins: pins(question), ..question.setting.clone() };
    let index = setting.index(&[repository.index()]).map_err(|error| {
        Error::new(ErrorKind::BrokenFile, error.to_string()).with_hint("mend the file; `caravan parse` checks it")
    })?;
    let view = View::of(&index, &setting);
    let locker = Locker { question, view: &view, repository: &repository, stop: context.stop };
    let files = match question.tool {
        LockFor::Opam => locker.for_opam()?,
        LockFor::OpamMonorepo => vec![locker.for_monorepo()?],
    };
    Ok(LockAnswer { schema: "caravan.lock/2".into(), files })
}

/// The project's packages, and what it pins beside them.
fn pins(question: &Lock) -> Vec<Pin> {
    let others = question.setting.pins.iter();
    let others = others.filter(|pin| question.packages.iter().all(|own| own.name != pin.name));
    question.packages.iter().chain(others).cloned().collect()
}

struct Locker<'l> {
    question: &'l Lock,
    /// The repository with the project's packages and pins.
    view: &'l View<'l>,
    /// The repository alone.
    repository: &'l Repository,
    stop: &'l Stop,
}

impl Locker<'_> {
    /// Packages without the project's own, each `NAME.VERSION`.
    fn texts(&self, packages: &[PackageId]) -> Vec<String> {
        let is_own =
            |text: &str| self.question.packages.iter().any(|pin| text == format!("{}.{}", pin.name, pin.version));
        let texts = packages.iter().map(|package| self.view.index().package_text(*package));
        texts.filter(|text| !is_own(text)).collect()
    }

    fn solve(&self, request: &Request) -> Result<Selection, Error> {
        Solver::new(self.view).stop(self.stop).solve(request).map_err(|error| {
            let SolveError::NoSolution = error else { return error.into() };
            let made = Error::new(ErrorKind::No, "there is no solution, so there is nothing to lock");
            match Solver::new(self.view).stop(self.stop).explain(request) {
                Ok(explanation) => made.with_details(explanation.to_string()),
                Err(_) => error.into(),
            }
        })
    }

    fn for_opam(&self) -> Result<Vec<LockFile>, Error> {
        let with_test = !self.question.build_only;
        let mut request = Request { roots: roots(&self.question.packages, with_test), ..Request::default() };
        if let Some(version) = &self.question.ocaml {
            request.roots.insert(0, compiler(self.view.index(), version)?);
        }
        let selection = self.solve(&request)?;
        let lock = |package: &Pin| {
            let text = locked(self.view, selection.packages(), package, with_test).map_err(lock_error)?;
            let packages = self.texts(selection.packages());
            Ok(LockFile { path: format!("{}.opam.locked", package.name), packages, vendored: None, text })
        };
        self.question.packages.iter().map(lock).collect()
    }

    fn for_monorepo(&self) -> Result<LockFile, Error> {
        let Lock { packages, name, .. } = self.question;
        let name = match (packages.as_slice(), name) {
            ([only], _) => only.name.to_string(),
            (_, None) => PROJECT.to_owned(),
            (_, Some(name)) if name.is_empty() || name.contains('/') => {
                return Err(Error::question(format!("`{name}` cannot be the name of a project"))
                    .with_hint("it becomes the name of a file"));
            }
            (_, Some(name)) => name.clone(),
        };
        let rules = MonorepoRules {
            ocaml: self.ocaml()?,
            build_only: self.question.build_only,
            allow_jbuilder: self.question.allow_jbuilder,
            require_cross_compile: self.question.require_cross_compile,
        };
        let text = |package: PackageId| self.text(package);
        let lock = monorepo(self.view, packages, &rules, &text, self.stop).map_err(lock_error)?;
        Ok(LockFile {
            path: format!("{name}.opam.locked"),
            packages: self.texts(&lock.selection),
            vendored: Some(self.texts(&lock.vendored)),
            text: lock.text,
        })
    }

    /// The version of the compiler that was asked for: that of `ocaml` in its solution.
    fn ocaml(&self) -> Result<Option<Version>, Error> {
        let Some(text) = &self.question.ocaml else { return Ok(None) };
        let index = self.view.index();
        let request = Request { roots: vec![compiler(index, text)?], ..Request::default() };
        let selection = self.solve(&request)?;
        let package = index.find_name("ocaml").and_then(|name| selection.get(index, name));
        Ok(package.and_then(|package| Version::new(index.version(index.package_version(package)))))
    }

    /// A package's opam file: that of a pin, or the repository's, which has another number there than beside the
    /// pins.
    fn text(&self, package: PackageId) -> Option<Vec<u8>> {
        let index = self.view.index();
        let name = index.name(index.package_name(package));
        let Lock { packages, setting, .. } = self.question;
        if let Some(pin) = packages.iter().chain(&setting.pins).find(|pin| pin.name.as_str() == name) {
            return Some(pin.opam.clone().into_bytes());
        }
        let known: &Index = self.repository.index();
        let there = known.find_package(known.find_name(name)?, index.version(index.package_version(package)))?;
        self.repository.text(known.package_file(there)).ok()
    }
}

fn lock_error(error: LockError) -> Error {
    match error {
        LockError::Solve(error) => error.into(),
        LockError::WithoutDune(_) => Error::new(ErrorKind::No, error.to_string())
            .with_hint("an overlay that ports them to dune may be laid over: `--repo OVERLAY --repo …`"),
        LockError::SplitSources => Error::new(ErrorKind::No, error.to_string())
            .with_hint("what is vendored has one directory for each source repository, so it has one version"),
        LockError::Unreadable(_) | LockError::Setting(_) => Error::new(ErrorKind::BrokenFile, error.to_string()),
        LockError::Wrong(_) => Error::new(ErrorKind::System, error.to_string()),
    }
}
