//! `caravan list`

use super::row;
use crate::arguments::{Format, Global, List};
use crate::failure::{Failure, NO};
use crate::output::Output;
use crate::platform::one_platform;
use crate::session::Session;
use caravan_solver::View;
use caravan_solver::report::{PackageReport, variables};
use opam_parser::index::PackageId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    platform: BTreeMap<String, String>,
    packages: Vec<PackageReport>,
}

pub(crate) fn run(global: &Global, arguments: &List, output: &mut Output) -> Result<ExitCode, Failure> {
    let platform = one_platform(&arguments.platform)?;
    let session = Session::open(global, output)?;
    let index = &session.index;
    let view = View::new(index, &platform);
    let wanted = |name: &str| {
        arguments.patterns.is_empty()
            || arguments.patterns.iter().any(|pattern| matches(pattern.as_bytes(), name.as_bytes()))
    };
    let mut packages: Vec<PackageId> = index
        .names()
        .filter(|name| wanted(index.name(*name)))
        .flat_map(|name| index.versions_of(name))
        .filter(|package| arguments.all || view.is_available(*package))
        .collect();
    if !arguments.all_versions {
        packages = index.newest_of_each_name(&packages, |_| false);
    }
    let found = !packages.is_empty() || arguments.patterns.is_empty();
    if output.format == Format::Json {
        let packages = packages.into_iter().map(|package| PackageReport::new(index, package)).collect();
        output.json(&Answer { schema: "caravan.list/1", platform: variables(&platform), packages })?;
    } else {
        let rows: Vec<_> = packages.into_iter().map(|package| row(index, package)).collect();
        output.table(&rows)?;
    }
    Ok(if found { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}

/// Shell patterns on names, without regard to case: `*` and `?`.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
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
