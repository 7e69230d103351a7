//! How opam-monorepo's lock files are written.

use super::quote::quoted;
use caravan_solver::problem::Pin;
use opam_parser::file::{HashKind, OpamFile};
use opam_parser::syntax::parse_file;
use opam_parser::syntax::print::print;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The archive of a vendored package, and the directory that it is put in.
pub(super) struct Archive {
    pub(super) directory: String,
    pub(super) url: String,
}

/// What a lock file says.
#[derive(Default)]
pub(super) struct LockContent {
    /// The elements of `depends`, each on a line.
    depends: String,
    /// The elements of `pin-depends`, each on a line.
    pins: String,
    /// For each directory the archive, and its checksums as opam files write them.
    directories: BTreeMap<String, (String, BTreeSet<String>)>,
    /// The elements of `depexts`, each once.
    depexts: Vec<String>,
}

impl LockContent {
    /// Adds the system packages that an opam file names.
    pub(super) fn add_depexts(&mut self, file: &OpamFile) {
        for depext in &file.depexts {
            let names: Vec<String> = depext.packages.iter().map(|name| quoted(name)).collect();
            let text = format!("[{}] {{{}}}", names.join(" "), depext.filter);
            if !self.depexts.contains(&text) {
                self.depexts.push(text);
            }
        }
    }

    /// Adds a package that is not vendored.
    pub(super) fn add(&mut self, name: &str, version: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.depends, "\"{name}\" {{= \"{version}\"}}");
    }

    /// Adds a package that is vendored; its opam file has the checksums.
    pub(super) fn add_vendored(&mut self, name: &str, version: &str, archive: Archive, file: &OpamFile) {
        let Archive { directory, url } = archive;
        let _ = writeln!(self.depends, "\"{name}\" {{= \"{version}\" & ?vendor}}");
        let _ = writeln!(self.pins, "[\"{name}.{version}\" {}]", quoted(url.as_bytes()));
        let checksums = file.url.iter().flat_map(|url| &url.checksums).map(|checksum| {
            let kind = match checksum.kind {
                HashKind::Md5 => "md5",
                HashKind::Sha256 => "sha256",
                HashKind::Sha512 => "sha512",
            };
            format!("\"{kind}={}\"", checksum.hex)
        });
        self.directories.entry(directory).or_insert_with(|| (url, BTreeSet::new())).1.extend(checksums);
    }

    /// The lock file of a project's packages, in opam's normal style.
    pub(super) fn text(&self, packages: &[Pin]) -> String {
        let mut text = format!(
            "opam-version: \"2.0\"\nsynopsis: \"opam-monorepo generated lockfile\"\nmaintainer: \"opam-monorepo\"\n\
             depends: [{}]\n",
            self.depends
        );
        if !self.depexts.is_empty() {
            let _ = writeln!(text, "depexts: [{}]", self.depexts.join("\n"));
        }
        let _ = writeln!(text, "pin-depends: [{}]", self.pins);
        let directories = self.directories.iter().map(|(directory, (url, checksums))| {
            let checksums: Vec<&str> = checksums.iter().map(String::as_str).collect();
            let checksums = if checksums.is_empty() { String::new() } else { format!("[{}]", checksums.join(" ")) };
            format!("[{} {} {checksums}]", quoted(url.as_bytes()), quoted(directory.as_bytes()))
        });
        let _ = writeln!(text, "x-opam-monorepo-duniverse-dirs: [{}]", directories.collect::<Vec<_>>().join("\n"));
        let own: Vec<String> = packages.iter().map(|pin| format!("\"{}\"", pin.name)).collect();
        let _ = writeln!(text, "x-opam-monorepo-root-packages: [{}]", own.join(" "));
        let _ = writeln!(text, "x-opam-monorepo-version: \"0.3\"");
        let (tree, _) = parse_file(text.as_bytes());
        String::from_utf8_lossy(&print(&tree)).into_owned()
    }
}
