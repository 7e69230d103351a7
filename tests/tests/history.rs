//! Stepping through the real history: an index made from the one before is, byte for byte, the one
//! made from nothing.

use opam_parser::index::Index;
use opam_parser::source::git::GitSource;

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn steps_give_the_same_bytes_as_reading_everything() {
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let commits = std::process::Command::new("git")
        .arg("--git-dir")
        .arg(&repository)
        .args(["rev-list", "--first-parent", "--reverse", "main"])
        .output()
        .unwrap();
    let commits = String::from_utf8(commits.stdout).unwrap();
    let commits: Vec<&str> = commits.lines().collect();
    assert_eq!(commits.len(), 476);
    let mut last: Option<Index> = None;
    for (place, commit) in commits.iter().enumerate() {
        let source = GitSource::open(&repository, commit).unwrap();
        last = match last {
            None => Some(Index::read(&source).unwrap()),
            Some(before) => Some(before.read_again(&source).unwrap().unwrap_or(before)),
        };
        if place % 25 == 0 || place + 1 == commits.len() {
            let fresh = caravan_tests::index_of(&source);
            assert!(fresh.as_bytes() == last.as_ref().unwrap().as_bytes(), "at commit {commit}");
        }
    }
    // And back again, in one leap.
    let source = GitSource::open(&repository, commits[0]).unwrap();
    let back = last.unwrap().read_again(&source).unwrap().expect("it is another state");
    assert!(back.as_bytes() == caravan_tests::index_of(&source).as_bytes());
}
