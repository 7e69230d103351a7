//! Answers `revdeps` and `deps`.

use super::{Context, names};
use crate::answer::{DEPS, ListingAnswer, Package, REVDEPS, variables};
use crate::error::{Error, ErrorKind};
use crate::question::{Listing, Text};
use crate::repository::name_in;
use caravan_revdeps::{
    Options, PackageSet, coinstallable, direct, edges, like_opam_repo_ci, recursive, required_by,
    required_by_recursively,
};
use caravan_solver::{Flags, Request, Root, SolveError, Solver, Stop, View};
use opam_parser::atom::Atom;
use opam_parser::index::PackageId;
use opam_parser::name::PackageName;

pub(super) fn revdeps(question: &Listing, context: &mut Context<'_>) -> Result<ListingAnswer, Error> {
    answer(question, context, REVDEPS, &|search| match question {
        Listing { like_opam_repo_ci: true, .. } => search.as_opam_repo_ci(),
        Listing { recursive: true, .. } => Ok(recursive(&search.view, &search.targets, &search.options)),
        _ => Ok(direct(&search.view, &search.targets, &search.options)),
    })
}

pub(super) fn deps(question: &Listing, context: &mut Context<'_>) -> Result<ListingAnswer, Error> {
    if question.like_opam_repo_ci {
        return Err(Error::question("`like_opam_repo_ci` is about what depends on packages")
            .with_hint("ask `revdeps`, or leave it out"));
    }
    answer(question, context, DEPS, &|search| {
        let find = if question.recursive { required_by_recursively } else { required_by };
        Ok(find(&search.view, &search.targets, &search.options))
    })
}

fn answer(
    question: &Listing,
    context: &mut Context<'_>,
    schema: &'static str,
    find: &dyn Fn(&Search<'_>) -> Result<Vec<PackageId>, Error>,
) -> Result<ListingAnswer, Error> {
    let setting = &question.setting;
    let repository = context.open(&question.repositories, setting.precedence)?;
    let index = names::universe(&repository, setting)?;
    let search = Search {
        question,
        view: View::of(&index, setting),
        targets: names::targets(&repository, &index, &question.packages, context.observer)?,
        options: options(question),
        stop: context.stop,
    };
    let found = search.select(find(&search)?)?;
    let graph = question.edges.then(|| search.graph(&found));
    let text = |package: &PackageId| index.package_text(*package);
    let (target_versions, edges) = graph.unzip();
    Ok(ListingAnswer {
        schema: schema.into(),
        platform: variables(&setting.platform),
        targets: question.packages.iter().map(|Text(atom)| atom.to_string()).collect(),
        packages: Package::all(&index, &found),
        edges: edges.map(|edges| edges.iter().map(|(from, to)| [text(from), text(to)]).collect()),
        target_versions: target_versions.iter().flatten().map(text).collect(),
    })
}

/// Which dependencies count.
fn options(question: &Listing) -> Options {
    Options {
        depopts: question.depopts,
        build: !question.no_build,
        post: question.post,
        with_test: question.with_test,
        with_doc: question.with_doc,
        with_dev_setup: question.with_dev_setup,
        dev: question.dev,
    }
}

/// What is looked for, and where.
struct Search<'a> {
    question: &'a Listing,
    view: View<'a>,
    targets: PackageSet,
    options: Options,
    stop: &'a Stop,
}

impl Search<'_> {
    /// A request for what is installed already: the compiler that was named.
    fn installed(&self) -> Result<Request, Error> {
        names::installed(self.view.index(), self.question.ocaml.as_ref())
    }

    /// What opam-repo-ci tests after a change of the targets.
    fn as_opam_repo_ci(&self) -> Result<Vec<PackageId>, Error> {
        let request = self.installed()?;
        let index = self.view.index();
        let mut found = Vec::new();
        for package in self.targets.packages(index) {
            found.extend(like_opam_repo_ci(&self.view, &request, package, self.stop)?);
        }
        found.sort_unstable();
        found.dedup();
        // What changes together is not tested because of each other.
        found.retain(|package| !self.targets.contains(index, *package));
        Ok(found)
    }

    /// Of what was found, what the question leaves.
    fn select(&self, mut found: Vec<PackageId>) -> Result<Vec<PackageId>, Error> {
        let question = self.question;
        found.retain(|package| self.is_wanted(*package));
        if question.installable || !question.coinstallable_with.is_empty() {
            found = self.installable(&found)?;
        }
        if !question.resolve.is_empty() {
            self.retain_resolved(&mut found)?;
        }
        Ok(self.newest(found))
    }

    /// The versions that count: those that the platform has, or all.
    fn is_wanted(&self, package: PackageId) -> bool {
        self.question.unavailable || self.view.is_available(package)
    }

    /// The newest version of each name, or all.
    fn newest(&self, packages: Vec<PackageId>) -> Vec<PackageId> {
        match self.question.all_versions {
            true => packages,
            false => self.view.newest_of_each_name(&packages),
        }
    }

    /// Of some packages those that can be installed with what the question names.
    fn installable(&self, found: &[PackageId]) -> Result<Vec<PackageId>, Error> {
        let question = self.question;
        let mut request = self.installed()?;
        request.roots.extend(self.roots(&question.coinstallable_with)?);
        // With its tests a package comes with those of all others, as opam has it (rule D11).
        let flags = Flags {
            with_test: question.with_test,
            with_doc: question.with_doc,
            with_dev_setup: question.with_dev_setup,
            dev: question.dev.then_some(true),
        };
        let everyones = View::of(self.view.index(), &question.setting).with_flags_of_all(flags);
        Ok(coinstallable(&everyones, &request, found, self.stop)?)
    }

    /// Leaves only what a solution installs.
    fn retain_resolved(&self, found: &mut Vec<PackageId>) -> Result<(), Error> {
        let mut request = self.installed()?;
        request.roots.extend(self.roots(&self.question.resolve)?);
        request.roots.iter_mut().for_each(|root| root.flags.with_test = self.question.with_test);
        let selection = match Solver::new(&self.view).stop(self.stop).solve(&request) {
            Err(SolveError::NoSolution) => {
                let roots: Vec<String> = request.roots.iter().map(ToString::to_string).collect();
                return Err(Error::new(ErrorKind::No, format!("there is no solution for {}", roots.join(", ")))
                    .with_hint("`caravan solve` says why"));
            }
            other => other?,
        };
        found.retain(|package| selection.packages().contains(package));
        Ok(())
    }

    /// Roots, with their names as the repository writes them.
    fn roots(&self, atoms: &[Text<Atom>]) -> Result<Vec<Root>, Error> {
        let index = self.view.index();
        let root = |Text(atom): &Text<Atom>| {
            let name = name_in(index, atom.name.as_str())?;
            let name = PackageName::new(index.name(name)).unwrap_or_else(|| atom.name.clone());
            Ok(Root { name, ..Root::from(atom.clone()) })
        };
        atoms.iter().map(root).collect()
    }

    /// The targets, and which of them and of the packages found depends on which.
    fn graph(&self, found: &[PackageId]) -> (Vec<PackageId>, Vec<(PackageId, PackageId)>) {
        let targets = self.targets.packages(self.view.index()).filter(|package| self.is_wanted(*package)).collect();
        let targets = self.newest(targets);
        let mut all = [found, &targets].concat();
        all.sort_unstable();
        all.dedup();
        let edges = edges(&self.view, &all, &self.options);
        (targets, edges)
    }
}
