//! Inputs that once broke a law of `fuzz/laws.rs`, or easily could, with the ordinary compiler.

#[path = "../../fuzz/laws.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets include the same file")]
pub(crate) mod laws;

fn run(target: &str, law: fn(&[u8])) {
    let folder = caravan_tests::workspace().join("fuzz/regressions").join(target);
    let mut count = 0;
    for entry in fs_err::read_dir(folder).unwrap() {
        law(&fs_err::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 0, "no inputs for {target}");
}

#[test]
fn parsing() {
    run("parse", laws::parse);
}

#[test]
fn versions() {
    run("versions", laws::versions);
}

#[test]
fn filters() {
    run("filters", laws::filters);
}

#[test]
fn archives() {
    run("archive", laws::archive);
}

#[test]
fn indexes() {
    run("index", laws::index);
}

#[test]
fn questions() {
    run("question", laws::question);
}
