//! Any three texts, separated by newlines: their order must be total.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opam_parser::version::compare;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (a, b, c) = (part(), part(), part());
    assert!(compare(a, a).is_eq());
    assert_eq!(compare(a, b), compare(b, a).reverse());
    if compare(a, b).is_le() && compare(b, c).is_le() {
        assert!(compare(a, c).is_le());
    }
});
