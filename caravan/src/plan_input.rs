//! What people write for plans beside questions: catalogues of platforms, and how long builds take.

use crate::error::{Error, ErrorKind};
use caravan_planning::builds::Times;
use caravan_planning::catalogue::{BUILTIN, Catalogue, CatalogueError};

/// The catalogue of platforms that is used where a question has none, in TOML.
pub const BUILTIN_CATALOGUE: &str = BUILTIN;

/// Checks a catalogue, before a question with it is asked.
///
/// # Errors
/// When it is not well-formed; the message names line and column.
pub fn check_catalogue(toml: &str) -> Result<(), Error> {
    Ok(Catalogue::parse(toml).map(drop)?)
}

/// Checks a file of times, before a question with it is asked. `label` is what to call the file.
///
/// # Errors
/// When a line of it is malformed; the details name the line.
pub fn check_times(label: &str, text: &str) -> Result<(), Error> {
    times(label, text).map(drop)
}

/// A file of times, read.
pub(crate) fn times(label: &str, text: &str) -> Result<Times, Error> {
    Times::parse(label, text).map_err(|error| {
        Error::question("the file of times is malformed")
            .with_details(error.to_string())
            .with_hint("each line has a package and seconds: `dune 45.5`, `dune.3.20.0 41`, `* 5`")
    })
}

impl From<CatalogueError> for Error {
    fn from(error: CatalogueError) -> Self {
        let kind = match error {
            CatalogueError::UnknownCompiler(_) => ErrorKind::UnknownPackage,
            _ => ErrorKind::Question,
        };
        let made = Self::new(kind, error.to_string());
        match error {
            CatalogueError::Malformed(_) | CatalogueError::Dangling { .. } => {
                made.with_hint("`caravan platforms --toml` prints a catalogue that is well-formed")
            }
            _ => made.with_hint("`caravan platforms` lists platforms and sets of them"),
        }
    }
}
