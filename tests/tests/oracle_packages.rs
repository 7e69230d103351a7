//! The package list of the real repository, and what is in it.

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn the_list_is_that_of_opam_order_included() {
    let path = caravan_tests::shared("oracle/all-packages.txt");
    let index = caravan_tests::shared_index();
    let ours: Vec<String> = index.packages().map(|package| index.package_text(package)).collect();
    let text = fs_err::read_to_string(path).unwrap();
    let theirs: Vec<&str> = text.lines().collect();
    assert_eq!(theirs.len(), 18_792, "18,793 directories, two of which hold equal versions (rule N5)");
    for (place, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(ours, theirs, "at place {place}");
    }
    assert_eq!(ours.len(), theirs.len());
    assert_eq!(index.files_with_problems().count(), 0);
}
