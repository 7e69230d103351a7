//! The examples of `docs/semantics.md`, one after the other. What real opam answers to thousands of others is
//! compared in the `oracle_*` tests; these few need no data.

use super::oracle_filters::{Oracle, read};
use super::oracle_syntax::{show, show_items};
use caravan_planning::matrix::latest;
use caravan_revdeps::{Options, PackageSet, coinstallable, direct, recursive, required_by};
use caravan_solver::{Dialect, Flags, Platform, Request, SolveError, Solver, Stop, View};
use opam_parser::atom::Atom;
use opam_parser::diagnostic::Severity;
use opam_parser::filter::partial;
use opam_parser::filter::{eval, eval_to_bool};
use opam_parser::index::{Index, PackageId};
use opam_parser::syntax::{ItemKind, parse_file, parse_value};
use opam_parser::version;
use std::cmp::Ordering;

/// The tree of a value in the notation of the oracle; "error" where there is one.
fn tree(text: &str) -> String {
    let (tree, diagnostics) = parse_value(text.as_bytes());
    if diagnostics.iter().any(|found| found.severity == Severity::Error) {
        return "error".to_owned();
    }
    match tree.items().next().unwrap().kind() {
        ItemKind::Field(value) => show(value),
        ItemKind::Section { .. } => unreachable!("a value was read"),
    }
}

/// The items of a file.
fn items(text: &str) -> String {
    let (tree, diagnostics) = parse_file(text.as_bytes());
    if diagnostics.iter().any(|found| found.severity == Severity::Error) {
        return "error".to_owned();
    }
    show_items(tree.items())
}

#[test]
fn tokens() {
    for (text, expected) in [
        ("1\r", "error"), // rule L1
        ("\r\n1", "Int(1)"),
        ("#c\r\"x\"\n1", "Int(1)"),                // rule L2
        ("(* a (* b *) c *) \"x\"", "Str(\"x\")"), // rule L3
        ("(* \"*)\" *) 1", "error"),
        ("(*) 1", "error"),
        ("# (*\n\"x\"", "Str(\"x\")"), // rule L4
        ("(* # *) 1", "Int(1)"),
        ("_+a:c", "Id(_+a:c)"), // rule L5
        ("0x1", "Id(0x1)"),
        ("a+", "error"),
        ("truex", "Id(truex)"), // rule L7
        ("TRUE", "Id(TRUE)"),
        ("true", "Bool(true)"),
        ("1_000", "Int(1000)"), // rule L8
        ("[1-2]", "[Int(1); Int(-2)]"),
        ("4611686018427387903", "Int(4611686018427387903)"),
        ("4611686018427387904", "error"),
        ("a ~ b", "Relop(>=,Id(a),Id(b))"), // rule L9
        ("a ! = b", "error"),
        ("a && b", "error"),                                 // rule L10
        ("!?a", "Not(Def(Id(a)))"),                          // rule L11
        ("PATH += \"x\"", "Env(Id(PATH),+=,Str(\"x\"))"),    // rule L12
        ("PATH =:= \"x\"", "error"),                         // rule L12
        ("1.0", "error"),                                    // rule L13
        ("[a,b]", "error"),                                  // rule L13
        ("\u{e9}", "error"),                                 // rule L13
        ("\"a\r\nb\"", "Str(\"a\\nb\")"),                    // rule L14
        ("\"a\rb\"", "Str(\"a\\rb\")"),                      // rule L14
        ("\"\"\"\na\n\"\"\"", "Str(\"\\na\\n\")"),           // rule L15
        ("\"\"\"a \"b\" c\"\"\"", "Str(\"a \\\"b\\\" c\")"), // rule L15
        ("\"\"\"a\"\"\"\"", "error"),                        // rule L15
        ("\"a\\\n   b\"", "Str(\"ab\")"),                    // rule L16
        ("\"\\0123\\x41\\\\\"", "Str(\"\\0123A\\\\\")"),     // rule L16
        ("\"\\q\"", "error"),                                // rule L16
        ("\"\\300\"", "error"),                              // rule L16
        ("\"x\" \"y\"", "error"),                            // rule L17
        ("[\"x\" \"y\"]", "[Str(\"x\"); Str(\"y\")]"),       // rule L17
    ] {
        assert_eq!(tree(text), expected, "{text:?}");
    }
    assert_eq!(items("flags:conf"), "error"); // rule L6
    assert_eq!(items("jobs:1"), "jobs = Int(1)");
}

#[test]
fn grammar() {
    for (text, expected) in [
        // rule G1
        ("!a = b & c | d", "Or(And(Not(Relop(=,Id(a),Id(b))),Id(c)),Id(d))"),
        ("a = b {c}", "Opt(Relop(=,Id(a),Id(b)),{Id(c)})"),
        ("!a {b}", "Not(Opt(Id(a),{Id(b)}))"),
        ("a = b = c", "error"), // rule G2
        ("a = (b)", "error"),
        ("?a = b", "Def(Relop(=,Id(a),Id(b)))"), // rule G3
        ("[\"x\" \"y\" | \"z\"]", "[Str(\"x\"); Or(Str(\"y\"),Str(\"z\"))]"), // rule G4
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
    assert_eq!(items("a: b {c} d: e"), "a = Opt(Id(b),{Id(c)}) ;; d = Id(e)"); // rule G5
    assert_eq!(items("a: b {c}\nd {e: 1}"), "a = Opt(Id(b),{Id(c)}) ;; section d - { e = Int(1) }");
    assert_eq!(items("true: 1"), "error"); // rule G6
    assert_eq!(items("# nothing"), ""); // rule G7
}

#[test]
fn filters() {
    // The variables of the oracle: `t` is true, `f` false, `st` and `sf` their texts, `s` "hello", `nope` undefined.
    let value = |text: &str| {
        let filter = read(text).unwrap_or_else(|| panic!("{text}"));
        let boolean = eval(&filter, &Oracle).to_bool();
        assert_eq!(eval_to_bool(&filter, &Oracle, true), boolean.unwrap_or(true), "rule F7: {text}");
        assert_eq!(eval_to_bool(&filter, &Oracle, false), boolean.unwrap_or(false), "rule F7: {text}");
        boolean
    };
    let (yes, no) = (Some(true), Some(false));
    for (text, expected) in [
        ("!st", no), // rule F1
        ("s", None),
        ("nope & f", no), // rule F2
        ("nope & t", None),
        ("s & t", None),
        ("t & sf", no),
        ("nope | t", yes), // rule F3
        ("nope | f", None),
        ("!nope", None), // rule F4
        ("!s", None),
        ("\"1.0\" = \"1.00\"", yes), // rule F5
        ("v1 = 1", no),
        ("f < t", yes),
        ("nope != \"x\"", None),
        ("?(f & nope)", yes), // rule F6
        ("?(t & nope)", no),
        ("!(?nope & nope = \"x\")", yes), // rule F8
        ("pkg2+pkg:installed", no),       // rule F9
        ("pkg:installed", yes),
        ("\"%{s}%-%{v1}%\" = \"hello-1.0\"", yes), // rule F11
        ("\"%{t?a:b}%\" = \"a\"", yes),            // rule F12
        ("\"%{nope?a:b}%\" = \"b\"", yes),
        ("\"%{s?a:b}%\" = \"b\"", yes),
        ("\"%{nope}%\" = \"\"", yes),          // rule F13
        ("\"%{?g++:v:}%\" = \"gplus\"", yes),  // rule F14
        ("perc", yes),                         // rule F15
        ("\"x%{perc}%\" = \"x%%{t}%%\"", yes), // rule F15
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    assert_eq!(tree("nope?a:b"), "error"); // rule F10
    let left = |text: &str| partial(&read(text).unwrap(), &Oracle).to_string();
    assert_eq!(left("\"%{nope}%\" = \"%{s}%\""), "\"%{nope}%\" = \"hello\""); // rule F13
}

/// What is installed for the first package of a repository, besides it.
fn installs(packages: &[(&str, &str)], dialect: Dialect, tests: bool) -> String {
    // What may be wanted, in two versions.
    const OTHERS: [(&str, &str); 7] =
        [("x.1", ""), ("x.2", ""), ("x.3", ""), ("y.1", ""), ("y.2", ""), ("z.1", ""), ("gone.1", "available: false")];
    let index = caravan_tests::index_of_texts(packages.iter().chain(&OTHERS).copied());
    let view = View::in_dialect(&index, &Platform::linux_x86_64(), dialect);
    let mut request = Request::new([packages[0].0.parse().unwrap()]);
    request.roots[0].flags.with_test = tests;
    match Solver::new(&view).solve(&request) {
        Ok(selection) => {
            let others = selection.packages().iter().map(|package| index.package_text(*package));
            others.filter(|package| package != packages[0].0).collect::<Vec<_>>().join(" ")
        }
        Err(SolveError::NoSolution) => "no solution".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

/// The same for `a.1` alone, as opam has it.
fn with(fields: &str) -> String {
    installs(&[("a.1", fields)], Dialect::Opam, false)
}

/// The same as the opam-0install family has it.
fn with_0install(fields: &str) -> String {
    installs(&[("a.1", fields)], Dialect::SolverService, false)
}

#[test]
fn dependencies() {
    for (fields, expected) in [
        (r#"depends: ["x" "y" | "z"]"#, "x.3 y.2"), // rule F16
        (r#"depends: ["x" ("y" "z")]"#, "x.3 y.2 z.1"),
        (r#"depends: [["x"]]"#, ""),
        (r#"depends: "x" {>= "1" < "2"}"#, "x.1"), // rule F17
        (r#"depends: "x" {}"#, "x.3"),
        (r#"depends: ["y" "x" {>= 1}]"#, ""), // rule F18
        (r#"depends: "x" {= version}"#, "x.1"),
        (r#"depends: "x" {!>= "2"}"#, "x.1"), // rule F19
        (r#"depends: "x" {!(> "1" & < "4")}"#, "x.1"),
        (r#"depends: "x" {"1"}"#, ""),                     // rule F20
        (r#"depends: "x" {< "2" | !with-test}"#, "x.3"),   // rule F21
        (r#"depends: "x" {os = "win32" | < "2"}"#, "x.1"), // rule F21
        (r#"depends: "x" {os = "linux" & < "2"}"#, "x.1"), // rule F22
        (r#"depends: "x" {os = "win32" & < "2"}"#, ""),    // rule F22
        (r#"depends: "x" {os = "win32"} | "y""#, "y.2"),   // rule F23
        (r#"depends: "x" {os = "win32"} | "y" {with-test}"#, ""),
        (r#"depends: ("x" {os = "win32"} & "y") | "z""#, "y.2"),
        (r#"depends: ("gone" {os = "win32"} & "x") | ("gone" & "y")"#, "x.3"), // rule F24
        (r#"depends: "x" {nope}"#, ""),                                        // rule F25
        (r#"depends: "x" {!nope}"#, ""),
        (r#"depends: "x" {!(?nope)}"#, "x.3"),
        (r#"depends: "x" {os = "linux" & arch = "x86_64"}"#, "x.3"), // rule E1
        (r#"depends: "x" {build}"#, "x.3"),                          // rule E2
        (r#"depends: "x" {post}"#, "x.3"),
        (r#"depends: "x" {with-doc}"#, ""),
        (r#"depends: "x" {y:version = "2"} depends: "y""#, ""), // rule F26
        (r#"depends: ["x" {y:installed} "y"]"#, "y.2"),
        (r#"depends: "x" {name = "a" & _:version = "1"}"#, "x.3"), // rule F27
        (r#"depends: "x" {dev} url { src: "git+https://example.org/a" }"#, "x.3"), // rule F34
        (r#"depends: "x" {dev} url { src: "https://example.org/a.tar.gz" }"#, ""),
    ] {
        assert_eq!(with(fields), expected, "{fields}");
    }
    assert_eq!(installs(&[("a.1", r#"depends: "x" {< "2" | !with-test}"#)], Dialect::Opam, true), "x.1"); // rule F21
    assert_eq!(with_0install(r#"depends: "x" {name = "a"}"#), ""); // rule F27
    // Of a package that others only depend on, the tests do not count (rule E2).
    let other = [("a.1", r#"depends: "b""#), ("b.1", r#"depends: "x" {with-test}"#)];
    assert_eq!(installs(&other, Dialect::Opam, true), "b.1");
}

#[test]
fn bounds_without_a_value() {
    for (fields, opam, other) in [
        (r#"depends: "x" {= nope}"#, "", "x.3"),            // rule F29
        (r#"depends: "x" {>= "%{nope}%"}"#, "", "x.3"),     // rule F30
        (r#"depends: "x" {= nope | = "1"}"#, "x.1", "x.3"), // rule F31
        (r#"depends: "x" conflicts: "x" {= nope}"#, "no solution", "no solution"), // rule F32
    ] {
        assert_eq!(with(fields), opam, "{fields}");
        assert_eq!(with_0install(fields), other, "{fields}");
    }
}

#[test]
fn conflicts() {
    for (fields, opam, other) in [
        (r#"conflicts: "a""#, "", "no solution"),                  // rules S3 and Z4
        (r#"depends: "x" conflicts: "x" {>= "2"}"#, "x.1", "x.1"), // rule S4
        (r#"conflicts: "nosuch""#, "", ""),                        // rule S4
        (r#"depends: "x" conflicts: "x" {>= "2" & < "4"}"#, "x.1", "x.1"), // rule S5
        (r#"depends: ["x" "y"] conflicts: "x" {= "3"} & "y" {= "2"}"#, "x.2 y.1", "x.2 y.1"), // rule S5
        (r#"depends: "x" conflicts: "x" {!with-test}"#, "x.3", "no solution"), // rule Z3
    ] {
        assert_eq!(with(fields), opam, "{fields}");
        assert_eq!(with_0install(fields), other, "{fields}");
    }
    // rule S13
    let class = "conflict-class: \"k\"";
    let packages = [("a.1", r#"depends: ["b" "c"]"#), ("b.1", class), ("c.1", ""), ("c.2", class), ("k.1", "")];
    assert_eq!(installs(&packages, Dialect::Opam, false), "b.1 c.1");
    let packages = [("a.1", r#"depends: ["b" "k"]"#), ("b.1", class), ("k.1", "")];
    assert_eq!(installs(&packages, Dialect::Opam, false), "b.1 k.1");
}

#[test]
fn what_can_be_chosen() {
    for (fields, expected) in [
        (r#"depends: "gone""#, "no solution"),   // rule S1
        (r#"depopts: "x" {< "2"}"#, ""),         // rule S8
        (r#"depends: "nosuch""#, "no solution"), // rule S9
        (r#"depends: "nosuch" | "x""#, "x.3"),
        (r#"depends: "x" {> "3"}"#, "no solution"),
        (r#"depends: ["y" | "z"] available: nope"#, "no solution"), // rule S14
        ("available: !nope", "no solution"),
        ("available: \"yes\"", "no solution"),
        ("available: with-test", "no solution"),
        ("available: nope | os = \"linux\"", ""), // rule S15
        ("available: [os = \"linux\"]", ""),
        ("available: version = \"1\"", ""),
        ("available: \"true\"", ""),                      // rule S16
        ("available: [os = \"win32\" arch = \"x\"]", ""), // rule S17
    ] {
        assert_eq!(with(fields), expected, "{fields}");
    }
    assert_eq!(with_0install("available: \"true\""), "no solution"); // rule S16
    // rule S7
    let six = ["a", "b", "c", "d", "e", "f"].map(|name| format!("(\"x\" {{= \"1\"}} & \"y\" & \"{name}-not\")"));
    assert_eq!(with(&format!("depends: {} | \"z\"", six.join(" | "))), "z.1");
}

#[test]
fn circles() {
    let [plain, post] = ["", "{post}"].map(|filter| format!("depends: \"b\" {filter}"));
    for (fields, opam) in [(plain.as_str(), "no solution"), (post.as_str(), "b.1")] {
        let packages = [("a.1", fields), ("b.1", "depends: \"a\"")]; // rule S11
        assert_eq!(installs(&packages, Dialect::Opam, false), opam);
        assert_eq!(installs(&packages, Dialect::Opam0install, false), "b.1");
    }
    // rule S10
    assert_eq!(with(r#"depends: "a""#), "no solution");
    assert_eq!(with_0install(r#"depends: "a""#), "");
    let older = [("a.2", r#"depends: "a" {< "2"}"#), ("a.1", "")];
    assert_eq!(installs(&older, Dialect::Opam0install, false), "no solution");
}

#[test]
fn the_order_of_preference() {
    // rule O7
    let greedy = [("g.1", ""), ("g.2", r#"depends: "x" {= "1"}"#)];
    let first = [("a.1", r#"depends: ["g" "x"]"#), greedy[0], greedy[1]];
    assert_eq!(installs(&first, Dialect::Opam, false), "g.2 x.1");
    let last = [("a.1", r#"depends: ["x" "g"]"#), greedy[0], greedy[1]];
    assert_eq!(installs(&last, Dialect::Opam, false), "g.1 x.3");
    // rule Z2
    assert_eq!(with(r#"depends: "y" | "x""#), "y.2");
    let versions = r#"depends: "x" {= "1"} | "x" {= "2"}"#;
    assert_eq!((with(versions).as_str(), with_0install(versions).as_str()), ("x.2", "x.1"));
    // rules O3 and S19
    let avoided = "flags: avoid-version";
    let packages = [("a.1", r#"depends: "v""#), ("v.1", ""), ("v.2", avoided), ("v.3", "flags: deprecated")];
    assert_eq!(installs(&packages, Dialect::Opam, false), "v.1");
    assert_eq!(installs(&packages, Dialect::SolverService, false), "v.3");
    assert_eq!(installs(&packages, Dialect::Opam0install, false), "v.3");
    let either = [("a.1", r#"depends: "v" {>= "2"} | "x""#), packages[1], packages[2]];
    assert_eq!(installs(&either, Dialect::Opam, false), "x.3");
    assert_eq!(installs(&either, Dialect::SolverService, false), "v.2");
    let needed = [("a.1", r#"depends: "v" {>= "2"}"#), packages[1], packages[2]];
    assert_eq!(installs(&needed, Dialect::Opam, false), "v.2");
}

fn texts(index: &Index, packages: &[PackageId]) -> String {
    packages.iter().map(|package| index.package_text(*package)).collect::<Vec<_>>().join(" ")
}

#[test]
fn listings() {
    let index = caravan_tests::index_of_texts([
        ("t.1", ""),
        ("t.2", ""),
        ("all.1", r#"depends: "t""#),
        ("build.1", r#"depends: "t" {build}"#),
        ("either.1", r#"depends: "t" | "z""#),
        ("lost.1", r#"depends: "t" {>= "2"} & "t" {< "2"}"#),
        ("newer.1", r#"depends: "t" {>= "2"}"#),
        ("optional.1", r#"depopts: "t""#),
        ("post.1", r#"depends: "t" {post}"#),
        ("second.1", r#"depends: "all""#),
        ("stuck.1", r#"depends: "nosuch" & "t""#),
        ("tested.1", r#"depends: "t" {with-test}"#),
        ("undefined.1", r#"depends: "t" {nope}"#),
        ("git.1", "depends: \"t\" {dev} url { src: \"git+https://example.org/git\" }"),
    ]);
    let view = View::new(&index, &Platform::linux_x86_64());
    let plain = Options::default();
    let target = |text: &str| {
        let atom: Atom = text.parse().unwrap();
        PackageSet::of_atom(&index, index.find_name(atom.name.as_str()).unwrap(), &atom)
    };
    let shown = |text: &str, options: &Options| texts(&index, &direct(&view, &target(text), options));
    // rule D6
    assert_eq!(shown("t", &plain), "all.1 build.1 either.1 newer.1 stuck.1");
    assert_eq!(shown("t.1", &plain), "all.1 build.1 either.1 stuck.1");
    assert_eq!(shown("t.1", &Options { build: false, post: true, ..plain }), "all.1 either.1 post.1 stuck.1");
    let more = Options { depopts: true, with_test: true, ..plain };
    assert_eq!(shown("t.1", &more), "all.1 build.1 either.1 optional.1 stuck.1 tested.1");
    // rule D7
    assert_eq!(texts(&index, &required_by(&view, &target("newer"), &plain)), "t.2");
    // rule D8
    let all = texts(&index, &recursive(&view, &target("t"), &Options { with_test: true, ..plain }));
    assert_eq!(all, "all.1 build.1 either.1 git.1 newer.1 second.1 stuck.1 t.1 t.2 undefined.1");
}

#[test]
fn the_newest_of_each_name() {
    let index = caravan_tests::index_of_texts([
        ("usual.1", ""),
        ("usual.2", ""),
        ("usual.3", "flags: avoid-version"),
        ("usual.4", "flags: deprecated"),
        ("usual.5", "available: false"),
        ("avoided.1", "flags: avoid-version"),
        ("avoided.2", "flags: deprecated"),
        ("avoided.3", "available: false"),
        ("gone.1", "available: false"),
        ("gone.2", "available: false flags: avoid-version"),
    ]);
    let all: Vec<PackageId> = index.packages().collect();
    let newest = |dialect: Dialect| {
        let view = View::in_dialect(&index, &Platform::linux_x86_64(), dialect);
        texts(&index, &view.newest_of_each_name(&all))
    };
    // rule D18
    assert_eq!(newest(Dialect::Opam), "avoided.2 gone.2 usual.2");
    assert_eq!(newest(Dialect::Opam0install), "avoided.2 gone.2 usual.2");
    // Plans, which are for several platforms.
    assert_eq!(texts(&index, &latest(&index, &all)), "avoided.3 gone.1 usual.5");
}

#[test]
fn what_can_be_installed_together() {
    let index = caravan_tests::index_of_texts([
        ("p.1", ""),
        ("with.1", r#"depends: "p""#),
        ("against.1", r#"conflicts: "p""#),
        ("away.1", "available: false"),
        ("through.1", r#"depends: "away""#),
        ("tested.1", r#"depends: "untested""#),
        ("untested.1", r#"depends: "nosuch" {with-test}"#),
    ]);
    let view = View::new(&index, &Platform::linux_x86_64());
    let everyones =
        View::new(&index, &Platform::linux_x86_64()).with_flags_of_all(Flags { with_test: true, ..Flags::default() });
    let all: Vec<PackageId> = index.packages().collect();
    let with = |view: &View<'_>, roots: &[&str]| {
        let request = Request::new(roots.iter().map(|root| root.parse().unwrap()));
        texts(&index, &coinstallable(view, &request, &all, &Stop::new()).unwrap())
    };
    // rule D11
    assert_eq!(with(&view, &["p"]), "p.1 tested.1 untested.1 with.1");
    assert_eq!(with(&everyones, &["p"]), "p.1 with.1");
    // rule D12
    assert_eq!(with(&view, &[]), "against.1 p.1 tested.1 untested.1 with.1");
}

#[test]
fn atoms() {
    // rule N6
    for (text, name, constraint) in [
        ("foo", "foo", None),
        ("foo.1.2", "foo", Some("=1.2")),
        ("foo>=1.2", "foo", Some(">=1.2")),
        ("foo!=1", "foo", Some("!=1")),
    ] {
        let atom: Atom = text.parse().unwrap();
        let shown = atom.constraint.map(|(op, version)| format!("{}{version}", op.as_str()));
        assert_eq!((atom.name.as_str(), shown.as_deref()), (name, constraint));
    }
    assert!("foo=>1".parse::<Atom>().is_err() && "1".parse::<Atom>().is_err());
}

#[test]
fn versions() {
    use Ordering::{Equal, Greater, Less};
    // rule V1
    for (one, order, other) in [
        ("1.0", Equal, "1.00"),
        ("1.0", Less, "1.0.0"),
        ("1.0~beta2", Less, "1.0~beta10"),
        ("1.0~", Less, "1.0"),
        ("4.14.0", Less, "4.14.0+flambda"),
        ("1.0-2", Less, "1.0-10"),
        ("1.0-1", Less, "1.0.1"),
        ("1.0a", Less, "1.0+1"),
        ("v0.16.0", Greater, "0.16.0"),
        ("5.0", Less, "5.0.0~beta1"),
        ("9223372036854775808", Greater, "9223372036854775807"),
    ] {
        assert_eq!(version::compare(one.as_bytes(), other.as_bytes()), order, "{one} and {other}");
    }
}
