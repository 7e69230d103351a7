//! Reading catalogues.

use super::data::Catalogue;
use super::error::CatalogueError;
use super::sets;

/// The catalogue that caravan has.
pub const BUILTIN: &str = include_str!("platforms.toml");

impl Catalogue {
    /// The one that caravan has.
    ///
    /// # Errors
    /// Never: a test reads it.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::parse(BUILTIN)
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// When it is not TOML or does not say what a catalogue says.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let read: Self =
            toml::from_str(text).map_err(|error| CatalogueError::Malformed(error.to_string().trim_end().to_owned()))?;
        read.check()?;
        Ok(read)
    }

    /// Everything that is named is there.
    fn check(&self) -> Result<(), CatalogueError> {
        let dangling = |place: &str, kind, name: &str| {
            Err(CatalogueError::Dangling { place: place.to_owned(), kind, name: name.to_owned() })
        };
        if self.distribution(&self.defaults.master).is_none() {
            return dangling("`defaults.master`", "the distribution", &self.defaults.master);
        }
        let names = self.distributions.iter().map(|of| &of.name).chain(self.variants.iter().map(|of| &of.name));
        // They become parts of names of platforms, and these names of files.
        let odd =
            |name: &&String| name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
        if let Some(name) = names.into_iter().find(odd) {
            return Err(CatalogueError::OddName(name.clone()));
        }
        self.sets.iter().try_for_each(|set| sets::check(self, set))
    }
}
