//! The rules about single opam files, one after the other: rules P1 to P17, L1 to L17, F16 to F20
//! and N1 to N5 of `docs/semantics.md`.

use opam_parser::diagnostic::Severity;
use opam_parser::file::{Flags, OpamFile};
use opam_parser::filter::Filter;
use opam_parser::formula::Formula;
use opam_parser::name::{PackageName, compare_case, split_package};

/// What the rest of a file makes of it: accepted without a word, with a field dropped, or set aside.
#[derive(Debug, PartialEq)]
enum Verdict {
    Fine,
    Dropped,
    SetAside,
}

fn verdict(source: &[u8]) -> Verdict {
    let parsed = OpamFile::parse(source);
    let error = parsed.diagnostics.iter().any(|found| found.severity == Severity::Error);
    assert_eq!(error, parsed.file.is_none());
    match (error, parsed.diagnostics.is_empty()) {
        (true, _) => Verdict::SetAside,
        (false, true) => Verdict::Fine,
        (false, false) => Verdict::Dropped,
    }
}

fn file(fields: &str) -> OpamFile {
    OpamFile::parse(format!("opam-version: \"2.0\"\n{fields}\n").as_bytes()).file.unwrap()
}

fn check(source: &str, expected: Verdict) {
    assert_eq!(verdict(source.as_bytes()), expected, "{source}");
}

#[test]
fn the_opam_version() {
    check("depends: \"x\"", Verdict::SetAside); // rule P1
    check("", Verdict::SetAside); // rule G7
    check("synopsis: \"s\"\nopam-version: \"2.0\"", Verdict::Fine); // rule P2
    check("opam-version: 2", Verdict::SetAside); // rule P3
    check("opam-version: [\"2.0\"]", Verdict::SetAside); // rule P3
    check("opam-version: \"2.0\"\nopam-version: \"2.0\"", Verdict::SetAside); // rule P3
    check("synopsis: \"s\"\nopam-version: \"2.1\"", Verdict::SetAside); // rule P4
    check("opam-version: \"1.2\"", Verdict::Fine); // rule P6
    check("opam-version: \"2\"", Verdict::Fine); // rule P6
    check("opam-version: \"2.0.1\"", Verdict::Fine); // rule P6
}

#[test]
fn a_newer_format_is_a_stub_that_depends_on_opam() {
    let parsed = OpamFile::parse(b"opam-version: \"2.1\"\ndepends: \"x\"");
    let stub = parsed.file.unwrap();
    assert_eq!(stub.depends, Formula::Empty);
    assert_eq!(stub.available.to_string(), "opam-version >= \"2.1\"");
    // What no parser knows may hold anything (rule P5).
    let parsed = OpamFile::parse(b"opam-version: \"3.0\"\n@@@");
    assert_eq!(parsed.file.unwrap().available.to_string(), "opam-version >= \"3.0\"");
}

#[test]
fn an_error_in_a_field_drops_the_field_alone() {
    let head = "opam-version: \"2.0\"\n";
    for field in [
        "depends: [\"x\" {>= 1}]",                  // rules P9 and F18
        "available: [os = \"linux\" arch = \"x\"]", // rules P9 and S17
        "available: os = \"linux\" {true}",
        "available: >= \"1\"",
        "foo: 1", // rule P10
        "foo { }",
        "x-a { }",                       // rule P12
        "depends: \"a\" depends: \"b\"", // rule P11
        "flags: \"conf\"",               // rule P16
        "depends: [\"x\" y]",            // rule P17
        "depends: [[\"x\"]]",            // rule F16
        "depends: \"1\"",                // rule N1
        "depends: \"a.b\"",
        "depends: \"a\" {= \"1:2\"}",   // rule N2
        "url \"title\" { src: \"x\" }", // rule P15
        "url { }",
        "url { src: \"x\" checksum: \"md5=1\" }",
    ] {
        check(&format!("{head}{field}"), Verdict::Dropped);
    }
    assert_eq!(file("depends: [\"x\" {>= 1}]").depends, Formula::Empty);
    assert_eq!(file("available: [a b]").available, Filter::Bool(true));
    // The first of two counts (rule P11), of extensions the last (rule P12).
    assert_eq!(file("synopsis: \"1\" synopsis: \"2\"").synopsis.unwrap(), "1");
    let extensions = file("x-a: 1 x-a: 2").extensions;
    assert_eq!((extensions.len(), extensions[0].text.as_slice()), (1, &b"2"[..]));
}

#[test]
fn a_syntax_error_sets_the_file_aside_and_the_rest_is_still_read() {
    check("opam-version: \"2.0\"\ndepends: [", Verdict::SetAside); // rule P8
    check("\u{feff}opam-version: \"2.0\"", Verdict::SetAside); // rule L1
    assert_eq!(verdict(b"opam-version: \"2.0\"\r\nsynopsis: \"s\"\r\n"), Verdict::Fine);
    assert_eq!(verdict(b"opam-version: \"2.0\"\rsynopsis: \"s\""), Verdict::SetAside);
    assert_eq!(verdict(b"opam-version: \"2.0\"\nsynopsis: \"\xff\x00\""), Verdict::Fine); // rule L14
    let (tree, diagnostics) = opam_parser::syntax::parse_file(b"a: [1\nb: 2\nc: @\nd: 4\n");
    let names: Vec<&str> = tree.items().map(|item| item.name()).collect();
    assert_eq!(names, ["b", "d"]);
    assert_eq!(diagnostics.len(), 2, "one for each slip");
    // The commonest slip is explained (rule L6).
    let parsed = OpamFile::parse(b"opam-version: \"2.0\"\nflags:conf\n");
    assert!(parsed.diagnostics[0].hint.as_ref().unwrap().contains("blank after `:`"));
}

#[test]
fn bare_values_stand_for_lists_of_one() {
    assert_eq!(file("flags: conf").flags, Flags::CONF); // rule P14
    assert_eq!(file("build: \"omake\"").build.len(), 1);
    assert_eq!(file("build: [\"a\" \"b\"]").build[0].arguments.len(), 2);
    assert_eq!(file("build: [[\"a\"] [\"b\"] {os = \"linux\"}]").build.len(), 2);
    assert_eq!(file("build: [\"a\" {x} \"b\"] {os = \"linux\"}").build[0].arguments.len(), 2);
    assert_eq!(file("depexts: [\"a\" \"b\"] {os = \"linux\"}").depexts[0].packages.len(), 2);
    assert_eq!(file("depexts: [[\"a\"] {os = \"linux\"} [\"b\"] {true}]").depexts.len(), 2);
    assert_eq!(file("pin-depends: [\"a.1\" \"git+https://x\"]").pin_depends.len(), 1);
    assert_eq!(file("setenv: A = \"b\"").setenv.len(), 1);
    assert_eq!(file("setenv: [[A = \"b\"] [C += \"d\"]]").setenv.len(), 2);
    assert_eq!(file("maintainer: \"a\"").maintainer.len(), 1);
    assert_eq!(file("tags: [\"flags:plugin\"]").flags, Flags::PLUGIN); // rule P16
    assert_eq!(file("flags: [conf unknown]").flags, Flags::CONF);
    assert_eq!(file("author: \"a\"").authors.len(), 1); // rule P13
    assert_eq!(file("os: [\"linux\" \"darwin\"]").available.to_string(), "true & (os = \"linux\" | os = \"darwin\")");
}

#[test]
fn development_versions() {
    let url = |text: &str| file(&format!("url {{ src: \"{text}\" }}")).is_dev();
    assert!(url("git+https://x/y.git")); // rule F34
    assert!(url("/a/local/directory"));
    assert!(!url("https://x/y.tar.gz"));
    assert!(!file("").is_dev());
    assert!(!file("url { src: \"git+https://x\" checksum: \"md5=00000000000000000000000000000000\" }").is_dev());
}

#[test]
fn names_and_their_order() {
    assert!(PackageName::new("0install").is_some() && PackageName::new("conf-g++").is_some()); // rule N1
    assert!(PackageName::new("1").is_none() && PackageName::new("a.b").is_none() && PackageName::new("").is_none());
    let (name, version) = split_package("a.1.2+b~c").unwrap(); // rule N3
    assert_eq!((name.as_str(), version.as_str()), ("a", "1.2+b~c"));
    assert!(split_package("h.b c").is_none() && split_package("f").is_none() && split_package("11.1").is_none());
    let mut names = ["b", "a", "A", "1n", "aa", "Ab"]; // rule N4
    names.sort_by(|a, b| compare_case(a, b));
    assert_eq!(names, ["1n", "A", "Ab", "a", "aa", "b"]);
}

#[test]
fn a_file_that_is_no_opam_file_is_given_up_on() {
    let parsed = OpamFile::parse(&b"@".repeat(100_000));
    assert_eq!(parsed.diagnostics.len(), 51);
    assert!(parsed.diagnostics[50].message.starts_with("too many errors"));
    let parsed = OpamFile::parse(format!("a: \"{}\"", "\\q".repeat(100_000)).as_bytes());
    assert_eq!(parsed.diagnostics.len(), 51);
}

#[test]
fn large_files_take_no_more_than_their_share() {
    let many = |one: fn(usize) -> String| (0..200_000).map(one).collect::<String>();
    // Anything quadratic here would not end within hours.
    let atoms = format!("opam-version: \"2.0\"\ndepends: [{}]", many(|i| format!("\"p{i}\" ")));
    check(&atoms, Verdict::SetAside);
    check(&format!("opam-version: \"2.0\"\n{}", many(|i| format!("x-a{i}: {i}\n"))), Verdict::Fine);
    check(&format!("opam-version: \"2.0\"\n{}", many(|i| format!("a{i}: {i}\n"))), Verdict::Dropped);
}

#[test]
fn nesting_has_a_limit_and_nothing_overflows() {
    for (open, close) in [("(", ")"), ("[", "]"), ("!", ""), ("\"a\" {", "}")] {
        let nested =
            |depth: usize| format!("opam-version: \"2.0\"\nx-a: {}1{}", open.repeat(depth), close.repeat(depth));
        assert_eq!(verdict(nested(100).as_bytes()), Verdict::Fine, "{open}");
        assert_eq!(verdict(nested(100_000).as_bytes()), Verdict::SetAside, "{open}");
    }
    let chain = format!("opam-version: \"2.0\"\navailable: {}", vec!["a"; 100_000].join(" | "));
    check(&chain, Verdict::Fine);
    let sections = format!("opam-version: \"2.0\"\n{}", "a {".repeat(100_000));
    check(&sections, Verdict::SetAside);
}
