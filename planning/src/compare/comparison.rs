//! What can be installed on one platform of a matrix and not on another.

use super::matrix_platform::MatrixPlatform;
use opam_parser::index::PackageId;
use opam_parser::name::split_package;
use rustc_hash::FxHashMap;

/// Which rows of two matrices are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Those of one name: the latest versions may differ between commits.
    ByName,
    /// Those of one version.
    ByVersion,
}

/// What can be installed on one platform and not on the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Rows that can be installed on the first platform only, by their place in each matrix, in opam's order.
    pub lost: Vec<(usize, usize)>,
    /// Rows that can be installed on the second platform only.
    pub won: Vec<(usize, usize)>,
    /// How many rows can be installed on both.
    pub both: usize,
    /// How many on neither.
    pub neither: usize,
    /// How many are not told on one of them, or on both.
    pub not_told: usize,
    /// Rows that only the first has.
    pub gone: Vec<usize>,
    /// Rows that only the second has.
    pub new: Vec<usize>,
}

/// Compares two platforms.
pub fn compare(a: MatrixPlatform<'_, '_>, b: MatrixPlatform<'_, '_>, rows: Rows) -> Comparison {
    let key = |platform: MatrixPlatform<'_, '_>, package: PackageId| {
        let text = platform.index().package_text(package);
        match rows {
            Rows::ByVersion => text,
            Rows::ByName => split_package(&text).map_or_else(|| text.clone(), |(name, _)| name.to_string()),
        }
    };
    let theirs: FxHashMap<String, usize> =
        b.matrix.rows.iter().enumerate().map(|(place, package)| (key(b, *package), place)).collect();
    let mut found = Comparison::default();
    let mut matched = vec![false; b.matrix.rows.len()];
    for (place, package) in a.matrix.rows.iter().enumerate() {
        let Some(other) = theirs.get(&key(a, *package)) else {
            found.gone.push(place);
            continue;
        };
        matched[*other] = true;
        let (was, is) = (&a.cells()[place], &b.cells()[*other]);
        if was.not_told().or(is.not_told()).is_some() {
            found.not_told += 1;
            continue;
        }
        let (was, is) = (was.selection().is_some(), is.selection().is_some());
        match (was, is) {
            (true, false) => found.lost.push((place, *other)),
            (false, true) => found.won.push((place, *other)),
            (true, true) => found.both += 1,
            (false, false) => found.neither += 1,
        }
    }
    found.new = matched.iter().enumerate().filter(|(_, matched)| !**matched).map(|(place, _)| place).collect();
    found
}
