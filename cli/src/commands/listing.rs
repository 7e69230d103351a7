//! What `caravan revdeps` and `caravan deps` have in common: targets, selection, the forms of a list.

use super::row;
use super::solve::failure;
use crate::arguments::{Format, Listing};
use crate::failure::{Failure, Kind};
use crate::output::{BOLD, DIM, Output};
use crate::platform::one_platform;
use crate::session::Session;
use caravan_revdeps::{ListReport, Options, Targets, coinstallable, edges};
use caravan_solver::compiler::compiler;
use caravan_solver::problem::Flags;
use caravan_solver::{Platform, Request, Root, SolveError, Stop, View, solve};
use opam_parser::atom::Atom;
use opam_parser::index::{Found, PackageId};
use opam_parser::syntax::RelOp;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// What is wrong with the question is said before anything is read.
pub(super) fn check(packages: &[String], arguments: &Listing) -> Result<Platform, Failure> {
    for text in packages.iter().chain(&arguments.coinstallable_with).chain(&arguments.resolve) {
        Session::parse_atom(text)?;
    }
    one_platform(&arguments.platform)
}

/// A listing of packages around targets.
pub(super) struct Listed<'s> {
    session: &'s Session,
    arguments: &'s Listing,
    platform: Platform,
    atoms: Vec<Atom>,
    pub(super) view: View<'s>,
    pub(super) targets: Targets,
    pub(super) options: Options,
}

impl<'s> Listed<'s> {
    pub(super) fn new(
        session: &'s Session,
        platform: Platform,
        packages: &[String],
        arguments: &'s Listing,
        output: &Output,
    ) -> Result<Self, Failure> {
        let atoms = packages.iter().map(|text| Session::parse_atom(text)).collect::<Result<Vec<_>, _>>()?;
        let mut targets = Targets::default();
        for atom in &atoms {
            targets.extend(target(session, atom, output)?);
        }
        let options = Options {
            depopts: arguments.depopts,
            build: !arguments.no_build,
            post: arguments.post,
            with_test: arguments.with_test,
            with_doc: arguments.with_doc,
            with_dev_setup: arguments.with_dev_setup,
            dev: arguments.dev,
        };
        let view = View::new(&session.index, &platform);
        Ok(Self { session, arguments, platform, atoms, view, targets, options })
    }

    /// What is installed already: the compiler that was named.
    pub(super) fn switch(&self) -> Result<Request, Failure> {
        let compiler = self.arguments.ocaml.as_ref().map(|version| compiler(&self.session.index, version));
        Ok(Request { roots: compiler.into_iter().collect::<Result<_, _>>()?, ..Request::default() })
    }

    /// Of what was found, what the arguments leave.
    pub(super) fn select(&self, mut found: Vec<PackageId>) -> Result<Vec<PackageId>, Failure> {
        let arguments = self.arguments;
        found.retain(|package| arguments.all || self.view.is_available(*package));
        let stop = Stop::new();
        if arguments.installable || !arguments.coinstallable_with.is_empty() {
            let mut request = self.switch()?;
            request.roots.extend(self.roots(&arguments.coinstallable_with)?);
            // With its tests a package comes with those of all others, as opam has it (rule D11).
            let flags = Flags {
                with_test: arguments.with_test,
                with_doc: arguments.with_doc,
                with_dev_setup: arguments.with_dev_setup,
                dev: arguments.dev.then_some(true),
            };
            let everyones = View::new(&self.session.index, &self.platform).with_everyones(flags);
            found = coinstallable(&everyones, &request, &found, &stop).map_err(failure)?;
        }
        if !arguments.resolve.is_empty() {
            let mut request = self.switch()?;
            request.roots.extend(self.roots(&arguments.resolve)?);
            request.roots.iter_mut().for_each(|root| root.flags.with_test = arguments.with_test);
            let selection = match solve(&self.view, &request) {
                Err(SolveError::NoSolution) => {
                    let roots: Vec<String> = request.roots.iter().map(ToString::to_string).collect();
                    return Err(Failure::new(Kind::No, format!("there is no solution for {}", roots.join(", ")))
                        .hint("`caravan solve` says why"));
                }
                other => other.map_err(failure)?,
            };
            found.retain(|package| selection.packages().contains(package));
        }
        if !arguments.all_versions {
            found = self.session.index.newest_of_each_name(&found, |_| false);
        }
        Ok(found)
    }

    fn roots(&self, texts: &[String]) -> Result<Vec<Root>, Failure> {
        let root = |text: &String| {
            let atom = Session::parse_atom(text)?;
            self.session.name(atom.name.as_str())?;
            Ok(Root::from(atom))
        };
        texts.iter().map(root).collect()
    }

    /// Shows the packages. In a tree and a graph the targets are there too; `upwards` says that the
    /// packages depend on them, and not they on the packages.
    pub(super) fn show(
        &self,
        schema: &'static str,
        found: &[PackageId],
        upwards: bool,
        output: &mut Output,
    ) -> Result<ExitCode, Failure> {
        let index = &self.session.index;
        match output.format {
            Format::Dot => self.dot(found, output)?,
            Format::Json => {
                let edges = self.arguments.tree.then(|| self.edges(found).1);
                output.json(&ListReport::new(schema, &self.view, &self.atoms, found, edges.as_deref()))?;
            }
            _ if self.arguments.tree => self.tree(found, upwards, output)?,
            _ => output.table(&found.iter().map(|package| row(index, *package)).collect::<Vec<_>>())?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The packages of a tree or graph, and which depends on which.
    fn edges(&self, found: &[PackageId]) -> (Vec<PackageId>, Vec<(PackageId, PackageId)>) {
        let index = &self.session.index;
        let mut targets: Vec<PackageId> = self.targets.packages(index).collect();
        targets.retain(|package| self.arguments.all || self.view.is_available(*package));
        if !self.arguments.all_versions {
            targets = index.newest_of_each_name(&targets, |_| false);
        }
        let mut all = found.to_vec();
        all.extend(&targets);
        all.sort_unstable();
        all.dedup();
        let edges = edges(&self.view, &all, &self.options);
        (targets, edges)
    }

    fn tree(&self, found: &[PackageId], upwards: bool, output: &mut Output) -> Result<(), Failure> {
        let index = &self.session.index;
        let (targets, edges) = self.edges(found);
        let mut below: BTreeMap<PackageId, Vec<PackageId>> = BTreeMap::new();
        for (from, to) in edges {
            let (above, under) = if upwards { (to, from) } else { (from, to) };
            below.entry(above).or_default().push(under);
        }
        let mut shown = BTreeSet::new();
        for target in targets {
            // What is still to be shown: a package, and the lines before it.
            let mut waiting = vec![(target, String::new(), "", "")];
            while let Some((package, before, branch, after)) = waiting.pop() {
                let text = index.package_text(package);
                let children = below.get(&package).map_or(&[][..], Vec::as_slice);
                let again = !shown.insert(package) && !children.is_empty();
                let more = if again { format!(" {DIM}(above){DIM:#}") } else { String::new() };
                let style = if branch.is_empty() { BOLD } else { anstyle::Style::new() };
                output.line(format_args!("{before}{branch}{style}{text}{style:#}{more}"))?;
                if again {
                    continue;
                }
                let before = format!("{before}{after}");
                for (place, child) in children.iter().enumerate().rev() {
                    let last = place + 1 == children.len();
                    let (branch, after) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
                    waiting.push((*child, before.clone(), branch, after));
                }
            }
        }
        Ok(())
    }

    fn dot(&self, found: &[PackageId], output: &mut Output) -> Result<(), Failure> {
        let index = &self.session.index;
        let (targets, edges) = self.edges(found);
        output.line("digraph dependencies {")?;
        for target in targets {
            output.line(format_args!("  \"{}\" [style=bold];", index.package_text(target)))?;
        }
        for package in found {
            output.line(format_args!("  \"{}\";", index.package_text(*package)))?;
        }
        for (from, to) in edges {
            output.line(format_args!("  \"{}\" -> \"{}\";", index.package_text(from), index.package_text(to)))?;
        }
        output.line("}")
    }
}

/// The versions that an atom names; there must be one.
fn target(session: &Session, atom: &Atom, output: &Output) -> Result<Targets, Failure> {
    let index = &session.index;
    let name = session.name(atom.name.as_str())?;
    let Some((op, wanted)) = &atom.constraint else { return Ok(Targets::of(index, name, |_| true)) };
    if *op == RelOp::Eq
        && let Some(Found::Broken(file)) = index.find(name, wanted.as_str())
    {
        return Err(session.broken(file, output));
    }
    let targets = Targets::of_atom(index, name, atom);
    if targets.packages(index).next().is_none() {
        let wanted = match op {
            RelOp::Eq => wanted.to_string(),
            op => format!("{} {wanted}", op.as_str()),
        };
        return Err(Failure::unknown_version(index.name(name), &wanted, &session.newest(name)));
    }
    Ok(targets)
}
