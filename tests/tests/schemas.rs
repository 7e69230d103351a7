//! The JSON Schemas in `caravan/schemas` say what is true: of questions, of answers, of what is refused.

use caravan::{Context, ErrorKind, Local, Options, Question, Silent, Stop, ask};
use caravan_tests::workspace;
use fs_err as fs;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn schema(name: &str) -> Value {
    let path = workspace().join(format!("caravan/schemas/{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn validator(name: &str) -> Validator {
    jsonschema::draft202012::new(&schema(name)).unwrap()
}

/// As [`validator`], but a member that the schema does not describe is an error. Schemas themselves say nothing of it,
/// since members are added.
fn strict_validator(name: &str) -> Validator {
    let mut strict = schema(name);
    describe_all(&mut strict, false);
    jsonschema::draft202012::new(&strict).unwrap()
}

fn describe_all(schema: &mut Value, is_part_of_another: bool) {
    match schema {
        Value::Object(members) => {
            let has_properties = members.contains_key("properties");
            for (name, member) in members.iter_mut() {
                match member {
                    Value::Array(parts) if name == "oneOf" => {
                        parts.iter_mut().for_each(|part| describe_all(part, has_properties));
                    }
                    member => describe_all(member, false),
                }
            }
            if has_properties && !is_part_of_another {
                members.insert("unevaluatedProperties".to_owned(), json!(false));
            }
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| describe_all(part, false)),
        _ => {}
    }
}

/// Asserts that a value has a form.
fn fits(validator: &Validator, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?} in {value:#}");
}

#[test]
fn there_is_one_for_questions_one_for_each_kind_and_one_for_errors() {
    let folder = fs::read_dir(workspace().join("caravan/schemas")).unwrap();
    let found: BTreeSet<String> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let names = Question::KINDS.iter().chain(&["question", "error"]).map(|name| format!("{name}.json"));
    assert_eq!(found, names.collect());
    let question = schema("question");
    let kinds = question["oneOf"].as_array().unwrap().iter().map(|kind| kind["required"][0].as_str().unwrap());
    assert_eq!(kinds.collect::<Vec<_>>(), Question::KINDS);
}

/// Questions about the example repository: every kind that can be asked without a history or a network, in the forms
/// that have members of their own.
pub(crate) fn questions() -> Vec<Value> {
    let setting = json!({ "platform": { "os": "linux", "arch": "x86_64", "os-distribution": "debian",
        "os-family": "debian", "os-version": "13", "opam-version": "2.6.1" } });
    let solve = |roots: Value| json!({ "problem": { "setting": setting, "request": { "roots": roots } } });
    let with = |mut members: Value, more: Value| {
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        members
    };
    let demo = || solve(json!([{ "name": "caravan-demo" }]));
    let change = workspace().join("examples/change");
    let project = "opam-version: \"2.0\"\ndepends: \"caravan-log\"\n";
    let variables = json!({ "arch": "x86_64", "os": "linux", "os_family": "debian", "os_distribution": "debian",
        "os_version": "13" });
    let mirage_ci = json!({ "opam_repos_folders": [], "pkgs": ["caravan-demo"], "constraints": [],
        "platforms": [["debian", variables]] });
    vec![
        json!({ "solve": demo() }),
        json!({ "solve": with(demo(), json!({ "explain_versions": true, "ocaml": "4.14" })) }),
        json!({ "solve": with(demo(), json!({ "same_versions": true, "platforms": [{}, {}] })) }),
        json!({ "solve": with(demo(), json!({ "check": true, "platforms": [{}, { "os": "macos" }] })) }),
        json!({ "solve": with(
            solve(json!([{ "name": "ocaml", "constraints": ["< 3.0"] }, { "name": "caravan-demo" }])),
            json!({ "places": true }),
        ) }),
        json!({ "installable": { "setting": setting, "ocaml": "5.4", "all_versions": true } }),
        json!({ "list": { "setting": setting, "patterns": ["caravan-*"] } }),
        json!({ "show": { "setting": setting, "packages": ["caravan-demo", "caravan-log"] } }),
        json!({ "revdeps": { "setting": setting, "packages": ["caravan-log"], "recursive": true, "edges": true } }),
        json!({ "deps": { "setting": setting, "packages": ["caravan-demo"] } }),
        json!({ "impact": { "add": change } }),
        json!({ "bounds": { "add": change, "broken": ["caravan-demo.2.0"] } }),
        json!({ "health": { "compare": [{ "platform": "5.4" }, { "platform": "5.3" }] } }),
        json!({ "builds": { "platforms": ["5.4"], "workers": 4, "recipes": { "obuilder": true, "dockerfile": true } } }),
        json!({ "docs": { "latest": true } }),
        json!({ "lock": { "setting": setting, "packages": [{ "name": "mine", "version": "dev", "opam": project }] } }),
        json!({ "platforms": {} }),
        json!({ "platforms": { "platforms": ["ocaml-ci"] } }),
        json!({ "mirage-ci": mirage_ci }),
        json!({ "batch": [{ "list": {} }, { "show": { "packages": ["no-such-package"] } }] }),
    ]
}

#[test]
fn answers_have_the_forms_that_the_schemas_say() {
    let cache = tempfile::tempdir().unwrap();
    let options = Options {
        repositories: vec![workspace().join("examples/repository").display().to_string()],
        cache: Some(cache.path().to_owned()),
        ..Options::default()
    };
    let mut local = Local::new(options).unwrap();
    let of_questions = validator("question");
    let mut asked = BTreeSet::new();
    for written in questions() {
        fits(&of_questions, &written);
        let question: Question = serde_json::from_value(written.clone()).unwrap();
        // It is written as the schema says, too.
        fits(&of_questions, &serde_json::to_value(&question).unwrap());
        let answer = ask(&question, &mut Context { repositories: &mut local, observer: &Silent, stop: &Stop::new() });
        let answer = answer.unwrap_or_else(|error| panic!("{error:?} for {written:#}"));
        let json: Value = serde_json::from_slice(&answer.to_json().unwrap()).unwrap();
        let of_answers = schema(question.kind());
        if let Some(form) = json.get("schema") {
            assert_eq!(form, &of_answers["title"]);
        }
        fits(&strict_validator(question.kind()), &json);
        // No other version of the form is this one, and nothing stands beside what is described.
        let mut other = json.clone();
        if other.get("schema").is_some() {
            other["schema"] = json!("caravan.other/1");
            assert!(!validator(question.kind()).is_valid(&other), "{}", question.kind());
            let mut more = json.clone();
            more["surplus"] = json!(1);
            assert!(!strict_validator(question.kind()).is_valid(&more), "{}", question.kind());
            assert!(validator(question.kind()).is_valid(&more), "{}", question.kind());
        }
        asked.insert(question.kind());
    }
    let not_asked: Vec<&str> = Question::KINDS.iter().copied().filter(|kind| !asked.contains(kind)).collect();
    assert_eq!(not_asked, ["bisect", "solver-service", "docs-ci"], "these need commits");
}

#[test]
fn what_is_no_question_is_none_by_the_schema() {
    let of_questions = validator("question");
    for wrong in [
        json!({}),
        json!({ "schema": "caravan.question/1" }),
        json!({ "schema": "caravan.question/2", "list": {} }),
        json!({ "list": {}, "show": { "packages": [] } }),
        json!({ "list": { "colour": "red" } }),
        json!({ "show": {} }),
        json!({ "solve": { "problem": { "request": {} } } }),
        json!({ "revdeps": { "packages": "lwt" } }),
        json!({ "impact": { "base": { "url": "https://example.org/r" } } }),
        json!({ "batch": [{ "no-such-kind": {} }] }),
    ] {
        assert!(!of_questions.is_valid(&wrong), "{wrong}");
        assert!(serde_json::from_value::<Question>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn errors_have_the_form_that_their_schema_says() {
    use caravan_farm::servers::error::ErrorReport;
    let mut report = ErrorReport::new("unknown-package", "there is no package `lub`");
    fits(&validator("error"), &serde_json::to_value(&report).unwrap());
    report.hint = Some("did you mean `lib`?");
    report.details = Some("an excerpt");
    fits(&validator("error"), &serde_json::to_value(&report).unwrap());
    assert!(!validator("error").is_valid(&json!({ "schema": "caravan.error/1", "kind": "busy" })));
}

#[test]
fn the_documentation_has_every_member_of_every_question_and_every_kind_of_error() {
    let text = fs::read_to_string(workspace().join("docs/json.md")).unwrap();
    let chapter = text.split("\n# Questions\n").nth(1).unwrap().split("\n# ").next().unwrap();
    let block = chapter.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(serde_json::from_str::<Question>(block).unwrap().kind(), "solve");
    let question = schema("question");
    for (kind, form) in Question::KINDS.iter().zip(question["oneOf"].as_array().unwrap()) {
        assert!(chapter.contains(&format!("**`{kind}`**")), "{kind}");
        let Some(name) = form["properties"][kind]["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"))
        else {
            continue;
        };
        if name == "SolverServiceRequest" || name == "MirageCiRequest" {
            // Described by those who send them.
            continue;
        }
        for member in question["$defs"][name]["properties"].as_object().unwrap().keys() {
            assert!(chapter.contains(&format!("`{member}`")), "`{member}` of {kind}");
        }
    }
    for kind in [
        ErrorKind::No,
        ErrorKind::Question,
        ErrorKind::UnknownPackage,
        ErrorKind::Repository,
        ErrorKind::BrokenFile,
        ErrorKind::System,
        ErrorKind::Deadline,
        ErrorKind::Cancelled,
    ] {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{}` |", kind.name()))).unwrap();
        assert!(row.ends_with(&format!("| {} | {} |", kind.exit_code(), kind.http_status())), "{row}");
    }
}
