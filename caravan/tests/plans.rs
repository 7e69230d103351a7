//! Plans, asked of the example repository as a program asks them: questions in JSON, answers as data.

use caravan::answer::RecipeKind;
use caravan::render::{Format, TextOptions, render};
use caravan::{Answer, Context, Error, ErrorKind, Local, Options, Outcome, Question, Silent, Stop, ask};
use serde_json::{Value, json};

fn answered(question: Value) -> Result<Answer, Error> {
    let question: Question = serde_json::from_value(question).expect("the question is well-formed");
    let cache = tempfile::tempdir().expect("there is a place for the cache");
    let options = Options {
        repositories: vec![concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository").to_owned()],
        cache: Some(cache.path().to_owned()),
        ..Options::default()
    };
    let mut local = Local::new(options)?;
    let answer = ask(&question, &mut Context { repositories: &mut local, observer: &Silent, stop: &Stop::new() })?;
    // What was said is all there is: it can be read back.
    let json = answer.to_json().expect("an answer is JSON");
    let read: Answer = serde_json::from_slice(&json).expect("an answer can be read");
    assert_eq!(read.to_json().expect("an answer is JSON"), json);
    Ok(answer)
}

fn text(answer: &Answer) -> String {
    render(answer, Format::Text, TextOptions::default()).expect("every answer is text")
}

fn refused(question: Value, kind: ErrorKind, said: &str) {
    let error = answered(question).expect_err(said);
    assert!(error.kind == kind && error.message.contains(said), "{error:?}");
}

#[test]
fn a_comparison_says_no_where_something_is_lost() {
    let compared = |a: &str, b: &str| json!({ "health": { "compare": [{ "platform": a }, { "platform": b }] } });
    let answer = answered(compared("5.4", "5.3")).expect("both platforms are there");
    assert_eq!(answer.outcome(), Outcome::No);
    assert!(text(&answer).contains("2 packages lost"));
    let answer = answered(json!({ "health": { "platforms": ["5.4"] } })).expect("the platform is there");
    assert_eq!(answer.outcome(), Outcome::Yes);
    for format in [Format::Markdown, Format::Html, Format::HealthCheck] {
        assert!(render(&answer, format, TextOptions::default()).is_some());
    }
    assert!(render(&answer, Format::Dot, TextOptions::default()).is_none());
    refused(compared("5.4", "5.4"), ErrorKind::Question, "the same platform and commit twice");
    refused(compared("compilers", "5.4"), ErrorKind::Question, "not sets");
}

#[test]
fn packages_are_listed_if_the_question_names_them() {
    let ask = |patterns: Value| answered(json!({ "health": { "platforms": ["5.4"], "patterns": patterns } }));
    let numbers = ask(json!([])).expect("the platform is there");
    assert!(!text(&numbers).contains("can be installed"));
    let each = ask(json!(["saffron"])).expect("the package is there");
    assert!(text(&each).contains("can be installed"));
}

#[test]
fn compilers_without_a_platform_are_for_the_machine() {
    let on = |machine: Value| answered(json!({ "health": { "ocaml": ["5.4"], "machine": machine } }));
    let id = |answer: Answer| match answer {
        Answer::Health(answer) => answer.platforms[0].id.clone(),
        other => panic!("{other:?}"),
    };
    let mac = on(json!({ "os": "macos", "arch": "arm64" })).expect("the compiler is there");
    assert_eq!(id(mac), "macos arm64, OCaml 5.4");
    let linux = on(Value::Null).expect("the compiler is there");
    assert!(id(linux).starts_with("linux x86_64"));
}

#[test]
fn recipes_are_part_of_a_build_plan() {
    let plan = |more: Value| {
        let mut question = json!({ "platforms": ["5.4"], "patterns": ["tent-*"] });
        if let (Some(members), Value::Object(more)) = (question.as_object_mut(), more) {
            members.extend(more);
        }
        answered(json!({ "builds": question }))
    };
    let recipes = json!({ "obuilder": true, "dockerfile": true });
    let Ok(Answer::Builds(answer)) = plan(json!({ "recipes": recipes, "keys": false })) else {
        panic!("the packages are there");
    };
    assert!(answer.builds.iter().all(|build| build.key.is_empty()));
    let files: Vec<(RecipeKind, &str)> =
        answer.recipes.iter().map(|recipe| (recipe.kind, recipe.path.as_str())).collect();
    let expected = [(RecipeKind::Obuilder, "debian-13-5.4.spec"), (RecipeKind::Dockerfile, "debian-13-5.4.Dockerfile")];
    assert_eq!(files, expected);
    let Ok(Answer::Builds(answer)) = plan(json!({ "recipes": { "obuilder": true, "per_job": true } })) else {
        panic!("the packages are there");
    };
    assert!(answer.builds.iter().all(|build| build.key.len() == 32));
    assert_eq!(answer.recipes.len(), answer.jobs.len());
    assert!(answer.recipes.iter().all(|recipe| recipe.path.starts_with("debian-13-5.4/tent-")));
    let refused = |more: Value, said: &str| {
        let error = plan(more).expect_err(said);
        assert!(error.kind == ErrorKind::Question && error.message.contains(said), "{error:?}");
    };
    refused(json!({ "recipes": { "per_job": true } }), "none are wanted");
    refused(json!({ "workers": 0 }), "without workers");
    refused(json!({ "times": "tent-pole soon" }), "malformed");
    refused(json!({ "platforms": ["linux/x86_64"], "ocaml": ["5.4"] }), "has no image");
}

#[test]
fn lock_files_are_in_the_answer() {
    let pin = |name: &str, depends: &str| {
        let opam = format!("opam-version: \"2.0\"\ndepends: [{depends}]\n");
        json!({ "name": name, "version": "dev", "opam": opam })
    };
    let Ok(Answer::Lock(answer)) = answered(json!({ "lock": { "packages": [pin("mine", "\"saffron\"")] } })) else {
        panic!("there is a solution");
    };
    let [file] = answer.files.as_slice() else { panic!("{answer:?}") };
    assert_eq!(file.path, "mine.opam.locked");
    assert!(file.text.contains("\"saffron\" {= ") && file.packages.iter().any(|of| of.starts_with("saffron.")));
    let none = answered(json!({ "lock": { "packages": [pin("mine", "\"saffron\" {>= \"9\"}")] } }));
    let error = none.expect_err("there is no such version");
    assert!(error.kind == ErrorKind::No && error.details.is_some_and(|details| details.contains("saffron >= 9")));
    refused(json!({ "lock": { "packages": [] } }), ErrorKind::Question, "has no packages");
    let both = [pin("mine", ""), pin("other", "")];
    let named = json!({ "lock": { "packages": both, "tool": "opam-monorepo", "name": "../mine" } });
    refused(named, ErrorKind::Question, "cannot be the name of a project");
    let only_for_monorepos = json!({ "lock": { "packages": both, "allow_jbuilder": true } });
    refused(only_for_monorepos, ErrorKind::Question, "are for opam-monorepo");
}

#[test]
fn platforms_are_those_of_the_catalogue() {
    let Ok(Answer::Platforms(answer)) = answered(json!({ "platforms": {} })) else { panic!("there are sets") };
    assert!(answer.platforms.is_empty() && answer.sets.iter().any(|set| set.name == "compilers"));
    let Ok(Answer::Platforms(answer)) = answered(json!({ "platforms": { "platforms": ["5.4", "debian-13-5.4"] } }))
    else {
        panic!("it is there");
    };
    assert_eq!(answer.platforms.iter().map(|platform| platform.id.as_str()).collect::<Vec<_>>(), ["debian-13-5.4"]);
    refused(json!({ "platforms": { "platforms": ["5"] } }), ErrorKind::UnknownPackage, "no compiler for OCaml 5");
    refused(json!({ "platforms": { "catalogue": "x = 1" } }), ErrorKind::Question, "TOML parse error");
    refused(json!({ "docs": { "platform": "compilers" } }), ErrorKind::Question, "is not one platform");
}
