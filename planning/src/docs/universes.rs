//! Universes: all that a package is built with, as ocaml-docs-ci names it.

use crate::builds::{BuildId, Builds};
use md5::{Digest, Md5};
use opam_parser::index::Index;
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

impl fmt::Display for Universe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The universe of each build.
pub(super) fn universes(index: &Index, builds: &Builds) -> Vec<Universe> {
    // Lines are put together by their place in the order of texts.
    let texts: Vec<String> = index.packages().map(|package| index.package_text(package) + "\n").collect();
    let mut order: Vec<u32> = (0..texts.len() as u32).collect();
    order.par_sort_unstable_by_key(|place| texts[*place as usize].as_str());
    let mut rank = vec![0u32; texts.len()];
    order.iter().enumerate().for_each(|(place, package)| rank[*package as usize] = place as u32);
    let universe = |(seen, found): &mut (Vec<BuildId>, Vec<BuildId>), build: usize| {
        // `seen` has the number of the last build that met each one.
        let stamp = build as BuildId + 1;
        seen.resize(builds.builds.len(), 0);
        found.clear();
        let mut next = 0;
        let mut add = |found: &mut Vec<BuildId>, of: BuildId| {
            for need in &builds.builds[of as usize].needs {
                if std::mem::replace(&mut seen[*need as usize], stamp) != stamp {
                    found.push(*need);
                }
            }
        };
        add(found, build as BuildId);
        while let Some(at) = found.get(next).copied() {
            next += 1;
            add(found, at);
        }
        let size = found.len();
        found.iter_mut().for_each(|build| *build = rank[builds.builds[*build as usize].package.place()]);
        found.sort_unstable();
        let mut hasher = Md5::new();
        found.iter().for_each(|place| hasher.update(&texts[order[*place as usize] as usize]));
        Universe { hash: hasher.finalize().into(), size }
    };
    (0..builds.builds.len()).into_par_iter().map_init(Default::default, universe).collect()
}
