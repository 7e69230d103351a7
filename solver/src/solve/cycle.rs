//! Packages that cannot be installed because each of them wants another to be there before it
//! (rules S10 and S11 of `docs/semantics.md`: `post` dependencies do not count, all others do).

use super::decisions::packages_on;
use crate::engine::Variable;
use crate::mask::Mask;
use crate::problem::Flags;
use crate::question::{PlatformPackage, PlatformQuestion, Question};
use crate::value::Value;
use opam_parser::index::{NameId, PackageId};

/// A cycle among the packages of an answer, if the question minds.
pub(crate) fn find(question: &Question<'_, '_>, decisions: &[(Variable, Value)]) -> Option<Vec<PlatformPackage>> {
    if !question.refuses_cycles {
        return None;
    }
    for (number, platform) in question.platforms.iter().enumerate() {
        let number = number as u8;
        let mut installed = packages_on(question, decisions, number);
        installed.sort_unstable();
        if let Some(cycle) = find_in(platform, &installed) {
            return Some(cycle.into_iter().map(|package| (number, package)).collect());
        }
    }
    None
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

/// A cycle in what must be installed before what. The packages are sorted.
pub(crate) fn find_in(platform: &PlatformQuestion<'_, '_>, installed: &[PackageId]) -> Option<Vec<PackageId>> {
    let before: Vec<Vec<u32>> = installed.iter().map(|package| before(platform, installed, *package)).collect();
    let mut marks = vec![Mark::New; installed.len()];
    // The path to where we are, and how many of each one's predecessors are behind.
    let mut path: Vec<(u32, usize)> = Vec::new();
    for start in 0..installed.len() {
        if marks[start] != Mark::New {
            continue;
        }
        path.push((start as u32, 0));
        marks[start] = Mark::Open;
        while let Some((place, next)) = path.last_mut() {
            let Some(predecessor) = before[*place as usize].get(*next).copied() else {
                marks[*place as usize] = Mark::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match marks[predecessor as usize] {
                Mark::Done => {}
                Mark::New => {
                    marks[predecessor as usize] = Mark::Open;
                    path.push((predecessor, 0));
                }
                Mark::Open => {
                    let cycle = path.iter().skip_while(|(place, _)| *place != predecessor);
                    return Some(cycle.map(|(place, _)| installed[*place as usize]).collect());
                }
            }
        }
    }
    None
}

/// The places of the installed packages that must be there before one.
fn before(platform: &PlatformQuestion<'_, '_>, installed: &[PackageId], package: PackageId) -> Vec<u32> {
    let view = platform.view;
    let index = view.index();
    let atoms = match platform.flags(package) {
        Some(flags) if flags != Flags::default() => &view.compile_before(package, view.flags(package, Some(flags))),
        _ => view.before(package),
    };
    let place = |(name, mask): &(NameId, Mask)| {
        let versions = index.package_range(*name);
        let place = versions.first_index_in(installed)?;
        mask.contains(versions.position(installed[place])?).then_some(place as u32)
    };
    atoms.iter().filter_map(place).collect()
}
