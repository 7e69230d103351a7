//! Every row of `oracle/version_cmp.tsv`: the order of versions.

use opam_parser::version;

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_pair_compares_as_in_opam() {
    let path = caravan_tests::shared("oracle/version_cmp.tsv");
    let text = fs_err::read_to_string(path).unwrap();
    let rows: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(rows.len() >= 2000);
    for row in rows {
        let [a, b, sign] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let sign: i8 = sign.parse().unwrap();
        assert_eq!(version::compare(a.as_bytes(), b.as_bytes()), sign.cmp(&0), "{a} and {b}");
        assert_eq!(version::compare(b.as_bytes(), a.as_bytes()), 0.cmp(&sign), "{b} and {a}");
    }
}
