//! Names of builds that stay the same as long as nothing changes that concerns them.

use super::graph::Builds;
use opam_parser::index::{Index, PackageId};
use std::fmt;
use xxhash_rust::xxh3::Xxh3Default;

/// A build's name: a hash of the platform, of the package with all of its opam file that matters, and of
/// the keys of what it is built with. Not for those who must fear forgery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u128);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The keys of builds, in their order. `platforms` says what makes each platform what it is, such as its
/// image; `fingerprint` is of a package's opam file.
pub fn keys(builds: &Builds, index: &Index, platforms: &[String], fingerprint: &dyn Fn(PackageId) -> u128) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::with_capacity(builds.builds.len());
    for build in &builds.builds {
        let mut hasher = Xxh3Default::new();
        let mut text = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        text(platforms.get(build.platform).map_or("", String::as_str));
        text(index.name(index.package_name(build.package)));
        text(index.version(index.package_version(build.package)));
        let flags = build.flags;
        hasher.update(&[u8::from(flags.with_test), u8::from(flags.with_doc), u8::from(flags.with_dev_setup)]);
        hasher.update(&fingerprint(build.package).to_le_bytes());
        let mut needs: Vec<u128> = build.needs.iter().map(|need| keys[*need as usize].0).collect();
        needs.sort_unstable();
        needs.iter().for_each(|need| hasher.update(&need.to_le_bytes()));
        keys.push(Key(hasher.digest128()));
    }
    keys
}
