//! Reads OBuilder's specs, and refuses what OBuilder refuses: a check of those that are written here.

use super::spec::{Mount, Op, Spec, User};
use std::iter::Peekable;
use std::str::CharIndices;

/// Why a text is no spec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {what}")]
pub struct GrammarError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

/// How deep lists may be nested.
const MAX_DEPTH: usize = 100;

/// An atom or list, and where it begins.
struct Node {
    at: usize,
    kind: NodeKind,
}

enum NodeKind {
    Atom(String),
    List(Vec<Node>),
}

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
#[error("at byte {at}: {what}")]
struct Fault {
    at: usize,
    what: String,
}

fn fault<T>(at: usize, what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { at, what: what.into() })
}

/// Reads a spec.
///
/// # Errors
/// When it is not one, with the place.
pub fn parse(text: &str) -> Result<Spec, GrammarError> {
    let read = || {
        let mut characters = text.char_indices().peekable();
        let node = node(&mut characters, text.len(), 0)?;
        blanks(&mut characters);
        match characters.peek() {
            Some((at, _)) => fault(*at, "there is something after the spec"),
            None => spec(&node, &[]),
        }
    };
    read().map_err(|Fault { at, what }| {
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        GrammarError { line, column, what }
    })
}

type Characters<'t> = Peekable<CharIndices<'t>>;

fn blanks(characters: &mut Characters<'_>) {
    while let Some((_, c)) = characters.peek() {
        if *c == ';' {
            while characters.next_if(|(_, c)| *c != '\n').is_some() {}
        } else if !c.is_whitespace() {
            return;
        } else {
            characters.next();
        }
    }
}

fn node(characters: &mut Characters<'_>, end: usize, depth: usize) -> Result<Node, Fault> {
    blanks(characters);
    let Some((at, first)) = characters.next() else {
        return fault(end, "the text ends here, but something is missing");
    };
    match first {
        '(' if depth >= MAX_DEPTH => fault(at, "too many lists in lists"),
        '(' => {
            let mut parts = Vec::new();
            loop {
                blanks(characters);
                match characters.peek() {
                    None => return fault(at, "this parenthesis is not closed"),
                    Some((_, ')')) => {
                        characters.next();
                        return Ok(Node { at, kind: NodeKind::List(parts) });
                    }
                    Some(_) => parts.push(node(characters, end, depth + 1)?),
                }
            }
        }
        ')' => fault(at, "this parenthesis closes nothing"),
        '"' => string(characters, at),
        first => {
            let mut text = String::from(first);
            let inside = |c: char| !c.is_whitespace() && !"()\";".contains(c);
            while let Some((_, c)) = characters.next_if(|(_, c)| inside(*c)) {
                text.push(c);
            }
            Ok(Node { at, kind: NodeKind::Atom(text) })
        }
    }
}

fn string(characters: &mut Characters<'_>, at: usize) -> Result<Node, Fault> {
    let mut text = String::new();
    while let Some((here, c)) = characters.next() {
        match c {
            '"' => return Ok(Node { at, kind: NodeKind::Atom(text) }),
            '\\' => match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, c @ ('"' | '\\' | '\''))) => text.push(c),
                Some((_, first)) if first.is_ascii_digit() => {
                    let mut digits = String::from(first);
                    while let Some((_, digit)) = characters.next_if(|(_, c)| digits.len() < 3 && c.is_ascii_digit()) {
                        digits.push(digit);
                    }
                    match digits.parse::<u8>() {
                        Ok(code) if digits.len() == 3 => text.push(char::from(code)),
                        _ => return fault(here, "an escape has three digits, up to 255"),
                    }
                }
                _ => return fault(here, "there is no such escape"),
            },
            c => text.push(c),
        }
    }
    fault(at, "this string is not closed")
}

impl Node {
    fn atom(&self) -> Result<&str, Fault> {
        match &self.kind {
            NodeKind::Atom(text) => Ok(text),
            NodeKind::List(_) => fault(self.at, "a word is expected here, not a list"),
        }
    }

    fn list(&self) -> Result<&[Node], Fault> {
        match &self.kind {
            NodeKind::List(parts) => Ok(parts),
            NodeKind::Atom(text) => fault(self.at, format!("a list is expected here, not `{text}`")),
        }
    }

    /// `(HEAD REST…)`
    fn tagged(&self) -> Result<(&str, &[Node]), Fault> {
        match self.list()? {
            [head, rest @ ..] => Ok((head.atom()?, rest)),
            [] => fault(self.at, "an empty list means nothing here"),
        }
    }
}

fn atoms(nodes: &[Node]) -> Result<Vec<String>, Fault> {
    nodes.iter().map(|node| Ok(node.atom()?.to_owned())).collect()
}

fn one<'n>(at: usize, head: &str, nodes: &'n [Node]) -> Result<&'n Node, Fault> {
    match nodes {
        [only] => Ok(only),
        _ => fault(at, format!("`{head}` has one argument")),
    }
}

/// `((build NAME SPEC)* (from BASE) OP*)`; `outer` are the builds that it may copy from already.
fn spec(node: &Node, outer: &[String]) -> Result<Spec, Fault> {
    let mut found = Spec::default();
    let mut known = outer.to_vec();
    let mut parts = node.list()?.iter();
    let base = loop {
        let Some(part) = parts.next() else { return fault(node.at, "a spec says what it is from: (from IMAGE)") };
        match part.tagged()? {
            ("build", [name, nested]) => {
                let name = name.atom()?.to_owned();
                if known.contains(&name) {
                    return fault(part.at, format!("there are two builds called `{name}`"));
                }
                found.nested.push((name.clone(), spec(nested, &known)?));
                known.push(name);
            }
            ("build", _) => return fault(part.at, "`build` has a name and a spec"),
            ("from", base) => break one(part.at, "from", base)?.atom()?,
            (other, _) => return fault(part.at, format!("`{other}` is expected after (from IMAGE)")),
        }
    };
    base.clone_into(&mut found.from);
    for part in parts {
        found.ops.push(op(part, &known)?);
    }
    Ok(found)
}

fn op(node: &Node, builds: &[String]) -> Result<Op, Fault> {
    let (head, rest) = node.tagged()?;
    let one_atom = || Ok::<_, Fault>(one(node.at, head, rest)?.atom()?.to_owned());
    Ok(match head {
        "comment" => Op::Comment(one_atom()?),
        "workdir" => Op::Workdir(one_atom()?),
        "shell" if !rest.is_empty() => Op::Shell(atoms(rest)?),
        "env" => match rest {
            [name, value] => Op::Env(name.atom()?.to_owned(), value.atom()?.to_owned()),
            _ => return fault(node.at, "`env` has a name and a value"),
        },
        "run" => run(node.at, rest)?,
        "copy" => copy(node.at, rest, builds)?,
        "user" => Op::User(user(node.at, rest)?),
        _ => return fault(node.at, format!("`{head}` is not a step")),
    })
}

fn mounts(nodes: &[Node], needs_target: bool) -> Result<Vec<Mount>, Fault> {
    let mount = |node: &Node| {
        let (name, rest) = node.tagged()?;
        let target = match rest {
            [] if !needs_target => None,
            [target] => match target.tagged()? {
                ("target", path) => Some(one(target.at, "target", path)?.atom()?.to_owned()),
                _ => return fault(target.at, "(target PATH) is expected here"),
            },
            _ => return fault(node.at, "(NAME (target PATH)) is expected here"),
        };
        Ok(Mount { name: name.to_owned(), target })
    };
    nodes.iter().map(mount).collect()
}

fn run(at: usize, nodes: &[Node]) -> Result<Op, Fault> {
    let (mut caches, mut network, mut secrets, mut command) = (None, None, None, None);
    for node in nodes {
        let (head, rest) = node.tagged()?;
        let twice = match head {
            "cache" => caches.replace(mounts(rest, true)?).is_some(),
            "network" => network.replace(atoms(rest)?).is_some(),
            "secrets" => secrets.replace(mounts(rest, false)?).is_some(),
            "shell" => command.replace(one(node.at, head, rest)?.atom()?.to_owned()).is_some(),
            _ => return fault(node.at, format!("`{head}` is not a part of `run`")),
        };
        if twice {
            return fault(node.at, format!("`{head}` is there twice"));
        }
    }
    let Some(command) = command else { return fault(at, "`run` has a command: (shell COMMAND)") };
    let (caches, network) = (caches.unwrap_or_default(), network.unwrap_or_default());
    Ok(Op::Run { caches, network, secrets: secrets.unwrap_or_default(), command })
}

fn copy(at: usize, nodes: &[Node], builds: &[String]) -> Result<Op, Fault> {
    let (mut from, mut sources, mut destination, mut exclude) = (None, None, None, None);
    for node in nodes {
        let (head, rest) = node.tagged()?;
        let twice = match head {
            "from" => match one(node.at, head, rest)?.tagged()? {
                ("build", name) => {
                    let name = one(node.at, "build", name)?.atom()?;
                    if !builds.iter().any(|build| build == name) {
                        return fault(node.at, format!("there is no build called `{name}` before this"));
                    }
                    from.replace(name.to_owned()).is_some()
                }
                _ => return fault(node.at, "(from (build NAME)) is expected here"),
            },
            "src" => sources.replace(atoms(rest)?).is_some(),
            "dst" => destination.replace(one(node.at, head, rest)?.atom()?.to_owned()).is_some(),
            "exclude" => exclude.replace(atoms(rest)?).is_some(),
            _ => return fault(node.at, format!("`{head}` is not a part of `copy`")),
        };
        if twice {
            return fault(node.at, format!("`{head}` is there twice"));
        }
    }
    let (Some(sources), Some(destination)) = (sources.filter(|all| !all.is_empty()), destination) else {
        return fault(at, "`copy` says what and where to: (src PATH…) (dst PATH)");
    };
    if sources.len() > 1 && !destination.ends_with('/') {
        return fault(at, "several files are copied to a directory: its name ends with `/`");
    }
    Ok(Op::Copy { from, sources, destination, exclude: exclude.unwrap_or_default() })
}

fn user(at: usize, nodes: &[Node]) -> Result<User, Fault> {
    let number = |node: &Node, wanted: &str| match node.tagged()? {
        (head, value) if head == wanted => {
            let value = one(node.at, head, value)?;
            value.atom()?.parse::<u32>().or_else(|_| fault(value.at, format!("`{wanted}` is a number")))
        }
        _ => fault(node.at, format!("({wanted} NUMBER) is expected here")),
    };
    match nodes {
        [uid, gid] => Ok(User::Unix { uid: number(uid, "uid")?, gid: number(gid, "gid")? }),
        [name] => match name.tagged()? {
            ("name", value) => Ok(User::Windows { name: one(name.at, "name", value)?.atom()?.to_owned() }),
            _ => fault(name.at, "(name USER) is expected here"),
        },
        _ => fault(at, "`user` has (uid N) and (gid N), or (name USER)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_obuilder_accepts() {
        let text = r#"
            ((build dev ((from ocaml/opam:debian) (run (shell "make \"all\"\n")))) ; a comment
             (from debian)
             (comment "a remark") (workdir /src) (shell /bin/bash -c) (env A "b c")
             (user (uid 1000) (gid 1000))
             (copy (src a b) (dst d/) (exclude .git))
             (copy (from (build dev)) (src /x) (dst /y))
             (run (cache (opam (target /c))) (network host) (secrets (key) (id (target /k))) (shell "true")))"#;
        let spec = parse(text).expect("it is well-formed");
        assert_eq!(spec.nested.len(), 1);
        assert_eq!(spec.ops.len(), 8);
        assert_eq!(parse(&spec.to_string()), Ok(spec));
    }

    #[test]
    fn what_it_refuses() {
        for (text, place, what) in [
            ("", (1, 1), "ends here"),
            ("((from a)", (1, 1), "not closed"),
            ("((from a)) x", (1, 12), "after the spec"),
            ("((run (shell x)))", (1, 2), "after (from IMAGE)"),
            ("()", (1, 1), "(from IMAGE)"),
            ("((from a)\n (fly away))", (2, 2), "not a step"),
            ("((from a) (run (network host)))", (1, 11), "has a command"),
            ("((from a) (run (shell a) (shell b)))", (1, 26), "twice"),
            ("((from a) (copy (src a b) (dst c)))", (1, 11), "ends with `/`"),
            ("((from a) (copy (from (build b)) (src a) (dst c)))", (1, 17), "no build called `b`"),
            ("((from a) (user (uid x) (gid 1)))", (1, 22), "is a number"),
            ("((from a) (run (cache (c)) (shell x)))", (1, 23), "(target PATH)"),
            (r#"((from "a\q"))"#, (1, 10), "no such escape"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!((error.line, error.column), place, "{text}: {error}");
            assert!(error.what.contains(what), "{text}: {error}");
        }
    }
}
