//! The compilers that a repository has.

use super::data::Catalogue;
use opam_parser::file::Flags;
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::name::PackageName;
use opam_parser::version::Version;

/// A compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// As it was asked for: a series, `5.4`, or a version.
    pub named: String,
    /// Its series: `5.4`
    pub series: String,
    /// Its version: `5.4.1`
    pub version: String,
    /// How it is configured, if not as usual.
    pub variant: Option<String>,
    /// The packages that are it, some with a version.
    pub packages: Vec<(PackageName, Option<Version>)>,
}

/// The compilers of a repository, as the catalogue counts them.
pub struct Compilers<'c> {
    catalogue: &'c Catalogue,
    index: &'c Index,
    /// Each series with its newest release, oldest first.
    released: Vec<(String, PackageId)>,
    /// Series of which there are only versions to avoid: alphas, betas and candidates.
    unreleased: Vec<(String, PackageId)>,
}

/// `5.4` of `5.4.1`, `5.4.0~beta2` and `5.4.0+trunk`.
fn series(version: &str) -> Option<String> {
    let end = version.find(['~', '+', '-']).unwrap_or(version.len());
    let mut parts = version[..end].split('.');
    Some(format!("{}.{}", parts.next()?, parts.next()?))
}

impl<'c> Compilers<'c> {
    /// Looks them up.
    pub fn new(catalogue: &'c Catalogue, index: &'c Index) -> Self {
        let mut released: Vec<(String, PackageId)> = Vec::new();
        let mut unreleased: Vec<(String, PackageId)> = Vec::new();
        let name = index.find_name(catalogue.compilers.release.as_str());
        for package in name.into_iter().flat_map(|name| index.versions_of(name)) {
            let text = index.version(index.package_version(package));
            let Some(series) = series(text) else { continue };
            let unfinished = index.flags(package).intersects(Flags::AVOID_VERSION) || text.contains('~');
            let into = if unfinished { &mut unreleased } else { &mut released };
            match into.last_mut().filter(|(last, _)| *last == series) {
                Some(last) => last.1 = package,
                None => into.push((series, package)),
            }
        }
        unreleased.retain(|(series, _)| released.iter().all(|(known, _)| known != series));
        Self { catalogue, index, released, unreleased }
    }

    /// Series by what they are called in sets: `newest`, `newest-2`, `significant`, `recent`, `betas`,
    /// `development`, or a series. Of what the repository does not have there are none.
    pub fn series(&self, selector: &str) -> Vec<String> {
        let names = |of: &[(String, PackageId)]| of.iter().map(|(series, _)| series.clone()).collect::<Vec<_>>();
        let newest = |count: usize| names(&self.released[self.released.len().saturating_sub(count)..]);
        match selector {
            "newest" => newest(1),
            "significant" => {
                let last = newest(2);
                let wanted =
                    |series: &String| self.catalogue.compilers.significant.contains(series) || last.contains(series);
                names(&self.released).into_iter().filter(wanted).collect()
            }
            "recent" => {
                let oldest = &self.catalogue.compilers.oldest;
                let recent = |series: &String| Version::new(series).is_some_and(|series| series >= *oldest);
                names(&self.released).into_iter().filter(recent).collect()
            }
            "betas" => names(&self.unreleased),
            "development" => self.development().into_iter().collect(),
            other => match other.strip_prefix("newest-").and_then(|count| count.parse().ok()) {
                Some(count) => newest(count),
                None => vec![other.to_owned()],
            },
        }
    }

    /// The newest series of which there is only what is being worked on.
    fn development(&self) -> Option<String> {
        let name = self.index.find_name(self.catalogue.compilers.options.as_str())?;
        let trunk = self.index.versions_of(name).rev().find_map(|package| {
            let version = self.index.version(self.index.package_version(package));
            version.ends_with("+trunk").then(|| series(version)).flatten()
        })?;
        Some(format!("{trunk}+trunk"))
    }

    /// A compiler by its series or version, and how it is configured; `None` if the repository does not
    /// have it.
    pub fn find(&self, named: &str, variant: Option<&str>) -> Option<Compiler> {
        let rules = &self.catalogue.compilers;
        if variant == Some("trunk") {
            let name = self.index.find_name(rules.options.as_str())?;
            let is_it = |package: &PackageId| {
                let version = self.index.version(self.index.package_version(*package));
                version
                    .strip_suffix("+trunk")
                    .is_some_and(|base| base == named || series(base).as_deref() == Some(named))
            };
            let package = self.index.versions_of(name).rev().find(is_it)?;
            let version = Version::new(self.index.version(self.index.package_version(package)))?;
            return Some(Compiler {
                named: named.to_owned(),
                series: series(version.as_str())?,
                version: version.to_string(),
                variant: Some("trunk".to_owned()),
                packages: vec![(rules.options.clone(), Some(version))],
            });
        }
        let in_series =
            |of: &[(String, PackageId)]| of.iter().find(|(series, _)| series == named).map(|(_, package)| *package);
        let exact = || {
            let name: NameId = self.index.find_name(rules.release.as_str())?;
            self.index.find_package(name, named)
        };
        let package = in_series(&self.released).or_else(|| in_series(&self.unreleased)).or_else(exact)?;
        let version = Version::new(self.index.version(self.index.package_version(package)))?;
        let packages = match variant {
            None => vec![(rules.release.clone(), Some(version.clone()))],
            Some(variant) => self.configured(&version, variant)?,
        };
        Some(Compiler {
            named: named.to_owned(),
            series: series(version.as_str())?,
            version: version.to_string(),
            variant: variant.map(str::to_owned),
            packages,
        })
    }

    /// A compiler with options; before there were packages for them, a version of its own.
    fn configured(&self, version: &Version, variant: &str) -> Option<Vec<(PackageName, Option<Version>)>> {
        let options = &self.catalogue.compilers.options;
        let name = self.index.find_name(options.as_str())?;
        let named = |suffix: &str| {
            let text = format!("{version}+{suffix}");
            self.index.find_package(name, &text)?;
            Version::new(&text)
        };
        let known = self.catalogue.variants.iter().find(|known| known.name == variant);
        match (named("options"), known) {
            (Some(with), Some(known)) => {
                let packages = known.packages.iter().map(|package| (package.clone(), None));
                Some(std::iter::once((options.clone(), Some(with))).chain(packages).collect())
            }
            _ => Some(vec![(options.clone(), Some(named(variant)?))]),
        }
    }
}
