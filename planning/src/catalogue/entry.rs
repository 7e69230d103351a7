//! A platform of the catalogue, with a compiler of a repository.

use super::compilers::Compiler;
use super::data::{Catalogue, Distribution};
use super::error::CatalogueError;
use caravan_solver::problem::Constraint;
use caravan_solver::target::Target;
use caravan_solver::{Flags, Platform, Request, Root};
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;

/// A platform with a compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// What it is called: `debian-13-5.4+flambda_arm64`
    pub id: String,
    /// The distribution, or the system where that has none.
    pub distribution: String,
    /// How much the distribution matters: 1 is built with everything.
    pub tier: u8,
    /// opam's name of the architecture.
    pub architecture: String,
    /// The version of OCaml: `5.4.1`
    pub ocaml: String,
    /// The packages that are the compiler, each `NAME.VERSION` or a name.
    pub compiler: Vec<String>,
    /// The opam there.
    pub opam: String,
    /// The image in which builds start.
    pub image: String,
    /// The command that installs system packages.
    pub package_manager: String,
    /// opam's variables.
    pub variables: Platform,
    /// The compiler as roots of a question.
    pub roots: Vec<Root>,
}

impl CatalogueEntry {
    /// What is asked of packages on this platform, with some policies.
    pub fn target(&self, request: &Request) -> Target {
        let request = Request { roots: self.roots.clone(), ..request.clone() };
        Target { label: self.id.clone(), platform: self.variables.clone(), request }
    }
}

/// What a platform is made of.
pub(super) struct Parts<'p> {
    pub(super) distribution: &'p Distribution,
    pub(super) compiler: &'p Compiler,
    pub(super) architecture: &'p str,
    /// The name of an opam release.
    pub(super) opam: &'p str,
}

impl Parts<'_> {
    /// The platform of these parts.
    ///
    /// # Errors
    /// When there are no images of the distribution on the architecture.
    pub(super) fn entry(&self, catalogue: &Catalogue) -> Result<CatalogueEntry, CatalogueError> {
        let Self { distribution, compiler, architecture, opam } = self;
        if !self.exist() {
            return Err(CatalogueError::NoArchitecture {
                distribution: distribution.name.clone(),
                architecture: (*architecture).to_owned(),
                ocaml: compiler.series.clone(),
            });
        }
        let mut variables = Platform::new();
        variables.set("arch", architecture);
        let release = catalogue.opam.get(*opam).map_or(*opam, String::as_str);
        variables.set("opam-version", release);
        distribution.variables.iter().for_each(|(name, value)| variables.set(name, value));
        let image = distribution.image.replace("{distribution}", &distribution.name);
        let image = image.replace("{ocaml}", &compiler.series).replace("{variant}", &self.variant().replace('+', "-"));
        Ok(CatalogueEntry {
            id: self.id(catalogue),
            distribution: distribution.name.clone(),
            tier: distribution.tier,
            architecture: (*architecture).to_owned(),
            ocaml: compiler.version.clone(),
            compiler: compiler_texts(compiler),
            opam: release.to_owned(),
            image,
            package_manager: distribution.package_manager.clone(),
            variables,
            roots: compiler_roots(compiler),
        })
    }

    /// Whether there are images of the distribution on the architecture, with the compiler.
    fn exist(&self) -> bool {
        let series = Version::new(&self.compiler.series);
        self.distribution.architectures.iter().any(|known| {
            known.name == self.architecture
                && known.since.as_ref().is_none_or(|since| series.as_ref().is_some_and(|series| series >= since))
        })
    }

    /// `+flambda`; empty if the compiler is configured as usual.
    fn variant(&self) -> String {
        self.compiler.variant.as_ref().map(|variant| format!("+{variant}")).unwrap_or_default()
    }

    /// The platform's name: `debian-13-5.4+flambda_arm64`. What is usual is not said.
    fn id(&self, catalogue: &Catalogue) -> String {
        let mut id = format!("{}-{}{}", self.distribution.name, self.compiler.named, self.variant());
        if self.architecture != catalogue.defaults.architecture {
            id = format!("{id}_{}", self.architecture);
        }
        if self.opam != catalogue.defaults.opam {
            id = format!("{id}_opam-{}", self.opam);
        }
        id
    }
}

/// The packages that are a compiler, each `NAME.VERSION` or a name.
fn compiler_texts(compiler: &Compiler) -> Vec<String> {
    let text = |(name, version): &(PackageName, Option<Version>)| match version {
        Some(version) => format!("{name}.{version}"),
        None => format!("{name}"),
    };
    compiler.packages.iter().map(text).collect()
}

/// A compiler as roots of a question.
fn compiler_roots(compiler: &Compiler) -> Vec<Root> {
    let root = |(name, version): &(PackageName, Option<Version>)| Root {
        name: name.clone(),
        constraints: version.iter().map(|version| Constraint(RelOp::Eq, version.clone())).collect(),
        flags: Flags::default(),
    };
    compiler.packages.iter().map(root).collect()
}
