//! Answers `show`.

use super::{Context, names};
use crate::answer::{ShowAnswer, ShownPackage};
use crate::error::Error;
use crate::observer::{Observer, Warning};
use crate::question::{Show, Text};
use crate::repository::{Repository, name_in};
use bstr::{BString, ByteSlice};
use caravan_solver::{Setting, View};
use opam_parser::atom::Atom;
use opam_parser::file::OpamFile;
use opam_parser::index::{FormulaNode, Found, Index, PackageId};
use opam_parser::syntax::RelOp;

pub(super) fn answer(question: &Show, context: &mut Context<'_>) -> Result<ShowAnswer, Error> {
    let setting = &question.setting;
    let repository = context.open(&question.repositories, setting.precedence)?;
    let index = names::universe(&repository, setting)?;
    let view = View::of(&index, setting);
    let lookup = Lookup { repository: &repository, setting, view: &view, observer: context.observer };
    // A name that does not exist is said before anything is read.
    let packages = question.packages.iter().map(|Text(atom)| lookup.find(atom)).collect::<Result<Vec<_>, _>>()?;
    let packages = packages.into_iter().map(|package| lookup.describe(package)).collect::<Result<_, _>>()?;
    Ok(ShowAnswer { schema: "caravan.show/1".into(), packages })
}

/// Packages on a platform, and where their files are.
struct Lookup<'a> {
    repository: &'a Repository,
    setting: &'a Setting,
    view: &'a View<'a>,
    observer: &'a dyn Observer,
}

impl Lookup<'_> {
    /// The one version that an atom means.
    fn find(&self, atom: &Atom) -> Result<PackageId, Error> {
        let (repository, index) = (self.repository, self.view.index());
        let name = name_in(index, atom.name.as_str())?;
        match &atom.constraint {
            Some((RelOp::Eq, version)) => match index.find(name, version.as_str()) {
                Some(Found::Package(package)) => Ok(package),
                Some(Found::Broken(_)) | None => {
                    // It is not there: this says why.
                    names::versions(repository, index, atom, self.observer)?;
                    Err(Error::unknown_version(index.name(name), version.as_str(), &[]))
                }
            },
            Some(_) => {
                Err(Error::question(format!("`{atom}` names several versions")).with_hint("write NAME or NAME.VERSION"))
            }
            None => {
                let versions: Vec<PackageId> = index.versions_of(name).collect();
                let newest = self.view.newest_of_each_name(&versions);
                newest.first().copied().ok_or_else(|| match names::broken(repository, index, name, None) {
                    Some(file) => repository.broken(file, self.observer),
                    None => Error::unknown_package(index.name(name), &[]),
                })
            }
        }
    }

    /// The bytes of a version's opam file, and what to call it.
    fn file(&self, package: PackageId) -> Result<(Vec<u8>, String), Error> {
        let index = self.view.index();
        let (name, version) = (index.name(index.package_name(package)), version(index, package));
        if let Some(pin) = self.setting.pins.iter().find(|pin| pin.name.as_str() == name) {
            return Ok((pin.opam.clone().into_bytes(), format!("{name}.{version}/opam")));
        }
        let file = names::file(self.repository, self.setting, name, &version);
        let file = file.ok_or_else(|| Error::unknown_version(name, &version, &[]))?;
        Ok((self.repository.text(file)?, self.repository.file_label(file)))
    }

    fn describe(&self, package: PackageId) -> Result<ShownPackage, Error> {
        let index = self.view.index();
        // The index has what solving needs; the rest is in the file.
        let (opam, label) = self.file(package)?;
        let parsed = OpamFile::parse(&opam);
        for found in &parsed.diagnostics {
            let message = found.render(&label, &opam, self.observer.wants_colors());
            self.observer.warn(Warning { message, hint: None, is_diagnostic: true });
        }
        let file = parsed.file.unwrap_or_default();
        let name = index.package_name(package);
        Ok(ShownPackage {
            name: index.name(name).to_owned(),
            version: version(index, package),
            all_versions: index.versions_of(name).map(|package| version(index, package)).collect(),
            available: self.view.is_available(package),
            synopsis: index.synopsis(package).to_string(),
            description: file
                .description
                .as_ref()
                .map_or(String::new(), |text| text.trim().to_str_lossy().into_owned()),
            authors: texts(&file.authors),
            maintainer: texts(&file.maintainer),
            license: texts(&file.license),
            homepage: texts(&file.homepage),
            bug_reports: texts(&file.bug_reports),
            flags: index.flags(package).names().map(str::to_owned).collect(),
            available_if: index.available(package).to_filter().to_string(),
            depends: match index.depends(package).node() {
                FormulaNode::All(parts) => parts.map(|part| index.show_formula(part)).collect(),
                _ => vec![index.show_formula(index.depends(package))],
            },
            depopts: index.show_formula(index.depopts(package)),
            conflicts: index.show_formula(index.conflicts(package)),
            conflict_class: index.conflict_classes(package).map(|class| index.name(class).to_owned()).collect(),
            source: file.url.as_ref().map(|source| source.src.0.to_string()),
            file: label,
            opam,
        })
    }
}

fn version(index: &Index, package: PackageId) -> String {
    index.version(index.package_version(package)).to_owned()
}

fn texts(texts: &[BString]) -> Vec<String> {
    texts.iter().map(|text| text.to_str_lossy().into_owned()).collect()
}
