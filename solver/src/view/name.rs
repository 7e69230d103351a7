//! What a platform has of a package name.

use super::reader::Reader;
use crate::mask::Mask;
use opam_parser::file::Flags as OpamFlags;
use opam_parser::index::{NameId, PackageId};
use std::sync::OnceLock;

/// What the platform allows of a name.
#[derive(Clone, Debug)]
pub struct NameView {
    /// Versions whose `available` is true (rules S14 to S17).
    pub available: Mask,
    /// Those of them that the dialect avoids: `avoid-version` and, in opam's, `deprecated`.
    pub avoided: Mask,
    /// It stands for something of the system: flag `conf` or a name that begins with `conf-`.
    pub conf: bool,
    /// It is `ocaml` or some version of it has the flag `compiler`.
    pub compiler: bool,
    by_revision: OnceLock<Option<Box<[usize]>>>,
}

impl NameView {
    pub(super) fn new(reader: &Reader<'_>, name: NameId) -> Self {
        let versions = reader.index.versions_of(name);
        let text = reader.index.name(name);
        let mut view = Self {
            available: Mask::empty(versions.len()),
            avoided: Mask::empty(versions.len()),
            conf: text.starts_with("conf-"),
            compiler: text == "ocaml",
            by_revision: OnceLock::new(),
        };
        for (position, package) in versions.enumerate() {
            let flags = reader.index.flags(package);
            view.conf |= flags.intersects(OpamFlags::CONF) && text != "ocaml";
            view.compiler |= flags.intersects(OpamFlags::COMPILER);
            if reader.is_available(package) {
                view.available.insert(position);
                if reader.is_avoided(package) {
                    view.avoided.insert(position);
                }
            }
        }
        view
    }

    /// The positions of the name's versions, oldest first, but of versions that differ only in their
    /// packaging (`4.08.1` and `4.08.1-1`) the newest first; `None` where there are no such versions.
    pub(super) fn by_revision(&self, reader: &Reader<'_>, name: NameId) -> Option<&[usize]> {
        let made = self.by_revision.get_or_init(|| {
            let index = reader.index;
            let packages: Vec<PackageId> = index.versions_of(name).collect();
            let upstream = |package: &PackageId| without_revision(index.version(index.package_version(*package)));
            let groups = packages.chunk_by(|a, b| upstream(a) == upstream(b));
            if groups.clone().all(|group| group.len() == 1) {
                return None;
            }
            let newest_first = groups.flat_map(|group| group.iter().rev());
            Some(newest_first.map(|package| index.version_position(*package)).collect())
        });
        made.as_deref()
    }
}

/// A version without the number of its packaging.
fn without_revision(version: &str) -> &str {
    match version.rsplit_once('-') {
        Some((upstream, revision)) if revision.bytes().all(|b| b.is_ascii_digit()) => upstream,
        _ => version,
    }
}
