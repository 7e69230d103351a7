//! Facts that exclude something, and what would help: shared by several kinds of answers.

use caravan_solver::explain;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One fact of a contradiction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fact {
    /// What it says.
    #[serde(flatten)]
    pub statement: Statement,
    /// The opam file that says it; of several versions that do, the newest's. Not there for what was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The line that says it, in the later state of a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Where a fact is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Origin {
    /// `NAME.VERSION`
    pub package: String,
    /// The field of its opam file.
    pub field: String,
    /// The file, line and field, if somebody wanted to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// A line of an opam file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place {
    /// The file's path in its repository.
    pub file: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What a fact says. Packages are texts for people: a name, and constraints as the opam file has them, or that cover
/// the versions meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Statement {
    /// Something was asked for.
    Asked {
        /// What: `ocaml = 5.4.1`
        package: String,
        /// Why nothing is that, if nothing is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        but: Option<String>,
    },
    /// A package that was decided on before, where the versions of an answer are explained.
    Selected {
        /// What: `ocaml.5.4.1`
        package: String,
    },
    /// A package needs another.
    Requires {
        /// Which package: `utop >= 2.0`
        package: String,
        /// What it needs: `ocaml < 5.0`, or several joined by `or`.
        dependency: String,
        /// Why nothing is that, if nothing is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        but: Option<String>,
    },
    /// A package cannot be with another.
    Conflicts {
        /// Which package.
        package: String,
        /// With what.
        with: String,
    },
    /// Only one package of a conflict class can be there.
    Class {
        /// Which package.
        package: String,
        /// The class.
        class: String,
    },
    /// A package that contradicts itself.
    Impossible {
        /// Which package.
        package: String,
        /// How.
        reason: String,
    },
    /// Versions that cannot be chosen on this platform.
    Unavailable {
        /// Which: `conf-mingw = 1`
        package: String,
        /// Why: `is not available on this platform: os = "win32"`
        reason: String,
    },
    /// Packages each of which wants the next to be installed before it, and the last the first.
    Cycle {
        /// `NAME.VERSION` of each.
        packages: Vec<String>,
    },
}

impl From<&explain::Statement> for Statement {
    fn from(statement: &explain::Statement) -> Self {
        use explain::Statement as From;
        match statement.clone() {
            From::Asked { package, but } => Self::Asked { package, but },
            From::Selected { package } => Self::Selected { package },
            From::Requires { package, dependency, but } => Self::Requires { package, dependency, but },
            From::Conflicts { package, with } => Self::Conflicts { package, with },
            From::Class { package, class } => Self::Class { package, class },
            From::Impossible { package, reason } => Self::Impossible { package, reason },
            From::Unavailable { package, reason } => Self::Unavailable { package, reason },
            From::Cycle { packages } => Self::Cycle { packages },
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked { package, but } => {
                write!(f, "you asked for {package}")?;
                but.as_ref().map_or(Ok(()), |but| write!(f, ", {but}"))
            }
            Self::Selected { package } => write!(f, "{package} is selected"),
            Self::Requires { package, dependency, but } => {
                write!(f, "{package} requires {dependency}")?;
                but.as_ref().map_or(Ok(()), |but| write!(f, ", {but}"))
            }
            Self::Conflicts { package, with } => write!(f, "{package} conflicts with {with}"),
            Self::Class { package, class } => {
                write!(f, "{package} is in the conflict class `{class}`, which allows one package")
            }
            Self::Impossible { package, reason } | Self::Unavailable { package, reason } => {
                write!(f, "{package} {reason}")
            }
            Self::Cycle { packages } => match packages.as_slice() {
                [one] => write!(f, "{one} wants to be installed before itself"),
                [first, ..] => {
                    write!(f, "each wants the next to be installed before it: {}, {first}", packages.join(", "))
                }
                [] => Ok(()),
            },
        }
    }
}

impl From<&explain::Fact> for Fact {
    /// With its words, without places.
    fn from(fact: &explain::Fact) -> Self {
        let origin = |origin: &explain::Origin| Origin {
            package: origin.package.clone(),
            field: origin.field.to_owned(),
            place: None,
        };
        Self {
            statement: (&fact.statement).into(),
            origin: fact.origin.as_ref().map(origin),
            text: Some(fact.to_string()),
            place: None,
        }
    }
}

impl Fact {
    /// Whether it only repeats what was asked for, which is known.
    pub fn is_only_asked(&self) -> bool {
        matches!(self.statement, Statement::Asked { but: None, .. })
    }
}

/// A change to a request that alone gives it an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Hint {
    /// Another version of a package that was asked for in a version.
    OtherVersion {
        /// The package.
        name: String,
        /// The version in that answer.
        version: String,
    },
    /// Not asking for something.
    Without {
        /// What: `tests`, `documentation`, `development tools`, or a package.
        what: String,
    },
    /// Allowing versions to avoid.
    Avoided {
        /// `NAME.VERSION` of those in that answer.
        packages: Vec<String>,
    },
}

impl From<&explain::Hint> for Hint {
    fn from(hint: &explain::Hint) -> Self {
        match hint.clone() {
            explain::Hint::OtherVersion { name, version } => Self::OtherVersion { name, version },
            explain::Hint::Without { what } => Self::Without { what },
            explain::Hint::Avoided { packages } => Self::Avoided { packages },
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherVersion { name, version } => write!(f, "it works with {name} {version}"),
            Self::Without { what } => write!(f, "it works without {what}"),
            Self::Avoided { packages } => write!(f, "it works if {} may be used", packages.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fact;
    use caravan_solver::explain;

    /// Answers that are read from JSON have statements only, and say the same in words.
    #[test]
    fn statements_have_the_words_of_the_solver() {
        use explain::Statement as Of;
        let [package, with, class] = ["a >= 1", "b", "c"].map(str::to_owned);
        let reason = "does not exist".to_owned();
        let but = Some(reason.clone());
        for statement in [
            Of::Asked { package: package.clone(), but: None },
            Of::Asked { package: package.clone(), but: but.clone() },
            Of::Selected { package: package.clone() },
            Of::Requires { package: package.clone(), dependency: with.clone(), but: None },
            Of::Requires { package: package.clone(), dependency: with.clone(), but },
            Of::Conflicts { package: package.clone(), with: with.clone() },
            Of::Class { package: package.clone(), class },
            Of::Impossible { package: package.clone(), reason: reason.clone() },
            Of::Unavailable { package: package.clone(), reason },
            Of::Cycle { packages: vec![] },
            Of::Cycle { packages: vec![package.clone()] },
            Of::Cycle { packages: vec![package, with] },
        ] {
            let fact = explain::Fact { statement, origin: None };
            let own = Fact::from(&fact);
            assert_eq!(own.statement.to_string(), fact.to_string());
            let json = serde_json::to_string(&own).unwrap();
            let read: Fact = serde_json::from_str(&json).unwrap();
            assert_eq!(read, own, "{json}");
        }
    }
}
