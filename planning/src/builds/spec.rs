//! OBuilder's specs: what is in them, and how they are written, `((build NAME SPEC)* (from BASE) STEP*)`.

use std::fmt;

/// A spec: what a build starts from, and what is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// Builds whose files later ones may copy, by name.
    pub nested: Vec<(String, Spec)>,
    /// The image.
    pub from: String,
    /// What is done, in order.
    pub ops: Vec<Op>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// A remark.
    Comment(String),
    /// Where later steps run.
    Workdir(String),
    /// What runs the commands of later steps.
    Shell(Vec<String>),
    /// A variable of the environment of later steps.
    Env(String, String),
    /// Runs a command.
    Run {
        /// Caches that it sees.
        caches: Vec<Mount>,
        /// Networks that it sees: `host`.
        network: Vec<String>,
        /// Secrets that it sees.
        secrets: Vec<Mount>,
        /// The command.
        command: String,
    },
    /// Copies files.
    Copy {
        /// From a nested build; `None`: from where the spec is run.
        from: Option<String>,
        /// Which.
        sources: Vec<String>,
        /// Where to.
        destination: String,
        /// Names that are left out.
        exclude: Vec<String>,
    },
    /// Who runs later steps.
    User(User),
}

/// A cache or secret, and where it appears.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount {
    /// Its name.
    pub name: String,
    /// The directory or file; only secrets have a default, `/run/secrets/NAME`.
    pub target: Option<String>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// By numbers, on Unix.
    Unix {
        /// The user.
        uid: u32,
        /// The group.
        gid: u32,
    },
    /// By name, on Windows.
    Windows {
        /// The user.
        name: String,
    },
}

/// An atom or a list of them.
enum Sexp {
    Atom(String),
    List(Vec<Sexp>),
}

fn atom(text: impl Into<String>) -> Sexp {
    Sexp::Atom(text.into())
}

fn list(head: &str, rest: impl IntoIterator<Item = Sexp>) -> Sexp {
    Sexp::List(std::iter::once(atom(head)).chain(rest).collect())
}

fn mounts(head: &str, mounts: &[Mount]) -> Option<Sexp> {
    let mount = |mount: &Mount| {
        let target = mount.target.iter().map(|target| list("target", [atom(target)]));
        list(&mount.name, target)
    };
    (!mounts.is_empty()).then(|| list(head, mounts.iter().map(mount)))
}

impl Op {
    fn sexp(&self) -> Sexp {
        match self {
            Op::Comment(text) => list("comment", [atom(text)]),
            Op::Workdir(path) => list("workdir", [atom(path)]),
            Op::Shell(arguments) => list("shell", arguments.iter().map(atom)),
            Op::Env(name, value) => list("env", [atom(name), atom(value)]),
            Op::Run { caches, network, secrets, command } => {
                let network = (!network.is_empty()).then(|| list("network", network.iter().map(atom)));
                let parts = [mounts("cache", caches), network, mounts("secrets", secrets)];
                list("run", parts.into_iter().flatten().chain([list("shell", [atom(command)])]))
            }
            Op::Copy { from, sources, destination, exclude } => {
                let from = from.iter().map(|from| list("from", [list("build", [atom(from)])]));
                let exclude = (!exclude.is_empty()).then(|| list("exclude", exclude.iter().map(atom)));
                let paths = [list("src", sources.iter().map(atom)), list("dst", [atom(destination)])];
                list("copy", from.chain(paths).chain(exclude))
            }
            Op::User(User::Unix { uid, gid }) => {
                list("user", [list("uid", [atom(uid.to_string())]), list("gid", [atom(gid.to_string())])])
            }
            Op::User(User::Windows { name }) => list("user", [list("name", [atom(name)])]),
        }
    }
}

/// One step a line, nested builds indented.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_spec(f, self, 0)?;
        f.write_str("\n")
    }
}

fn write_spec(f: &mut fmt::Formatter<'_>, spec: &Spec, indent: usize) -> fmt::Result {
    f.write_str("(")?;
    let mut first = true;
    let mut line = |f: &mut fmt::Formatter<'_>| {
        if std::mem::take(&mut first) { Ok(()) } else { write!(f, "\n{:indent$}", "", indent = indent + 1) }
    };
    for (name, nested) in &spec.nested {
        line(f)?;
        write!(f, "(build {}\n{:indent$}", atom(name), "", indent = indent + 2)?;
        write_spec(f, nested, indent + 2)?;
        f.write_str(")")?;
    }
    line(f)?;
    write!(f, "{}", list("from", [atom(&spec.from)]))?;
    for op in &spec.ops {
        line(f)?;
        write!(f, "{}", op.sexp())?;
    }
    f.write_str(")")
}

impl fmt::Display for Sexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sexp::Atom(text) => {
                let special = |c: char| c.is_whitespace() || c.is_control() || "()\";\\|#".contains(c);
                if !text.is_empty() && !text.contains(special) {
                    return f.write_str(text);
                }
                // Strings are OCaml's: decimal escapes of three digits.
                f.write_str("\"")?;
                for c in text.chars() {
                    match c {
                        '"' | '\\' => write!(f, "\\{c}")?,
                        '\n' => f.write_str("\\n")?,
                        '\t' => f.write_str("\\t")?,
                        '\r' => f.write_str("\\r")?,
                        c if c.is_ascii_control() => write!(f, "\\{:03}", c as u32)?,
                        c => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"")
            }
            Sexp::List(parts) => {
                f.write_str("(")?;
                for (place, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if place > 0 { " " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}
