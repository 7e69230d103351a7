//! Explanations of real requests that have no answer, as a person sees them. Each was read with the
//! question: would a newcomer know what to do?

use caravan_solver::problem::{Avoid, Pin};
use caravan_solver::{Dialect, Platform, Request, Setting, Solver, View};
use opam_parser::index::Index;

struct Asked {
    setting: Setting,
    request: Request,
}

/// Packages after each other, on Debian.
fn ask(roots: &str) -> Asked {
    let request = Request::new(roots.split(' ').map(|root| root.parse().unwrap()));
    Asked { setting: Setting::new(Platform::linux_x86_64()), request }
}

impl Asked {
    fn with_tests(mut self) -> Self {
        self.request.roots.iter_mut().for_each(|root| root.flags.with_test = true);
        self
    }

    fn avoiding(mut self, avoid: Avoid) -> Self {
        self.request.avoid = Some(avoid);
        self
    }

    fn on(mut self, os: &str, arch: &str) -> Self {
        self.setting.platform = Platform::new();
        self.setting.platform.set("os", os);
        self.setting.platform.set("arch", arch);
        self
    }

    fn pinned(mut self, package: &str, opam: &str) -> Self {
        let (name, version) = opam_parser::name::split_package(package).unwrap();
        self.setting.pins.push(Pin { name, version, opam: format!("opam-version: \"2.0\"\n{opam}\n") });
        self
    }

    fn in_dialect(mut self, dialect: Dialect) -> Self {
        self.setting.dialect = dialect;
        self
    }

    fn explained(&self, index: &Index) -> String {
        let index = self.setting.index(&[index]).unwrap();
        let view = View::of(&index, &self.setting);
        Solver::new(&view).explain(&self.request).unwrap().to_string()
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn twenty_real_requests() {
    let index = caravan_tests::shared_index();
    let asked = [
        ("an_old_package_on_a_new_compiler", ask("ocaml.5.4.1 ocaml-migrate-parsetree.1.8.0")),
        ("a_new_package_on_an_old_compiler", ask("ocaml.4.14.2 eio")),
        ("no_version_fits_the_compiler", ask("ocaml.5.4.1 ppx_tools")),
        ("through_dependencies", ask("ocaml.5.4.1 core.v0.14.1")),
        ("a_long_chain", ask("ocaml.5.4.1 bap")),
        ("a_conflict", ask("ocaml.5.4.1 coq.8.13.2")),
        ("a_conflict_class", ask("ocaml-base-compiler.5.4.1 ocaml-variants")),
        ("an_option_of_the_compiler", ask("ocaml-option-flambda ocaml-base-compiler")),
        ("only_for_another_system", ask("conf-mingw-w64-gcc-x86_64")),
        ("the_systems_compiler", ask("ocaml-system")),
        ("a_compiler_that_is_gone", ask("ocaml.4.08.1 dune-release")),
        ("two_releases_that_do_not_mix", ask("base.v0.16.3 core.v0.17.1")),
        ("an_upper_bound_of_the_user", ask("ocaml.5.4.1 dune<3.0 ocaml-lsp-server")),
        ("two_wishes_far_apart", ask("lwt<5 cohttp-eio")),
        ("nothing_to_be_avoided", ask("ocaml.5.4.1 functoria").avoiding(Avoid::Never)),
        ("tests_that_cannot_run", ask("ocaml.5.4.1 ambient-context-eio").with_tests()),
        ("another_platform", ask("solo5").on("win32", "x86_64")),
        ("a_misspelt_dependency", ask("mine").pinned("mine.dev", "depends: [ \"ocaml\" \"lwt_unix\" {>= \"5\"} ]")),
        (
            "a_version_that_is_not_there",
            ask("mine").pinned("mine.dev", "depends: [ \"ocaml\" \"yojson\" {>= \"99\"} ]"),
        ),
        (
            "each_before_the_other",
            ask("mine").pinned("mine.dev", "depends: \"other\"").pinned("other.dev", "depends: \"mine\""),
        ),
        (
            "a_conflict_with_itself",
            ask("mine").pinned("mine.1", "conflicts: \"mine\"").in_dialect(Dialect::SolverService),
        ),
    ];
    for (name, asked) in asked {
        let roots: Vec<String> = asked.request.roots.iter().map(ToString::to_string).collect();
        insta::with_settings!({ description => roots.join(", "), omit_expression => true }, {
            insta::assert_snapshot!(name, asked.explained(&index));
        });
    }
}
