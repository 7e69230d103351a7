//! Platforms by their names: `debian-13-5.4+flambda_arm64_opam-2.4`.

use super::compilers::Compilers;
use super::data::{ARCHITECTURES, Catalogue, Distribution};
use super::entry::{CatalogueEntry, Parts};
use super::error::CatalogueError;
use opam_parser::index::Index;
use opam_parser::version::Version;

impl Catalogue {
    /// The platform of a name, with a compiler of the repository. A compiler alone, `5.4`, stands for that
    /// compiler on the usual distribution.
    ///
    /// # Errors
    /// When there is no such platform.
    pub fn platform(&self, index: &Index, id: &str) -> Result<CatalogueEntry, CatalogueError> {
        let unknown = || CatalogueError::UnknownPlatform(id.to_owned());
        let (rest, opam) =
            id.split_once("_opam-").map_or((id, self.defaults.opam.as_str()), |(rest, opam)| (rest, opam));
        if Version::new(opam).is_none() {
            return Err(unknown());
        }
        let with_architecture = ARCHITECTURES.iter().find_map(|architecture| {
            let rest = rest.strip_suffix(architecture)?.strip_suffix('_')?;
            Some((rest, *architecture))
        });
        let (rest, architecture) = with_architecture.unwrap_or((rest, self.defaults.architecture.as_str()));
        let (distribution, compiler) = match (self.distribution_of(rest), compiler_of(rest)) {
            (Some((_, None)), None) => return Err(CatalogueError::NoCompiler(id.to_owned())),
            (Some((distribution, Some(compiler))), _) => (distribution, compiler),
            (_, Some(compiler)) => (self.distribution(&self.defaults.master).ok_or_else(unknown)?, compiler),
            (None, None) => return Err(unknown()),
        };
        let (ocaml, variant) =
            compiler.split_once('+').map_or((compiler, None), |(ocaml, variant)| (ocaml, Some(variant)));
        let compilers = Compilers::new(self, index);
        let compiler =
            compilers.find(ocaml, variant).ok_or_else(|| CatalogueError::UnknownCompiler(compiler.to_owned()))?;
        Parts { distribution, compiler: &compiler, architecture, opam }.entry(self)
    }

    /// The distribution with the longest name that a text begins with, and the compiler that follows, if one
    /// does.
    fn distribution_of<'t>(&self, text: &'t str) -> Option<(&Distribution, Option<&'t str>)> {
        let found = self.distributions.iter().filter_map(|distribution| {
            match text.strip_prefix(distribution.name.as_str())? {
                "" => Some((distribution, None)),
                rest => Some((distribution, compiler_of(rest.strip_prefix('-')?))),
            }
        });
        found.max_by_key(|(distribution, _)| distribution.name.len())
    }
}

/// The text, if it can name a compiler.
fn compiler_of(text: &str) -> Option<&str> {
    Some(text).filter(|text| text.starts_with(|first: char| first.is_ascii_digit()))
}
