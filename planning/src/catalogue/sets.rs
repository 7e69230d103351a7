//! Sets of platforms: products of distributions, compilers, architectures, variants and versions of opam.

use super::{Catalogue, CatalogueError, Compilers, Distribution, Entry};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) what: String,
    #[serde(default)]
    includes: Vec<String>,
    #[serde(default, rename = "part")]
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    distributions: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    ocaml: Vec<String>,
    #[serde(default)]
    architectures: Vec<String>,
    #[serde(default)]
    variants: Vec<String>,
    #[serde(default)]
    opam: Vec<String>,
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

impl Set {
    /// Everything that it names is there.
    pub(super) fn check(&self, catalogue: &Catalogue) -> Result<(), CatalogueError> {
        let place = format!("the set `{}`", self.name);
        let dangling =
            |kind, name: &str| Err(CatalogueError::Dangling { place: place.clone(), kind, name: name.to_owned() });
        // A set includes earlier ones only, so that none includes itself.
        let earlier = catalogue.sets.iter().take_while(|set| set.name != self.name);
        if let Some(name) = self.includes.iter().find(|name| earlier.clone().all(|set| set.name != **name)) {
            return dangling("the earlier set", name);
        }
        for part in &self.parts {
            for selector in part.distributions.iter().chain(&part.except) {
                if !catalogue.distributions.iter().any(|of| selects(catalogue, selector, of)) {
                    return dangling("the distribution", selector);
                }
            }
            if let Some(name) = part.variants.iter().find(|name| catalogue.variants.iter().all(|of| of.name != **name))
            {
                return dangling("the variant", name);
            }
            let known = |name: &str| name == "64-bit" || super::ARCHITECTURES.contains(&name);
            if let Some(name) = part.architectures.iter().find(|name| !known(name)) {
                return dangling("the architecture", name);
            }
        }
        Ok(())
    }

    pub(super) fn entries(
        &self,
        catalogue: &Catalogue,
        compilers: &Compilers<'_>,
    ) -> Result<Vec<Entry>, CatalogueError> {
        let mut entries = Vec::new();
        for name in &self.includes {
            if let Some(set) = catalogue.sets.iter().find(|set| set.name == *name) {
                entries.extend(set.entries(catalogue, compilers)?);
            }
        }
        for part in &self.parts {
            part.entries(catalogue, compilers, &mut entries)?;
        }
        Ok(entries)
    }
}

impl Part {
    fn entries(
        &self,
        catalogue: &Catalogue,
        compilers: &Compilers<'_>,
        into: &mut Vec<Entry>,
    ) -> Result<(), CatalogueError> {
        let selected = |selectors: &[String], distribution: &Distribution| {
            selectors.iter().any(|selector| selects(catalogue, selector, distribution))
        };
        let distributions = catalogue.distributions.iter();
        let distributions = distributions.filter(|of| selected(&self.distributions, of) && !selected(&self.except, of));
        let series: Vec<String> = self.ocaml.iter().flat_map(|selector| compilers.series(selector)).collect();
        let variants: Vec<Option<&str>> = match self.variants.is_empty() {
            true => vec![None],
            false => self.variants.iter().map(|variant| Some(variant.as_str())).collect(),
        };
        let opams: Vec<&str> = match self.opam.is_empty() {
            true => vec![&catalogue.defaults.opam],
            false => self.opam.iter().map(String::as_str).collect(),
        };
        for distribution in distributions {
            for series in &series {
                for variant in &variants {
                    // `5.6+trunk` is a selector's result, which has its variant.
                    let (series, of_series) =
                        series.split_once('+').map_or((series.as_str(), None), |(a, b)| (a, Some(b)));
                    let Some(compiler) = compilers.find(series, variant.or(of_series)) else { continue };
                    for architecture in self.architectures(catalogue, distribution) {
                        for opam in &opams {
                            match catalogue.entry(distribution, &compiler, architecture, opam) {
                                Ok(entry) => into.push(entry),
                                // An architecture that came later than the compiler.
                                Err(CatalogueError::NoArchitecture { .. }) => {}
                                Err(error) => return Err(error),
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn architectures<'a>(&'a self, catalogue: &'a Catalogue, distribution: &'a Distribution) -> Vec<&'a str> {
        if self.architectures.is_empty() {
            return vec![&catalogue.defaults.architecture];
        }
        let all = distribution.architectures.iter().map(|architecture| architecture.name.as_str());
        let wanted =
            |name: &&str| self.architectures.iter().any(|of| of == name || of == "64-bit" && !name.ends_with("32"));
        all.filter(wanted).collect()
    }
}
