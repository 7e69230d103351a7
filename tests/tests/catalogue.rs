//! The catalogue of platforms.

use caravan_planning::catalogue::{BUILTIN, Catalogue, Compilers};
use std::collections::BTreeSet;

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_platform_of_every_set_is_found_by_its_name() {
    let index = caravan_tests::shared_index();
    let catalogue = Catalogue::builtin().unwrap();
    let sets: Vec<String> = catalogue.sets().map(|(name, _)| name.to_owned()).collect();
    let mut all = BTreeSet::new();
    for set in &sets {
        let entries = catalogue.set(&index, set).unwrap();
        assert!(!entries.is_empty(), "{set}");
        for entry in entries {
            assert_eq!(catalogue.platform(&index, &entry.id).unwrap(), entry);
            assert_eq!(entry.variables.get("arch"), Some(entry.architecture.as_str()));
            // What a root asks for exists.
            for root in &entry.roots {
                let name = index.find_name(root.name.as_str()).unwrap();
                for constraint in &root.constraints {
                    assert!(index.find_package(name, constraint.1.as_str()).is_some(), "{}", entry.id);
                }
            }
            all.insert(entry.id);
        }
    }
    assert!(all.len() > 100, "{}", all.len());
    let usual = catalogue.platform(&index, "5.4").unwrap();
    assert_eq!(usual, catalogue.platform(&index, "debian-13-5.4").unwrap());
    assert_eq!(catalogue.platform(&index, "debian-13-5.4_x86_64").unwrap(), usual);
    assert_eq!(catalogue.platform(&index, "debian-13-5.4.0").unwrap().ocaml, "5.4.0");
    let older = catalogue.platform(&index, "5.4_opam-2.1").unwrap();
    assert_eq!(older.variables.get("opam-version"), Some("2.1.6"));
    assert!(catalogue.platform(&index, "5.4_opam-../x").is_err());
}

#[test]
fn compilers_are_those_of_the_repository() {
    let catalogue = Catalogue::builtin().unwrap();
    let compiler = "flags: compiler";
    let mut texts = vec![
        ("ocaml-base-compiler.4.14.2", compiler),
        ("ocaml-base-compiler.5.3.0", compiler),
        ("ocaml-base-compiler.5.4.0", compiler),
        ("ocaml-base-compiler.5.4.1", compiler),
        ("ocaml-base-compiler.5.4.0~beta1", "flags: [compiler avoid-version]"),
        ("ocaml-base-compiler.5.5.0~alpha1", "flags: [compiler avoid-version]"),
        ("ocaml-variants.5.4.1+options", compiler),
        ("ocaml-variants.5.6.0+trunk", "flags: [compiler avoid-version]"),
        ("ocaml-option-flambda.1", ""),
    ];
    let names = |texts: &[(&'static str, &'static str)], selector: &str| {
        Compilers::new(&catalogue, &caravan_tests::index_of_texts(texts.iter().copied())).series(selector)
    };
    assert_eq!(names(&texts, "recent"), ["4.14", "5.3", "5.4"]);
    assert_eq!(names(&texts, "significant"), ["4.14", "5.3", "5.4"]);
    assert_eq!(names(&texts, "newest-2"), ["5.3", "5.4"]);
    assert_eq!(names(&texts, "betas"), ["5.5"]);
    assert_eq!(names(&texts, "development"), ["5.6+trunk"]);
    let index = caravan_tests::index_of_texts(texts.iter().copied());
    let compilers = Compilers::new(&catalogue, &index);
    assert_eq!(compilers.find("5.4", None).unwrap().version, "5.4.1");
    assert_eq!(compilers.find("5.4", Some("flambda")).unwrap().packages.len(), 2);
    assert_eq!(compilers.find("5.3", Some("flambda")), None);
    assert_eq!(compilers.find("5.6", Some("trunk")).unwrap().version, "5.6.0+trunk");
    // A release needs no edit of the catalogue.
    texts.push(("ocaml-base-compiler.5.5.0", compiler));
    assert_eq!(names(&texts, "significant"), ["4.14", "5.4", "5.5"]);
    assert!(names(&texts, "betas").is_empty());
}

#[test]
fn what_is_wrong_with_a_catalogue_is_said() {
    let edited = |from: &str, to: &str| {
        assert!(BUILTIN.contains(from));
        Catalogue::parse(&BUILTIN.replacen(from, to, 1)).unwrap_err().to_string()
    };
    for (from, to, said) in [
        ("tier = 1", "teir = 1", "unknown field `teir`"),
        ("tier = 1", "tier = \"one\"", "invalid type"),
        ("\"riscv64 >= 4.11\"", "\"riscv\"", "`riscv` is not one of opam's architectures"),
        ("\"riscv64 >= 4.11\"", "\"riscv64 >= \"", "is not a version of OCaml"),
        ("name = \"archlinux\"", "name = \"arch/linux\"", "`arch/linux` cannot be a name"),
        ("master = \"debian-13\"", "master = \"debian-31\"", "the distribution `debian-31`"),
        ("variants = [\"flambda\"]", "variants = [\"flamingo\"]", "the variant `flamingo`"),
        ("architectures = [\"64-bit\"]", "architectures = [\"all\"]", "the architecture `all`"),
        ("includes = [\"opam-repo-ci-compilers\"", "includes = [\"opam-repo-ci\"", "the earlier set `opam-repo-ci`"),
    ] {
        let message = edited(from, to);
        assert!(message.contains(said), "{message}");
    }
    assert!(edited("tier = 1", "teir = 1").contains("at line "));
}
