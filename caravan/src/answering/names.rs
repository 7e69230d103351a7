//! Names, versions and patterns of a question, looked up in a repository.

use crate::error::{Error, ErrorKind};
use crate::observer::Observer;
use crate::question::Text;
use crate::repository::{Repository, name_in, newest_in};
use caravan_revdeps::PackageSet;
use caravan_solver::compiler::compiler;
use caravan_solver::problem::Universe;
use caravan_solver::{Request, Setting};
use opam_parser::atom::Atom;
use opam_parser::index::{FileId, Found, Index, NameId, PackageId};
use opam_parser::syntax::RelOp;

/// The settings for several platforms; that of the question if there are none.
pub(super) fn settings(setting: &Setting, platforms: &[caravan_solver::Platform]) -> Vec<Setting> {
    match platforms {
        [] => vec![setting.clone()],
        platforms => {
            platforms.iter().map(|platform| Setting { platform: platform.clone(), ..setting.clone() }).collect()
        }
    }
}

/// The packages of a repository together with the pins of a setting.
pub(super) fn universe<'r>(repository: &'r Repository, setting: &Setting) -> Result<Universe<'r>, Error> {
    setting.index(&[repository.index()]).map_err(|error| {
        Error::new(ErrorKind::BrokenFile, error.to_string()).with_hint("mend the file; `caravan parse` checks it")
    })
}

/// A request for what is installed already: the compiler that was named.
pub(super) fn installed(index: &Index, ocaml: Option<&String>) -> Result<Request, Error> {
    let root = ocaml.map(|ocaml| compiler(index, ocaml)).transpose()?;
    Ok(Request { roots: root.into_iter().collect(), ..Request::default() })
}

/// The versions that an atom names in an index, which is that of the repository, perhaps with pins; there must be one.
pub(super) fn versions(
    repository: &Repository,
    index: &Index,
    atom: &Atom,
    observer: &dyn Observer,
) -> Result<PackageSet, Error> {
    let name = name_in(index, atom.name.as_str())?;
    let Some((op, wanted)) = &atom.constraint else { return Ok(PackageSet::of(index, name, |_| true)) };
    let targets = PackageSet::of_atom(index, name, atom);
    if targets.packages(index).next().is_some() {
        return Ok(targets);
    }
    if *op == RelOp::Eq
        && let Some(file) = broken(repository, index, name, Some(wanted.as_str()))
    {
        return Err(repository.broken(file, observer));
    }
    let wanted = match op {
        RelOp::Eq => wanted.to_string(),
        op => format!("{} {wanted}", op.as_str()),
    };
    Err(Error::unknown_version(index.name(name), &wanted, &newest_in(index, name)))
}

/// The broken file of a version of a name, or of any version: its id in the repository. `None` if there is none in the
/// index, which is that of the repository, perhaps with pins, which hide what the repository has of their names.
pub(super) fn broken(repository: &Repository, index: &Index, name: NameId, version: Option<&str>) -> Option<FileId> {
    let find = |index: &Index, name: NameId| match version {
        None => index.broken_files().find(|file| index.file_name(*file) == name),
        Some(version) => match index.find(name, version)? {
            Found::Broken(file) => Some(file),
            Found::Package(_) => None,
        },
    };
    find(index, name)?;
    find(repository.index(), repository.index().find_name(index.name(name))?)
}

/// The versions that several atoms name; each must name one.
pub(super) fn targets(
    repository: &Repository,
    index: &Index,
    atoms: &[Text<Atom>],
    observer: &dyn Observer,
) -> Result<PackageSet, Error> {
    let mut found = PackageSet::default();
    for Text(atom) in atoms {
        found.extend(versions(repository, index, atom, observer)?);
    }
    Ok(found)
}

/// The same, in opam's order.
pub(super) fn packages(
    repository: &Repository,
    index: &Index,
    atoms: &[Text<Atom>],
    observer: &dyn Observer,
) -> Result<Vec<PackageId>, Error> {
    Ok(targets(repository, index, atoms, observer)?.packages(index).collect())
}

/// The opam file of a version. `None` if no repository has it, as that of a pinned package.
pub(super) fn file(repository: &Repository, setting: &Setting, name: &str, version: &str) -> Option<FileId> {
    if setting.pins.iter().any(|pin| pin.name.as_str() == name) {
        return None;
    }
    let index = repository.index();
    let found = index.find_package(index.find_name(name)?, version)?;
    Some(index.package_file(found))
}

/// Whether a name matches one of some patterns, without regard to case: `*` is any characters, `?` any one. Every
/// name matches where there is no pattern.
pub(super) fn matches_any(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern.as_bytes(), name.as_bytes()))
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where to go on after the last star took one more character.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(b'?') => (p, n) = (p + 1, n + 1),
            Some(c) if c.eq_ignore_ascii_case(&name[n]) => (p, n) = (p + 1, n + 1),
            _ => match star {
                None => return false,
                Some((after, taken)) => {
                    star = Some((after, taken + 1));
                    (p, n) = (after, taken + 1);
                }
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        };
        check("utop", "utop", true);
        check("utop", "utop-full", false);
        check("ppx_*", "ppx_deriving", true);
        check("*lwt*", "cohttp-lwt-unix", true);
        check("*a*b", "xaxbxb", true);
        check("*a*b", "xaxbxc", false);
        check("???", "fmt", true);
        check("??", "fmt", false);
        check("omd*", "OMD", true);
        check("", "x", false);
        check("**", "", true);
    }
}
