//! Archives that were made to do harm, or are not whole.

use caravan_tests::git::opam;
use flate2::Compression;
use flate2::write::GzEncoder;
use opam_parser::index::Index;
use opam_parser::source::archive::ArchiveSource;
use std::io::{self, Read, Write};
use std::path::Path;

fn packages(index: &Index) -> Vec<String> {
    index.packages().map(|package| index.package_text(package)).collect()
}

fn unread(index: &Index) -> Vec<String> {
    index.unread().map(|(_, unread)| format!("{} {}", unread.path, unread.reason)).collect()
}

/// Makes archives, sound ones and others.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn header(mut self, path: &str, kind: u8, size: usize) -> Self {
        let mut header = [0; 512];
        header[..path.len().min(100)].copy_from_slice(&path.as_bytes()[..path.len().min(100)]);
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        header[148..156].copy_from_slice(b"        ");
        header[156] = kind;
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.0.extend(header);
        self
    }

    fn entry(mut self, path: &str, kind: u8, data: &[u8]) -> Self {
        self = self.header(path, kind, data.len());
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn package(self, package: &str) -> Self {
        let name = package.split('.').next().unwrap();
        self.entry(&format!("packages/{name}/{package}/opam"), b'0', opam("").as_bytes())
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::fast());
    file.write_all(bytes).unwrap();
    file.finish().unwrap()
}

fn archive(bytes: &[u8]) -> Result<Index, String> {
    let source = ArchiveSource::read(Path::new("repo.tar.gz"), bytes).map_err(|error| error.to_string())?;
    Index::read(&source).map_err(|error| error.to_string())
}

#[test]
fn an_archive_whose_checksum_is_wrong() {
    let sound = gzip(&Tar::default().package("ok.1").end());
    assert_eq!(packages(&archive(&sound).unwrap()), ["ok.1"]);
    for place in 1..=8 {
        let mut altered = sound.clone();
        let at = altered.len() - place;
        altered[at] ^= 1;
        assert!(archive(&altered).unwrap_err().contains("matching checksum"), "{place}");
    }
    assert!(archive(&sound[..sound.len() - 4]).is_err());
    // Members one after the other, and zeros after them, are what gzip takes, too; other bytes are not.
    let bytes = Tar::default().package("a.1").package("b.1").end();
    let members = [gzip(&bytes[..700]), gzip(&bytes[700..]), vec![0; 1000]].concat();
    assert_eq!(packages(&archive(&members).unwrap()), ["a.1", "b.1"]);
    let trailing = [&*sound, &b"and more"[..]].concat();
    assert!(archive(&trailing).unwrap_err().contains("something that is not gzip follows its end"));
}

#[test]
fn an_archive_that_ends_between_two_files() {
    let cut = Tar::default().package("a.1").0;
    for bytes in [cut.clone(), gzip(&cut)] {
        let said = archive(&bytes).unwrap_err();
        assert!(said.contains("ends between two files, without the mark that is at the end"), "{said}");
    }
    assert!(archive(&cut[..1000]).is_err());
}

#[test]
fn archives_that_are_bombs() {
    let refused = |bytes: &mut dyn Read| ArchiveSource::read(Path::new("repo.tar"), bytes).err().unwrap().to_string();
    // A file that nobody wants.
    let start = Tar::default().package("ok.1").header("packages/x/x.1/files/zeros", b'0', 2 << 30).0;
    let said = refused(&mut (&*start).chain(io::repeat(0)));
    assert_eq!(said, "`repo.tar` unpacks to more than 1024 MiB, which is the limit");
    // Opam files that are each small enough.
    let mut bomb: Box<dyn Read> = Box::new(io::empty());
    for version in 0..40 {
        let header = Tar::default().header(&format!("packages/x/x.{version}/opam"), b'0', 8 << 20).0;
        bomb = Box::new(bomb.chain(io::Cursor::new(header)).chain(io::repeat(b'#').take(8 << 20)));
    }
    let said = refused(&mut bomb);
    assert_eq!(said, "`repo.tar` has more than 256 MiB of opam files, which is the limit");
}

#[test]
fn long_names_in_archives_cost_only_themselves() {
    let long = "x".repeat(100_000);
    let pax = format!("{} path={long}\n", long.len() + 14);
    let record = |path: &str| {
        let length = path.len() + 9;
        format!("{} path={path}\n", length + if length > 97 { 1 } else { 0 })
    };
    let text = opam("");
    let bytes = Tar::default()
        .entry("././@LongLink", b'L', long.as_bytes())
        .entry("packages/gnu/gnu.1/opam", b'0', text.as_bytes())
        .entry("PaxHeaders/x", b'x', pax.as_bytes())
        .entry("packages/pax/pax.1/opam", b'0', text.as_bytes())
        .entry("PaxHeaders/y", b'x', b"garbage")
        .entry("packages/damaged/damaged.1/opam", b'0', text.as_bytes())
        .entry("././@LongLink", b'L', b"packages/a/a.1/opam\0")
        .entry("packages/cut", b'0', text.as_bytes())
        .entry("PaxHeaders/z", b'x', record("packages/b/b.1/opam").as_bytes())
        .entry("packages/cut", b'0', text.as_bytes())
        .entry("packages/../../x/x.1/opam", b'0', text.as_bytes())
        .entry(&format!("packages/{}/y.1/opam", ["d"; 40].join("/")), b'0', text.as_bytes())
        .package("ok.1")
        .end();
    let index = archive(&bytes).unwrap();
    assert_eq!(packages(&index), ["a.1", "b.1", "ok.1"]);
    let unread = unread(&index);
    for expected in [
        "packages/gnu/gnu.1/opam has a path of more than 4096 bytes, which is the limit",
        "packages/pax/pax.1/opam has a PAX header of more than 64 KiB, which is the limit",
        "packages/damaged/damaged.1/opam has a PAX header that is damaged",
    ] {
        assert!(unread.iter().any(|said| said == expected), "{expected}: {unread:?}");
    }
    assert!(
        unread.iter().any(|said| said.ends_with("/y.1/opam lies more than 32 directories deep, which is the limit"))
    );
}
