//! Cache files that are stale, cut off, damaged or made by an enemy: noticed, made again, and never a
//! crash.

use crate::fuzz_regressions::laws::{read_everything, seal};
use opam_parser::index::Index;
use opam_parser::repository::{Cache, Location};
use opam_parser::source::directory::DirectorySource;
use std::path::PathBuf;

fn examples() -> PathBuf {
    caravan_tests::workspace().join("examples/repository")
}

fn index() -> Index {
    caravan_tests::index_of(&DirectorySource::open(&examples()).unwrap())
}

#[test]
fn sound_bytes_are_opened_again() {
    let index = index();
    let again = Index::from_bytes(index.as_bytes()).unwrap();
    assert_eq!(read_everything(&index), read_everything(&again));
}

#[test]
fn cut_off_anywhere() {
    let index = index();
    for length in (0..index.as_bytes().len()).step_by(97) {
        assert!(Index::from_bytes(&index.as_bytes()[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn one_wrong_bit_anywhere() {
    let index = index();
    let mut bytes = index.as_bytes().to_vec();
    for place in (0..bytes.len()).step_by(31) {
        bytes[place] ^= 1 << (place % 8);
        assert!(Index::from_bytes(&bytes).is_err(), "at {place}");
        bytes[place] ^= 1 << (place % 8);
    }
}

#[test]
fn hostile_bytes_with_a_right_checksum() {
    let index = index();
    let original = index.as_bytes().to_vec();
    // xorshift: the same sequence on every machine.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut number = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let (mut refused, mut read) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = original.clone();
        for _ in 0..=number(3) {
            let place = 32 + number((bytes.len() - 32) / 4) * 4;
            let value: u32 = match number(4) {
                0 => u32::MAX,
                1 => number(1 << 30) as u32,
                2 => (number(29) as u32) << 24 | number(1 << 12) as u32,
                _ => number(64) as u32,
            };
            if place + 4 <= bytes.len() {
                bytes[place..place + 4].copy_from_slice(&value.to_ne_bytes());
            }
        }
        seal(&mut bytes);
        // Refused, or harmless: nothing panics, loops or reads beyond its bounds.
        match Index::from_bytes(&bytes) {
            Err(_) => refused += 1,
            Ok(index) => {
                read_everything(&index);
                read += 1;
            }
        }
    }
    assert!(refused > 1000 && read > 100, "{refused} refused, {read} read");
}

#[test]
fn a_damaged_file_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path());
    let location = Location::Directory { path: examples(), marks: None };
    let open = || cache.open(&location, &|_, _| {}).unwrap();
    let right = read_everything(&open().index);
    let file = fs_err::read_dir(folder.path().join("index")).unwrap().next().unwrap().unwrap().path();
    let sound = fs_err::read(&file).unwrap();
    let mut other_format = sound.clone();
    other_format[8] ^= 1;
    for damaged in [&b""[..], b"caravan", &sound[..sound.len() / 2], &[0; 4096], &other_format] {
        fs_err::remove_file(&file).unwrap();
        fs_err::write(&file, damaged).unwrap();
        let opened = open();
        assert_eq!(read_everything(&opened.index), right);
        assert!(opened.warnings.is_empty());
        assert!(Index::from_bytes(&fs_err::read(&file).unwrap()).is_ok(), "it was replaced");
    }
    // A directory in its place cannot be replaced; the answer is right all the same.
    fs_err::remove_file(&file).unwrap();
    fs_err::create_dir_all(file.join("x")).unwrap();
    let opened = open();
    assert_eq!((read_everything(&opened.index), opened.warnings.len()), (right, 1));
}

#[test]
fn what_others_may_write_is_not_believed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path());
    let location = Location::Directory { path: examples(), marks: None };
    cache.open(&location, &|_, _| {}).unwrap();
    let file = fs_err::read_dir(folder.path().join("index")).unwrap().next().unwrap().unwrap().path();
    // An index of something else, in the right place.
    let fixture = caravan_tests::workspace().join("tests/fixtures/broken-repository");
    let other = caravan_tests::index_of(&DirectorySource::open(&fixture).unwrap());
    fs_err::remove_file(&file).unwrap();
    fs_err::write(&file, other.as_bytes()).unwrap();
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let opened = cache.open(&location, &|_, _| {}).unwrap();
    assert_eq!(read_everything(&opened.index), read_everything(&index()));
    // Even where it is believed to be ours, a directory's files are compared with it.
    fs_err::write(&file, other.as_bytes()).unwrap();
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let opened = cache.open(&location, &|_, _| {}).unwrap();
    assert_eq!(read_everything(&opened.index), read_everything(&index()));
}
