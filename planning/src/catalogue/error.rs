//! What is wrong with a catalogue, or with what was asked of it.

/// What is wrong with a catalogue, or with what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is not TOML, or does not say what a catalogue says. Names line and column.
    #[error("{0}")]
    Malformed(String),
    /// Something in it refers to what it does not have.
    #[error("{place} names {kind} `{name}`, which the catalogue does not have")]
    Dangling {
        /// Where.
        place: String,
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A name that cannot be part of a platform's name.
    #[error("`{0}` cannot be a name: it may have letters, digits, dots and dashes")]
    OddName(String),
    /// No platform is called so.
    #[error("`{0}` is not a platform of the catalogue: no distribution begins its name")]
    UnknownPlatform(String),
    /// No set is called so.
    #[error("`{0}` is not a set of platforms")]
    UnknownSet(String),
    /// The platform's name says nothing of the compiler.
    #[error("`{0}` names no compiler: write `{0}-5.4`")]
    NoCompiler(String),
    /// The repository does not have the compiler.
    #[error("the repository has no compiler for OCaml {0}")]
    UnknownCompiler(String),
    /// There are no images of the distribution on the architecture.
    #[error("{distribution} has no {architecture} with OCaml {ocaml}")]
    NoArchitecture {
        /// The distribution.
        distribution: String,
        /// The architecture.
        architecture: String,
        /// The compiler's series.
        ocaml: String,
    },
}
