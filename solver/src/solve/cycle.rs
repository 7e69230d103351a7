//! Packages that cannot be installed because each of them wants another to be there before it
//! (semantics sheet, rules S10 and S11: `post` dependencies do not count, all others do).

use super::search::{Placed, packages};
use crate::engine::Var;
use crate::question::{Question, Side};
use crate::view::View;
use opam_parser::index::PackageId;

/// A circle among the packages of an answer, if the question minds.
pub(crate) fn find(question: &Question<'_, '_>, decisions: &[(Var, u32)]) -> Option<Vec<Placed>> {
    if !question.refuses_cycles {
        return None;
    }
    for (number, side) in question.sides.iter().enumerate() {
        let number = number as u8;
        let ours = packages(question, decisions).filter(|(of, _)| *of == number);
        let mut installed: Vec<PackageId> = ours.map(|(_, package)| package).collect();
        installed.sort_unstable();
        let found = circle(side, &installed);
        if let Some(circle) = found {
            return Some(circle.into_iter().map(|package| (number, package)).collect());
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

/// A circle in what must be installed before what. The packages are sorted.
pub(super) fn circle(side: &Side<'_, '_>, installed: &[PackageId]) -> Option<Vec<PackageId>> {
    let before: Vec<Vec<u32>> = installed.iter().map(|package| before(side, installed, *package)).collect();
    let mut marks = vec![Mark::New; installed.len()];
    // The way to where we are, and how many of each one's predecessors are behind.
    let mut way: Vec<(u32, usize)> = Vec::new();
    for start in 0..installed.len() {
        if marks[start] != Mark::New {
            continue;
        }
        way.push((start as u32, 0));
        marks[start] = Mark::Open;
        while let Some((place, next)) = way.last_mut() {
            let Some(predecessor) = before[*place as usize].get(*next).copied() else {
                marks[*place as usize] = Mark::Done;
                way.pop();
                continue;
            };
            *next += 1;
            match marks[predecessor as usize] {
                Mark::Done => {}
                Mark::New => {
                    marks[predecessor as usize] = Mark::Open;
                    way.push((predecessor, 0));
                }
                Mark::Open => {
                    let circle = way.iter().skip_while(|(place, _)| *place != predecessor);
                    return Some(circle.map(|(place, _)| installed[*place as usize]).collect());
                }
            }
        }
    }
    None
}

/// The places of the installed packages that must be there before one.
fn before(side: &Side<'_, '_>, installed: &[PackageId], package: PackageId) -> Vec<u32> {
    let view: &View<'_> = side.view;
    let index = view.index();
    let atoms = match side.flags(package) {
        Some(flags) if flags != Default::default() => &view.compile_before(package, view.flags(package, Some(flags))),
        _ => view.before(package),
    };
    let place = |(name, mask): &(opam_parser::index::NameId, crate::mask::Mask)| {
        let range = index.package_range(*name);
        let place = installed.partition_point(|other| other.0 < range.start);
        let found = installed.get(place).filter(|other| other.0 < range.end)?;
        mask.contains((found.0 - range.start) as usize).then_some(place as u32)
    };
    atoms.iter().filter_map(place).collect()
}
