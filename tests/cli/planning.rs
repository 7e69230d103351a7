//! Plans: `platforms`, `health`, `builds`, `docs` and `lock`, on the example repository.

use crate::caravan::{Place, examples};
use crate::repositories::{git, write};

fn run(arguments: &[&str]) -> String {
    let repository = examples();
    Place::new().run(&[&["--repo", &repository], arguments].concat())
}

#[test]
fn platforms_and_sets() {
    insta::assert_snapshot!("sets", run(&["platforms"]));
    insta::assert_snapshot!(
        "platforms",
        run(&["platforms", "opam-repo-ci-compilers", "ubuntu-24.04-5.4_riscv64", "5.4"])
    );
    insta::assert_snapshot!("platforms_json", run(&["platforms", "debian-13-5.4.0_opam-2.2", "--format", "json"]));
    for (platform, said) in [
        ("debian", "no distribution begins its name"),
        ("debian-13", "names no compiler"),
        ("debian-13-7.7", "has no compiler for OCaml 7.7"),
        ("archlinux-5.4_s390x", "archlinux has no s390x"),
    ] {
        let shown = run(&["platforms", platform]);
        assert!(shown.contains(said), "{shown}");
    }
    // The catalogue that is printed can be given back.
    let place = Place::new();
    let toml = place.run(&["platforms", "--toml"]);
    let (_, toml) = toml.split_once("--- stdout\n").unwrap();
    let own = place.path("own.toml");
    fs_err::write(&own, toml.replace("name = \"mirage-ci\"", "name = \"mine\"")).unwrap();
    let shown = run(&["platforms", "mine", "--catalogue", &own.display().to_string()]);
    assert!(shown.contains("debian-13-5.4_arm64"), "{shown}");
    fs_err::write(&own, toml.replace("tier = 1", "tear = 1")).unwrap();
    let shown = place.run(&["--repo", &examples(), "platforms", "--catalogue", &own.display().to_string()]);
    insta::assert_snapshot!("broken_catalogue", shown);
}

#[test]
fn a_health_check() {
    insta::assert_snapshot!("health", run(&["health", "--platform", "compilers"]));
    insta::assert_snapshot!("health_of_some", run(&["health", "--platform", "4.14,5.4", "stuck*", "mint*"]));
    insta::assert_snapshot!("health_markdown", run(&["health", "--platform", "4.14,5.4", "--format", "markdown"]));
    insta::assert_snapshot!(
        "health_json",
        run(&["health", "--platform", "5.4", "stuck-*", "ring-a", "--format", "json"])
    );
    insta::assert_snapshot!(
        "health_check",
        run(&["health", "--platform", "4.14,5.4", "mint-*", "--format", "health-check"])
    );
    insta::assert_snapshot!("health_of_one", run(&["health", "--platform", "4.14,5.4", "caravan-demo"]));
    let described = run(&["health", "--platform", "macos/arm64", "--ocaml", "5.4", "dune-sand*"]);
    assert!(described.contains("macos arm64, OCaml 5.4"), "{described}");
    let tests = run(&["health", "--platform", "5.4", "caravan-check", "--with-test", "-v"]);
    assert!(tests.starts_with("exit code: 0"), "{tests}");
}

#[test]
fn compilers_beside_each_other() {
    insta::assert_snapshot!("compared", run(&["health", "--compare", "5.4", "5.3"]));
    let none = run(&["health", "--compare", "5.4", "4.14", "--blockers", "0"]);
    assert!(none.contains("6 packages lost") && !none.contains("stands in the way"), "{none}");
    insta::assert_snapshot!(
        "compared_json",
        run(&["health", "--compare", "5.4", "5.3", "saffron", "mint-tls", "--format", "json"])
    );
    insta::assert_snapshot!("compared_markdown", run(&["health", "--compare", "5.4", "4.14", "--format", "markdown"]));
}

#[test]
fn commits_beside_each_other() {
    let place = Place::new();
    let root = place.path("repo");
    fs_err::create_dir_all(&root).unwrap();
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    write(&root, "ocaml-base-compiler.5.4.0", "flags: compiler");
    write(&root, "ocaml.5.4.0", "depends: \"ocaml-base-compiler\" {= \"5.4.0\"}");
    write(&root, "lib.1.0", "depends: \"ocaml\"");
    write(&root, "tool.1.0", "depends: \"lib\"");
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "-m", "one"]);
    write(&root, "lib.1.0", "depends: \"ocaml\" {< \"5.0\"}");
    write(&root, "other.1.0", "depends: \"ocaml\"");
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "-m", "two"]);
    let repo = root.display().to_string();
    let shown = place.run(&["--repo", &repo, "health", "--compare", "5.4@HEAD~1", "5.4@HEAD"]);
    insta::assert_snapshot!("commits", shown);
    let shown = place.run(&["--repo", &repo, "health", "--compare", "@HEAD~1", "@HEAD"]);
    assert!(shown.contains("2 packages lost"), "{shown}");
    insta::assert_snapshot!(
        "docs_of_commits",
        place.run(&["--repo", &repo, "docs", "--platform", "5.4", "--base", "HEAD~1"])
    );
    for (arguments, said) in [
        (&["health", "--compare", "5.4", "5.4"][..], "the same platform and commit twice"),
        (&["health", "--compare", "5.4@nowhere", "5.4"], "nowhere"),
        (&["health", "--compare", "opam-repo-ci-extras", "5.4"], "compares two platforms, not sets"),
        (&["docs", "--platform", "5.4", "--base", "nowhere"], "has no revision `nowhere`"),
    ] {
        let shown = place.run(&[&["--repo", &repo], arguments].concat());
        assert!(!shown.starts_with("exit code: 0") && shown.contains(said), "{shown}");
    }
}

#[test]
fn overlays_count_as_they_are_named() {
    let place = Place::new();
    let (base, overlay) = (place.path("base"), place.path("overlay"));
    write(&base, "ocaml-base-compiler.5.4.0", "flags: compiler");
    write(&base, "ocaml.5.4.0", "depends: \"ocaml-base-compiler\" {= \"5.4.0\"}");
    write(&base, "lib.1.0", "depends: \"ocaml\" {< \"5.0\"}");
    write(&base, "tool.1.0", "depends: \"lib\"");
    // The overlay has the same version, mended.
    write(&overlay, "lib.1.0", "depends: \"ocaml\"");
    let [base, overlay] = [base, overlay].map(|path| path.display().to_string());
    let installable = |arguments: &[&str], expected: u64| {
        for (command, counted) in
            [("health", "/platforms/0/installable"), ("builds", "/platforms/0/jobs"), ("docs", "/solutions")]
        {
            let shown = place.run(&[arguments, &[command, "--platform", "5.4", "--format", "json"]].concat());
            let (_, json) = shown.split_once("--- stdout\n").unwrap();
            let answer: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(answer.pointer(counted).unwrap(), expected, "{command} {arguments:?}: {shown}");
        }
    };
    installable(&["--repo", &base], 2);
    installable(&["--repo", &overlay, "--repo", &base], 4);
    installable(&["--repo", &base, "--repo", &overlay], 2);
    installable(&["--repo", &base, "--repo", &overlay, "--repo-precedence", "last"], 4);
    let hidden = place.run(&["--repo", &base, "--repo", &overlay, "health", "--platform", "5.4", "tool"]);
    assert!(hidden.contains("lib.1.0 requires ocaml < 5.0"), "{hidden}");
    let several = place.run(&["--repo", &base, "--repo", &overlay, "builds", "--platform", "5.4", "--obuilder", "out"]);
    assert!(several.starts_with("exit code: 2") && several.contains("there are several"), "{several}");
    // A project is locked with what the overlay says.
    fs_err::write(place.path("here/mine.opam"), "opam-version: \"2.0\"\ndepends: \"tool\"\n").unwrap();
    assert!(place.run(&["--repo", &base, "lock"]).starts_with("exit code: 1"));
    assert!(place.run(&["--repo", &overlay, "--repo", &base, "lock"]).starts_with("exit code: 0"));
}

#[test]
fn what_a_plan_cannot_be_made_for() {
    insta::assert_snapshot!("no_such_package", run(&["health", "--platform", "5.4", "safron"]));
    for (arguments, said) in [
        (&["health", "--platform", "5.4", "x*y*z"][..], "no package is called x*y*z"),
        (&["health", "--platform", "5.4", "--ocaml", "5.3"], "so `--ocaml` cannot be used with it"),
        (&["builds", "--platform", "linux/x86_64/debian-13", "--ocaml", "5.4"], "has no image to build in"),
        (&["builds", "--platform", "5.4", "--per-job"], "none are wanted"),
        (&["builds", "--platform", "5.4", "--workers", "0"], "--workers"),
        (&["health", "--format", "dot"], "does not know `--format dot`"),
        (&["solve", "saffron", "--format", "html"], "does not know `--format html`"),
        (&["health", "--platform", "5.4", "--time-limit", "0"], "exit code: 7"),
        (&["health", "--platform", "mingw"], "is not a platform"),
        // The set's compilers are not there.
        (&["platforms", "docs-ci", "--catalogue", "/nowhere"], "/nowhere"),
    ] {
        let shown = run(arguments);
        assert!(!shown.starts_with("exit code: 0") && shown.contains(said), "{arguments:?}: {shown}");
    }
    // A compiler that cannot be installed itself.
    let place = Place::new();
    let root = place.path("repo");
    write(&root, "ocaml-base-compiler.5.4.0", "depends: \"nosuch\"");
    write(&root, "lib.1.0", "");
    let shown = place.run(&["--repo", &root.display().to_string(), "health", "--platform", "5.4"]);
    insta::assert_snapshot!("impossible_compiler", shown);
}

#[test]
fn builds_and_when_to_do_them() {
    insta::assert_snapshot!("builds", run(&["builds", "--platform", "compilers", "--workers", "2"]));
    insta::assert_snapshot!("builds_dot", run(&["builds", "--platform", "5.4", "tent-*", "--format", "dot"]));
    insta::assert_snapshot!("builds_json", run(&["builds", "--platform", "5.4", "tent-*", "--format", "json"]));
    let place = Place::new();
    let times = place.path("times");
    fs_err::write(&times, "ocaml-base-compiler 300\ncamel-build.2.4 60\n* 5\n").unwrap();
    let file = times.display().to_string();
    insta::assert_snapshot!("builds_timed", run(&["builds", "--platform", "5.4", "--workers", "4", "--times", &file]));
    fs_err::write(&times, "ocaml-base-compiler 300\ncamel-build.2.4 soon\n").unwrap();
    let shown = place.run(&["--repo", &examples(), "builds", "--platform", "5.4", "--times", &file]);
    insta::assert_snapshot!("wrong_times", shown);
}

#[test]
fn recipes() {
    let place = Place::new();
    let root = place.path("repo");
    fs_err::create_dir_all(&root).unwrap();
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    write(&root, "ocaml-base-compiler.5.4.0", "flags: compiler");
    write(&root, "ocaml.5.4.0", "depends: \"ocaml-base-compiler\" {= \"5.4.0\"}");
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "-m", "a compiler"]);
    // Enough packages on one library for a layer of their own.
    write(&root, "lib.1.0", "depends: \"ocaml\"");
    (0..12).for_each(|number| write(&root, &format!("tool-{number:02}.1"), "depends: \"lib\""));
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "-m", "a library and its users"]);
    write(&root, "alone.1", "");
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "-m", "something else"]);
    let repo = format!("{}#main", root.display());
    let out = place.path("out");
    let directory = out.display().to_string();
    let build = |arguments: &[&str]| {
        let shown = place.run(&[&["--repo", &repo, "builds", "--platform", "5.4"], arguments].concat());
        assert!(shown.starts_with("exit code: 0"), "{shown}");
    };
    build(&["--dockerfile", &directory]);
    insta::assert_snapshot!("dockerfile", fs_err::read_to_string(out.join("debian-13-5.4.Dockerfile")).unwrap());
    build(&["alone", "lib", "--obuilder", &directory]);
    insta::assert_snapshot!("spec", fs_err::read_to_string(out.join("debian-13-5.4.spec")).unwrap());
    build(&["--obuilder", &directory, "--dockerfile", &directory, "--per-job"]);
    let own = out.join("debian-13-5.4");
    insta::assert_snapshot!("job_spec", fs_err::read_to_string(own.join("tool-03.1.spec")).unwrap());
    insta::assert_snapshot!("job_dockerfile", fs_err::read_to_string(own.join("tool-03.1.Dockerfile")).unwrap());
    // Tests are run of what the job is about, not of what it needs.
    write(&root, "tested.1", "depends: [\"lib\" \"alone\" {with-test}]");
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "-m", "something with tests"]);
    build(&["tested", "--with-test", "--obuilder", &directory, "--per-job"]);
    let spec = fs_err::read_to_string(own.join("tested.1.spec")).unwrap();
    assert!(spec.contains("lib.1.0 && opam install --with-test tested.1"), "{spec}");
    // A working tree has no commit to go to: it is copied.
    let shown = place.run(&[
        "--repo",
        &root.display().to_string(),
        "builds",
        "--platform",
        "5.4",
        "alone",
        "--obuilder",
        &directory,
    ]);
    assert!(shown.starts_with("exit code: 0"), "{shown}");
    let spec = fs_err::read_to_string(out.join("debian-13-5.4.spec")).unwrap();
    assert!(spec.contains("(copy (src .) (dst /home/opam/opam-repository) (exclude .git))"), "{spec}");
}

#[test]
fn documentation() {
    insta::assert_snapshot!("docs", run(&["docs", "--platform", "5.4"]));
    insta::assert_snapshot!("docs_json", run(&["docs", "--platform", "5.4", "tent-*", "mint-*", "--format", "json"]));
}

#[test]
fn lock_files() {
    let place = Place::new();
    let project = place.path("here");
    let opam = "opam-version: \"2.0\"\nsynopsis: \"Mine\"\ndepends: [\n  \"camel-build\" # it builds\n  \"saffron\" {>= \"1.0\"}\n  \"caravan-check\" {with-test}\n]\nbuild: [\"camel\" \"build\"]\n";
    fs_err::write(project.join("mine.opam"), opam).unwrap();
    let repository = examples();
    let lock = |arguments: &[&str]| place.run(&[&["--repo", &repository, "lock"], arguments].concat());
    insta::assert_snapshot!("locked", lock(&["--ocaml", "5.4"]));
    insta::assert_snapshot!("opam_locked", fs_err::read_to_string(project.join("mine.opam.locked")).unwrap());
    let shown = lock(&["--build-only", "--format", "json"]);
    // Every answer has the file's text and its name; only the command line says where it was written.
    assert!(shown.contains("caravan.lock/2") && shown.contains("\"path\": \"mine.opam.locked\""), "{shown}");
    assert!(shown.contains("\"text\": \"opam-version: ") && !shown.contains("caravan-check"), "{shown}");
    let locked = fs_err::read_to_string(project.join("mine.opam.locked")).unwrap();
    assert!(!locked.contains("with-test"), "{locked}");
    insta::assert_snapshot!("not_with_dune", lock(&["--for", "opam-monorepo"]));
    assert!(lock(&["--allow-jbuilder"]).starts_with("exit code: 2"));
    fs_err::write(project.join("mine.opam"), opam.replace("1.0", "9.0")).unwrap();
    insta::assert_snapshot!("nothing_to_lock", lock(&[]));
}

#[test]
fn a_monorepo() {
    let place = Place::new();
    let root = place.path("repo");
    let url = |name: &str| {
        format!("url {{ src: \"https://example.org/{name}.tgz\" checksum: \"md5=0123456789abcdef0123456789abcdef\" }}")
    };
    write(&root, "ocaml-base-compiler.5.4.0", &format!("flags: compiler\nbuild: [\"make\"]\n{}", url("ocaml")));
    write(&root, "ocaml.5.4.0", "depends: \"ocaml-base-compiler\" {= \"5.4.0\"}");
    write(&root, "dune.3.20", &format!("depends: \"ocaml\"\nbuild: [\"make\"]\n{}", url("dune")));
    let dune = |name: &str, archive: &str, more: &str| {
        format!(
            "depends: [\"dune\" {more}]\nbuild: [\"dune\" \"build\"]\ndev-repo: \"git+https://example.org/{name}.git\"\n{}",
            url(archive)
        )
    };
    // Two packages of one repository; the newest of one is from another archive than the other's.
    write(&root, "one.1.0", &dune("pair", "pair-1.0", ""));
    write(&root, "one.1.1", &dune("pair", "pair-1.1", ""));
    write(&root, "two.1.0", &dune("pair", "pair-1.0", ""));
    write(&root, "two.1.1", &dune("pair", "pair-1.1", "\"nosuch\""));
    write(&root, "conf-thing.1", "depexts: [[\"libthing-dev\"] {os-family = \"debian\"}]\nflags: conf");
    write(&root, "made.1.0", &format!("depends: \"ocaml\"\nbuild: [\"make\"]\n{}", url("made")));
    let project = place.path("here");
    fs_err::write(
        project.join("mine.opam"),
        "opam-version: \"2.0\"\ndepends: [\"one\" \"two\" \"conf-thing\" \"old\" {with-test}]\n",
    )
    .unwrap();
    write(&root, "old.1.0", &dune("old", "old", "\"jbuilder\""));
    write(&root, "jbuilder.1.0", &format!("depends: \"ocaml\"\nbuild: [\"make\"]\n{}", url("jbuilder")));
    let repo = root.display().to_string();
    let lock =
        |arguments: &[&str]| place.run(&[&["--repo", &repo, "lock", "--for", "opam-monorepo"], arguments].concat());
    // jbuilder itself does not build with dune.
    let shown = lock(&[]);
    assert!(shown.contains("jbuilder.1.0"), "{shown}");
    let shown = lock(&["--build-only", "--ocaml", "5.4"]);
    assert!(shown.starts_with("exit code: 0"), "{shown}");
    insta::assert_snapshot!("monorepo", fs_err::read_to_string(project.join("mine.opam.locked")).unwrap());
    let crossing = lock(&["--build-only", "--require-cross-compile"]);
    assert!(crossing.starts_with("exit code: 1"), "{crossing}");
}
