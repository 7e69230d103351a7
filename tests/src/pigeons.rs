//! A puzzle that takes any solver of this kind long.

use opam_parser::index::Index;

/// `flock.1` needs more pigeons than there are holes, which are versions. There is no solution, and to
/// find that out takes time that grows exponentially with the number of pigeons.
pub fn pigeons(count: usize) -> Index {
    let packages = pigeon_packages(count);
    crate::index_of_texts(packages.iter().map(|(package, text)| (package.as_str(), text.as_str())))
}

/// The same as packages, `NAME.VERSION` and text.
pub fn pigeon_packages(count: usize) -> Vec<(String, String)> {
    let mut packages = Vec::new();
    for pigeon in 0..count {
        let conflicts: Vec<String> = (0..pigeon).map(|other| format!("\"pigeon-{other}\" {{= version}}")).collect();
        for hole in 1..count {
            packages.push((format!("pigeon-{pigeon}.{hole}"), format!("conflicts: [ {} ]", conflicts.join(" "))));
        }
    }
    let all: Vec<String> = (0..count).map(|pigeon| format!("\"pigeon-{pigeon}\"")).collect();
    packages.push(("flock.1".to_owned(), format!("depends: [ {} ]", all.join(" "))));
    packages
}
