//! opam-monorepo's lock file, version 0.3: a project's dependencies, most of them to be built from their sources
//! together with it. It is an opam file with every package in `depends`, those that are built from their sources
//! with `?vendor`, and with their archives and the directories to put them in as `x-opam-monorepo-duniverse-dirs`.

use super::check::LockFile;
use super::error::LockError;
use super::monorepo_file::{Archive, LockContent};
use super::roots::roots;
use caravan_solver::problem::{Avoid, Constraint, Pin};
use caravan_solver::{Flags, Overrides, Request, Root, Selection, SolveError, Solver, Stop, View};
use opam_parser::file::{self, OpamFile};
use opam_parser::index::PackageId;
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use std::collections::BTreeMap;

/// Which packages may be part of a monorepo, and what is asked for.
#[derive(Clone, Debug, Default)]
pub struct MonorepoRules {
    /// The compiler; `None`: the newest that goes.
    pub ocaml: Option<Version>,
    /// Without what the project's tests need.
    pub build_only: bool,
    /// Packages that build with dune's predecessor count, too.
    pub allow_jbuilder: bool,
    /// Only packages with the tag `cross-compile`.
    pub require_cross_compile: bool,
}

/// A lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monorepo {
    /// The text of `PROJECT.opam.locked`.
    pub text: String,
    /// The solution, with the project's own packages.
    pub selection: Vec<PackageId>,
    /// Those of it that are built together with the project.
    pub vendored: Vec<PackageId>,
}

/// Names that may be in a solution though they do not build with dune: opam provides them.
fn is_provided(name: &str) -> bool {
    let prefixes = ["conf-", "base-", "ocaml-option-", "ocaml-options-", "host-", "system-", "arch-"];
    let names =
        ["dune", "ocaml", "ocaml-base-compiler", "ocaml-compiler", "ocaml-config", "ocaml-system", "ocaml-variants"];
    names.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// What of a package's opam file matters here.
struct PackageFile {
    file: OpamFile,
    /// It installs nothing itself.
    is_virtual: bool,
}

struct Locker<'l, 'i> {
    view: &'l View<'i>,
    packages: &'l [Pin],
    rules: &'l MonorepoRules,
    text: &'l dyn Fn(PackageId) -> Option<Vec<u8>>,
    files: BTreeMap<PackageId, PackageFile>,
}

/// Locks a project. The view is of the repositories with the project's pins; `text` gives a package's
/// opam file.
///
/// # Errors
/// When there is no solution, or a file cannot be read.
pub fn monorepo(
    view: &View<'_>,
    packages: &[Pin],
    rules: &MonorepoRules,
    text: &dyn Fn(PackageId) -> Option<Vec<u8>>,
    stop: &Stop,
) -> Result<Monorepo, LockError> {
    let mut locker = Locker { view, packages, rules, text, files: BTreeMap::new() };
    let request = locker.request();
    let mut overrides = locker.excluded(&request)?;
    loop {
        let amended = view.with_overrides(overrides.clone());
        let selection = match Solver::new(&amended).stop(stop).solve(&request) {
            Ok(selection) => selection,
            Err(SolveError::NoSolution) => return Err(locker.why(&amended, &request, stop)),
            Err(error) => return Err(error.into()),
        };
        // One directory cannot have two archives.
        if !locker.keep_apart(&selection, &mut overrides)? {
            return locker.write(&selection);
        }
    }
}

impl Locker<'_, '_> {
    fn request(&self) -> Request {
        let compiler = PackageName::new("ocaml-base-compiler").map(|name| Root {
            name,
            constraints: self.rules.ocaml.iter().map(|version| Constraint(RelOp::Eq, version.clone())).collect(),
            flags: Flags::default(),
        });
        let roots = compiler.into_iter().chain(roots(self.packages, !self.rules.build_only));
        Request { roots: roots.collect(), avoid: Some(Avoid::LastOfName), ..Request::default() }
    }

    fn is_root(&self, package: PackageId) -> bool {
        let index = self.view.index();
        let name = index.name(index.package_name(package));
        self.packages.iter().any(|pin| pin.name.as_str() == name)
    }

    fn file(&mut self, package: PackageId) -> Result<&PackageFile, LockError> {
        if !self.files.contains_key(&package) {
            let index = self.view.index();
            let unreadable = || LockError::Unreadable(index.package_text(package));
            let text = (self.text)(package).ok_or_else(unreadable)?;
            let file = OpamFile::parse(&text).file.ok_or_else(unreadable)?;
            let is_virtual = file.url.is_none() || file.build.is_empty() && file.install.is_empty();
            self.files.insert(package, PackageFile { file, is_virtual });
        }
        self.files.get(&package).ok_or_else(|| LockError::Unreadable(self.view.index().package_text(package)))
    }

    /// Everything within reach that may not be part of a monorepo.
    fn excluded(&mut self, request: &Request) -> Result<Overrides, LockError> {
        let view = self.view;
        let index = view.index();
        let mut overrides = Overrides::new();
        let mut seen = vec![false; index.package_count()];
        let named = request.roots.iter().filter_map(|root| index.find_name(root.name.as_str()));
        let mut work: Vec<PackageId> = named.flat_map(|name| index.versions_of(name)).collect();
        while let Some(package) = work.pop() {
            if std::mem::replace(&mut seen[package.place()], true) {
                continue;
            }
            if !self.is_root(package) && !self.fits(package)? {
                overrides.exclude(package);
                continue;
            }
            let own;
            let compiled = match self.is_root(package) {
                true => {
                    let flags = Flags { with_test: !self.rules.build_only, dev: Some(true), ..Flags::default() };
                    own = view.compile(package, view.flags(package, Some(flags)));
                    &own
                }
                false => view.package(package),
            };
            for (name, mask) in compiled.needs() {
                work.extend(index.package_range(name).packages_at(mask.positions()));
            }
        }
        Ok(overrides)
    }

    /// Whether a package may be part of a monorepo.
    fn fits(&mut self, package: PackageId) -> Result<bool, LockError> {
        let index = self.view.index();
        if is_provided(index.name(index.package_name(package)))
            || index.flags(package).intersects(file::Flags::COMPILER)
        {
            return Ok(true);
        }
        let with_dune = index.depends(package).names().any(|name| match index.name(name) {
            "dune" => true,
            "jbuilder" => self.rules.allow_jbuilder,
            _ => false,
        });
        if with_dune && !self.rules.require_cross_compile {
            return Ok(true);
        }
        let crossing = self.rules.require_cross_compile;
        let PackageFile { file, is_virtual } = self.file(package)?;
        let tagged = file.tags.iter().any(|tag| tag == "cross-compile");
        Ok(*is_virtual || with_dune && (!crossing || tagged))
    }

    /// Why there is no solution: the packages of one that is possible otherwise.
    fn why(&mut self, amended: &View<'_>, request: &Request, stop: &Stop) -> LockError {
        let Ok(selection) = Solver::new(self.view).stop(stop).solve(request) else {
            return SolveError::NoSolution.into();
        };
        let refused = selection.packages().iter().filter(|package| !amended.is_available(**package));
        let refused: Vec<String> = refused.map(|package| self.view.index().package_text(*package)).collect();
        match refused.is_empty() {
            true => LockError::SplitSources,
            false => LockError::WithoutDune(refused),
        }
    }

    /// The archive of a package that is vendored, and the directory in which it is put: what its repository is
    /// called.
    fn archive(&mut self, package: PackageId) -> Result<Option<Archive>, LockError> {
        let index = self.view.index();
        let name = index.name(index.package_name(package)).to_owned();
        if self.is_root(package) || is_provided(&name) || index.flags(package).intersects(file::Flags::COMPILER) {
            return Ok(None);
        }
        let PackageFile { file, is_virtual } = self.file(package)?;
        let Some(url) = file.url.as_ref().filter(|_| !*is_virtual) else { return Ok(None) };
        let repository = file.dev_repo.as_ref().map(|repository| repository.0.to_string()).unwrap_or_default();
        let last = repository.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
        let last = last.split('#').next().unwrap_or_default().trim_end_matches(".git");
        let directory = match last {
            "" => name,
            // A directory called `dune` is dune's own.
            "dune" => "dune_".to_owned(),
            last => last.to_owned(),
        };
        Ok(Some(Archive { directory, url: url.src.0.to_string() }))
    }

    /// Keeps packages apart that belong into one directory but have different sources, all versions of
    /// the names of which that is so here. Whether there are any.
    fn keep_apart(&mut self, selection: &Selection, overrides: &mut Overrides) -> Result<bool, LockError> {
        let mut by_directory: BTreeMap<String, Vec<(PackageId, String)>> = BTreeMap::new();
        for package in selection.packages() {
            if let Some(Archive { directory, url }) = self.archive(*package)? {
                by_directory.entry(directory).or_default().push((*package, url));
            }
        }
        let index = self.view.index();
        let mut any = false;
        for (directory, packages) in by_directory {
            if packages.iter().all(|(_, url)| *url == packages[0].1) {
                continue;
            }
            any = true;
            let mut versions = Vec::new();
            for version in packages.iter().flat_map(|(package, _)| index.versions_of(index.package_name(*package))) {
                match self.archive(version)? {
                    Some(archive) if archive.directory == directory => versions.push((version, archive.url)),
                    _ => {}
                }
            }
            for (place, (one, url)) in versions.iter().enumerate() {
                let others = versions[place + 1..].iter();
                let differ = others
                    .filter(|(other, from)| from != url && index.package_name(*other) != index.package_name(*one));
                differ.for_each(|(other, _)| overrides.keep_apart(*one, *other));
            }
        }
        Ok(any)
    }

    fn write(mut self, selection: &Selection) -> Result<Monorepo, LockError> {
        let index = self.view.index();
        let mut content = LockContent::default();
        let mut vendored = Vec::new();
        for package in selection.packages().iter().copied() {
            content.add_depexts(&self.file(package)?.file);
            if self.is_root(package) {
                continue;
            }
            let (name, version) =
                (index.name(index.package_name(package)), index.version(index.package_version(package)));
            match self.archive(package)? {
                None => content.add(name, version),
                Some(archive) => {
                    vendored.push(package);
                    content.add_vendored(name, version, archive, &self.file(package)?.file);
                }
            }
        }
        let text = content.text(self.packages);
        self.check(&text, selection)?;
        Ok(Monorepo { text, selection: selection.packages().to_vec(), vendored })
    }

    /// The lock file as a package of its own leads to the same packages.
    fn check(&self, text: &str, selection: &Selection) -> Result<(), LockError> {
        let wrong = || LockError::Wrong("it has no name of its own".to_owned());
        let name = PackageName::new("caravan-lock").ok_or_else(wrong)?;
        let pin = Pin { name, version: Version::new("dev").ok_or_else(wrong)?, opam: text.to_owned() };
        let own = |package: &PackageId| self.is_root(*package);
        let others: Vec<PackageId> = selection.packages().iter().copied().filter(|package| !own(package)).collect();
        let root = Root { name: pin.name.clone(), constraints: vec![], flags: Flags::default() };
        let file = LockFile { own: &pin, text, roots: &[root], expected: &others, with_vendored: true };
        file.check(self.view)
    }
}
