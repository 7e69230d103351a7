//! Any bytes: parsing, typing, printing and showing diagnostics must not panic; what was accepted
//! and printed must be accepted again and print the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opam_parser::file::OpamFile;
use opam_parser::syntax::{parse_file, print::print};

fuzz_target!(|source: &[u8]| {
    let parsed = OpamFile::parse(source);
    for diagnostic in &parsed.diagnostics {
        let _ = diagnostic.render("opam", source, false);
    }
    let (tree, diagnostics) = parse_file(source);
    let printed = print(&tree);
    if diagnostics.is_empty() {
        let (again, diagnostics) = parse_file(&printed);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(print(&again), printed);
    }
});
