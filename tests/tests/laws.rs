//! Laws that hold for any input, on random ones.

use opam_parser::name::compare_case;
use opam_parser::syntax::{self, ItemKind, Value, ValueKind};
use opam_parser::version::{self, Version};
use proptest::prelude::*;

fn versions() -> impl Strategy<Value = String> {
    // Short alphabets make equal prefixes and near misses likely.
    proptest::string::string_regex("[0-2a~.+v_-]{0,6}|v?[0-9]{1,2}(\\.[0-9]{1,3}){0,3}(~(rc|beta)[0-9])?(-[0-9])?")
        .unwrap()
}

proptest! {
    #[test]
    fn the_order_of_versions_is_total(a in versions(), b in versions(), c in versions()) {
        let compare = |x: &str, y: &str| version::compare(x.as_bytes(), y.as_bytes());
        prop_assert!(compare(&a, &a).is_eq());
        prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
            prop_assert!(compare(&a, &c).is_le());
        }
        if compare(&a, &b).is_eq() && compare(&b, &c).is_eq() {
            prop_assert!(compare(&a, &c).is_eq());
        }
    }

    #[test]
    fn a_tilde_comes_before_the_version_and_a_dot_after_it(a in "[0-9a-z.]{1,8}") {
        let with = |suffix: &str| Version::new(&format!("{a}{suffix}")).unwrap();
        prop_assert!(with("~x") < with(""));
        prop_assert!(with("") < with("+x"));
    }

    #[test]
    fn the_order_of_names_is_total(a in "[aAbB1_+-]{0,4}", b in "[aAbB1_+-]{0,4}", c in "[aAbB1_+-]{0,4}") {
        prop_assert_eq!(compare_case(&a, &b), compare_case(&b, &a).reverse());
        prop_assert_eq!(compare_case(&a, &b).is_eq(), a == b);
        if compare_case(&a, &b).is_le() && compare_case(&b, &c).is_le() {
            prop_assert!(compare_case(&a, &c).is_le());
        }
    }
}

/// A value as text, from the grammar itself.
fn values() -> impl Strategy<Value = String> {
    let string = proptest::string::string_regex("[ -~\n\téÿ]{0,12}")
        .unwrap()
        .prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")));
    let atom = prop_oneof![
        Just("true".to_owned()),
        any::<i32>().prop_map(|i| i.to_string()),
        "[a-z][a-z0-9-]{0,6}(:[a-z]{1,4})?",
        string,
    ];
    let operators = prop_oneof![Just("="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")];
    let leaf = prop_oneof![
        3 => atom.clone(),
        1 => (atom.clone(), operators.clone(), atom.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        1 => (operators, atom.clone()).prop_map(|(op, a)| format!("{op} {a}")),
        1 => (atom.clone(), prop_oneof![Just("+="), Just("=+"), Just(":=")], atom)
            .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let several = |open: &'static str, close: &'static str, inner: BoxedStrategy<String>| {
            prop::collection::vec(inner, 0..4).prop_map(move |parts| format!("{open}{}{close}", parts.join(" ")))
        };
        let inner = inner.boxed();
        prop_oneof![
            several("[", "]", inner.clone()),
            several("(", ")", inner.clone()),
            (inner.clone(), several(" {", "}", inner.clone())).prop_map(|(a, b)| format!("({a}){b}")),
            inner.clone().prop_map(|a| format!("!{a}")),
            inner.clone().prop_map(|a| format!("?{a}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} & {b}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{a} | {b}")),
        ]
    })
}

fn shape(value: Value<'_>) -> String {
    let all = |values: syntax::Values<'_>| values.map(shape).collect::<Vec<_>>().join(",");
    match value.kind() {
        ValueKind::Bool(b) => b.to_string(),
        ValueKind::Int(i) => i.to_string(),
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Ident(name) => name.to_owned(),
        ValueKind::RelOp(op, a, b) => format!("{op:?}({},{})", shape(a), shape(b)),
        ValueKind::EnvOp(op, a, b) => format!("env{op:?}({},{})", shape(a), shape(b)),
        ValueKind::PrefixRelOp(op, a) => format!("{op:?}({})", shape(a)),
        ValueKind::And(values) => format!("and({})", all(values)),
        ValueKind::Or(values) => format!("or({})", all(values)),
        ValueKind::Not(a) => format!("not({})", shape(a)),
        ValueKind::Defined(a) => format!("defined({})", shape(a)),
        ValueKind::List(values) => format!("[{}]", all(values)),
        ValueKind::Group(values) => format!("({})", all(values)),
        ValueKind::Braced(a, values) => format!("{}{{{}}}", shape(a), all(values)),
    }
}

fn file_shape(source: &[u8]) -> String {
    let (tree, diagnostics) = syntax::parse_file(source);
    assert!(diagnostics.is_empty(), "{diagnostics:?}\n{}", String::from_utf8_lossy(source));
    let item = |item: syntax::Item<'_>| match item.kind() {
        ItemKind::Field(value) => format!("{}: {}", item.name(), shape(value)),
        ItemKind::Section { .. } => item.name().to_owned(),
    };
    tree.items().map(item).collect::<Vec<_>>().join("\n")
}

proptest! {
    #[test]
    fn printing_keeps_the_tree(values in prop::collection::vec(values(), 1..4)) {
        let source: String = values.iter().enumerate().map(|(place, value)| format!("f{place}: {value}\n")).collect();
        let (tree, _) = syntax::parse_file(source.as_bytes());
        let printed = syntax::print::print(&tree);
        prop_assert_eq!(file_shape(source.as_bytes()), file_shape(&printed));
    }

    #[test]
    fn every_span_lies_in_the_text(source in "[a-z:\"\\[\\]{}()!?&|=<> \n0-9\\\\#]{0,80}") {
        let (tree, diagnostics) = syntax::parse_file(source.as_bytes());
        for found in &diagnostics {
            let _ = found.render("f", source.as_bytes(), true);
            if let Some(span) = found.span {
                prop_assert!(span.start <= span.end && span.end as usize <= source.len());
            }
        }
        for item in tree.items() {
            prop_assert_eq!(item.name_span().slice(source.as_bytes()), item.name().as_bytes());
            prop_assert!(item.span().end as usize <= source.len());
        }
    }
}
