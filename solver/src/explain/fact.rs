//! The facts that an explanation consists of.

use std::fmt;

/// One fact of a contradiction, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it says.
    pub statement: Statement,
    /// The opam file that says it; `None` for what was asked.
    pub origin: Option<Origin>,
}

/// The place that a fact is from. Where several versions say it, the newest of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `NAME.VERSION`
    pub package: String,
    /// The field of its opam file.
    pub field: &'static str,
    /// What to look for in the field: the other package, if there is one.
    pub mention: Option<String>,
}

/// What a fact says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Something was asked for.
    Asked {
        /// What: `ocaml = 5.4.1`
        package: String,
        /// Why nothing is that, if nothing is: no such version exists.
        but: Option<String>,
    },
    /// A package that was decided on before, where the versions of an answer are explained.
    Selected {
        /// What: `ocaml.5.4.1`
        package: String,
    },
    /// A package needs another.
    Requires {
        /// Who: `utop >= 2.0`
        package: String,
        /// What: `ocaml < 5.0`, or several joined by `or`.
        dependency: String,
        /// Why nothing is that, if nothing is: a name or version that does not exist.
        but: Option<String>,
    },
    /// A package cannot be with another.
    Conflicts {
        /// Who.
        package: String,
        /// With what.
        with: String,
    },
    /// Only one package of a class can be there.
    Class {
        /// Who.
        package: String,
        /// The class.
        class: String,
    },
    /// A package that contradicts itself.
    Impossible {
        /// Who.
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

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.statement {
            Statement::Asked { package, but } => {
                write!(f, "you asked for {package}")?;
                but.as_ref().map_or(Ok(()), |but| write!(f, ", {but}"))
            }
            Statement::Selected { package } => write!(f, "{package} is selected"),
            Statement::Requires { package, dependency, but } => {
                write!(f, "{package} requires {dependency}")?;
                but.as_ref().map_or(Ok(()), |but| write!(f, ", {but}"))
            }
            Statement::Conflicts { package, with } => write!(f, "{package} conflicts with {with}"),
            Statement::Class { package, class } => {
                write!(f, "{package} is in the conflict class `{class}`, which allows one package")
            }
            Statement::Impossible { package, reason } | Statement::Unavailable { package, reason } => {
                write!(f, "{package} {reason}")
            }
            Statement::Cycle { packages } => match packages.as_slice() {
                [one] => write!(f, "{one} wants to be installed before itself"),
                [first, ..] => {
                    write!(f, "each wants the next to be installed before it: {}, {first}", packages.join(", "))
                }
                [] => Ok(()),
            },
        }
    }
}
