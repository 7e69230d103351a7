//! Universes: all that a package is built with, as ocaml-docs-ci names it.

use crate::builds::{BuildId, Builds};
use md5::{Digest, Md5};
use opam_parser::index::{Index, PackageId};
use rayon::prelude::*;
use std::fmt;

/// All that a package is built with, without itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Universe {
    /// MD5 of its packages, `NAME.VERSION`, sorted by their bytes, each with a newline.
    pub hash: [u8; 16],
    /// How many packages it has.
    pub size: usize,
}

/// What is built of a package: the package with its universe, under names that hold in every state of a
/// repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PackageInUniverse {
    /// `NAME.VERSION`
    package: String,
    universe: [u8; 16],
}

impl PackageInUniverse {
    /// A package of an index.
    pub(super) fn new(index: &Index, package: PackageId, universe: &Universe) -> Self {
        Self { package: index.package_text(package), universe: universe.hash }
    }
}

impl fmt::Display for Universe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The universe of each build.
pub(super) fn universes(index: &Index, builds: &Builds) -> Vec<Universe> {
    let lines = SortedLines::new(index);
    let universe = |search: &mut Search, build: usize| {
        let needed = search.needed(builds, build);
        let mut ranks: Vec<u32> =
            needed.iter().map(|build| lines.rank(builds.builds[*build as usize].package)).collect();
        ranks.sort_unstable();
        let mut hasher = Md5::new();
        ranks.iter().for_each(|rank| hasher.update(lines.line(*rank)));
        Universe { hash: hasher.finalize().into(), size: ranks.len() }
    };
    (0..builds.builds.len()).into_par_iter().map_init(Search::default, universe).collect()
}

/// For each package of an index its line, `NAME.VERSION` and a newline, sorted by its bytes.
struct SortedLines {
    /// By package.
    lines: Vec<String>,
    /// The packages' places in the order of their lines.
    order: Vec<u32>,
    /// For each package its rank in that order.
    ranks: Vec<u32>,
}

impl SortedLines {
    fn new(index: &Index) -> Self {
        let lines: Vec<String> = index.packages().map(|package| index.package_text(package) + "\n").collect();
        let mut order: Vec<u32> = index.packages().map(u32::from).collect();
        order.par_sort_unstable_by_key(|place| lines[*place as usize].as_str());
        let mut ranks = vec![0; lines.len()];
        (0..).zip(&order).for_each(|(rank, place)| ranks[*place as usize] = rank);
        Self { lines, order, ranks }
    }

    fn rank(&self, package: PackageId) -> u32 {
        self.ranks[package.place()]
    }

    fn line(&self, rank: u32) -> &str {
        &self.lines[self.order[rank as usize] as usize]
    }
}

/// A search through builds, which can be used again.
#[derive(Default)]
struct Search {
    /// For each build the number of the last search that met it, from 1.
    met_by: Vec<u32>,
    searches: u32,
    found: Vec<BuildId>,
}

impl Search {
    /// All that a build is built with, directly and through others, without itself.
    fn needed(&mut self, builds: &Builds, build: usize) -> &[BuildId] {
        self.met_by.resize(builds.builds.len(), 0);
        self.searches += 1;
        self.found.clear();
        self.add_needs(builds, build);
        let mut next = 0;
        while let Some(at) = self.found.get(next).copied() {
            next += 1;
            self.add_needs(builds, at as usize);
        }
        &self.found
    }

    fn add_needs(&mut self, builds: &Builds, build: usize) {
        for need in &builds.builds[build].needs {
            if std::mem::replace(&mut self.met_by[*need as usize], self.searches) != self.searches {
                self.found.push(*need);
            }
        }
    }
}
