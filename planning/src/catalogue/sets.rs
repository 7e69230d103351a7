//! Sets of platforms: products of distributions, compilers, architectures, variants and versions of opam.

use super::compilers::{Compiler, Compilers};
use super::data::{ARCHITECTURES, Catalogue, Distribution, Part, Set};
use super::entry::{CatalogueEntry, Parts};
use super::error::CatalogueError;
use opam_parser::index::Index;

impl Catalogue {
    /// The platforms of a set, with the compilers of the repository. Those whose compiler it does not have
    /// are not among them.
    ///
    /// # Errors
    /// When there is no such set.
    pub fn set(&self, index: &Index, name: &str) -> Result<Vec<CatalogueEntry>, CatalogueError> {
        let set = self.sets.iter().find(|set| set.name == name);
        let set = set.ok_or_else(|| CatalogueError::UnknownSet(name.to_owned()))?;
        let mut entries: Vec<CatalogueEntry> = Vec::new();
        let mut all = Vec::new();
        Expansion { catalogue: self, compilers: &Compilers::new(self, index) }.add_set(set, &mut all)?;
        for entry in all {
            if entries.iter().all(|known| known.id != entry.id) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// Names of sets, and what they are.
    pub fn sets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sets.iter().map(|set| (set.name.as_str(), set.what.as_str()))
    }
}

/// Whether a selector means a distribution.
fn selects(catalogue: &Catalogue, selector: &str, distribution: &Distribution) -> bool {
    match selector {
        "master" => distribution.name == catalogue.defaults.master,
        "linux" => distribution.variables.get("os").is_some_and(|os| os == "linux"),
        other => other
            .strip_prefix("tier-")
            .and_then(|tier| tier.parse::<u8>().ok())
            .map_or(distribution.name == other, |tier| distribution.tier == tier),
    }
}

/// Checks that everything that a set names is there.
pub(super) fn check(catalogue: &Catalogue, set: &Set) -> Result<(), CatalogueError> {
    let place = format!("the set `{}`", set.name);
    let dangling =
        |kind, name: &str| Err(CatalogueError::Dangling { place: place.clone(), kind, name: name.to_owned() });
    // A set includes earlier ones only, so that none includes itself.
    let earlier = catalogue.sets.iter().take_while(|other| other.name != set.name);
    if let Some(name) = set.includes.iter().find(|name| earlier.clone().all(|other| other.name != **name)) {
        return dangling("the earlier set", name);
    }
    for part in &set.parts {
        for selector in part.distributions.iter().chain(&part.except) {
            if !catalogue.distributions.iter().any(|of| selects(catalogue, selector, of)) {
                return dangling("the distribution", selector);
            }
        }
        if let Some(name) = part.variants.iter().find(|name| catalogue.variants.iter().all(|of| of.name != **name)) {
            return dangling("the variant", name);
        }
        let known = |name: &str| name == "64-bit" || ARCHITECTURES.contains(&name);
        if let Some(name) = part.architectures.iter().find(|name| !known(name)) {
            return dangling("the architecture", name);
        }
    }
    Ok(())
}

/// What sets are multiplied out with.
struct Expansion<'e> {
    catalogue: &'e Catalogue,
    compilers: &'e Compilers<'e>,
}

impl<'e> Expansion<'e> {
    /// Adds the platforms of a set, those of the sets that it includes first.
    fn add_set(&self, set: &Set, into: &mut Vec<CatalogueEntry>) -> Result<(), CatalogueError> {
        for name in &set.includes {
            if let Some(set) = self.catalogue.sets.iter().find(|set| set.name == *name) {
                self.add_set(set, into)?;
            }
        }
        set.parts.iter().try_for_each(|part| self.add_part(part, into))
    }

    fn add_part(&self, part: &Part, into: &mut Vec<CatalogueEntry>) -> Result<(), CatalogueError> {
        let is_selected = |selectors: &[String], distribution: &Distribution| {
            selectors.iter().any(|selector| selects(self.catalogue, selector, distribution))
        };
        let distributions = self.catalogue.distributions.iter();
        let distributions =
            distributions.filter(|of| is_selected(&part.distributions, of) && !is_selected(&part.except, of));
        let series: Vec<String> = part.ocaml.iter().flat_map(|selector| self.compilers.series(selector)).collect();
        let variants: Vec<Option<&str>> = match part.variants.is_empty() {
            true => vec![None],
            false => part.variants.iter().map(|variant| Some(variant.as_str())).collect(),
        };
        for distribution in distributions {
            for series in &series {
                for variant in &variants {
                    // `5.6+trunk` is a selector's result, which has its variant.
                    let (series, of_series) =
                        series.split_once('+').map_or((series.as_str(), None), |(a, b)| (a, Some(b)));
                    if let Some(compiler) = self.compilers.find(series, variant.or(of_series)) {
                        self.add_with_compiler(part, distribution, &compiler, into)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds a distribution with a compiler, on each architecture and with each opam of a part.
    fn add_with_compiler(
        &self,
        part: &Part,
        distribution: &Distribution,
        compiler: &Compiler,
        into: &mut Vec<CatalogueEntry>,
    ) -> Result<(), CatalogueError> {
        let opams: Vec<&str> = match part.opam.is_empty() {
            true => vec![&self.catalogue.defaults.opam],
            false => part.opam.iter().map(String::as_str).collect(),
        };
        for architecture in self.architectures(part, distribution) {
            for opam in &opams {
                match (Parts { distribution, compiler, architecture, opam }).entry(self.catalogue) {
                    Ok(entry) => into.push(entry),
                    // An architecture that came later than the compiler.
                    Err(CatalogueError::NoArchitecture { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn architectures<'a>(&self, part: &'a Part, distribution: &'a Distribution) -> Vec<&'a str>
    where
        'e: 'a,
    {
        if part.architectures.is_empty() {
            return vec![&self.catalogue.defaults.architecture];
        }
        let all = distribution.architectures.iter().map(|architecture| architecture.name.as_str());
        let is_wanted =
            |name: &&str| part.architectures.iter().any(|of| of == name || of == "64-bit" && !name.ends_with("32"));
        all.filter(is_wanted).collect()
    }
}
