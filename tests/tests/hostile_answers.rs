//! Whatever stands in an answer, what people are shown of it is text: no order to a terminal, no line that a workflow of
//! GitHub would obey.

use crate::schemas::questions;
use caravan::render::{Format, TextOptions, render};
use caravan::{Answer, Context, Local, Options, Question, Silent, Stop, ask};
use caravan_tests::workspace;
use serde_json::{Value, json};

const ORDERS: &str = "\x1b]0;t\x07\u{9b}5m\u{202e}\n::error file=x::y\n##[error]z</details><img src=x>@all|`\"";

fn answers() -> Vec<Value> {
    let cache = tempfile::tempdir().unwrap();
    let options = Options {
        repositories: vec![workspace().join("examples/repository").display().to_string()],
        cache: Some(cache.path().to_owned()),
        ..Options::default()
    };
    let mut local = Local::new(options).unwrap();
    let mut answers: Vec<Value> = questions()
        .into_iter()
        .filter(|question| question.get("mirage-ci").is_none())
        .map(|question| {
            let question: Question = serde_json::from_value(question).unwrap();
            let stop = Stop::new();
            let answer = ask(&question, &mut Context { repositories: &mut local, observer: &Silent, stop: &stop });
            serde_json::from_slice(&answer.unwrap().to_json().unwrap()).unwrap()
        })
        .collect();
    let fact = json!({ "kind": "asked", "package": "a" });
    answers.push(json!({ "schema": "caravan.bisect/1", "roots": ["a"], "platform": { "os": "linux" }, "sought": "installable",
        "installable": false, "newest": "c", "oldest": "b", "commits": 2, "solved": 2, "turns": [{ "commit": "c", "seconds": 0,
        "summary": "s", "author": "w", "before": true, "after": false, "facts": [fact], "differences": [] }] }));
    answers
}

/// The places of all texts in a value, as JSON pointers.
fn texts(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(place.to_owned()),
        Value::Array(parts) => {
            parts.iter().enumerate().for_each(|(at, part)| texts(part, &format!("{place}/{at}"), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| texts(member, &format!("{place}/{name}"), found));
        }
        _ => {}
    }
}

/// What is left of a text without the styles of the palette.
fn unstyled(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| match part.split_once('m') {
        Some((numbers, rest)) if numbers.chars().all(|c| c.is_ascii_digit() || c == ';') => shown + rest,
        _ => shown + "\x1b[" + part,
    })
}

fn check(answer: &Answer, place: &str) {
    for (verbose, tree) in [(false, false), (true, true)] {
        let options = TextOptions { verbose, tree };
        for format in [Format::Text, Format::Markdown, Format::Github, Format::Dot] {
            // A patch is data.
            if matches!((format, answer), (Format::Text, Answer::Bounds(_) | Answer::Batch(_))) {
                continue;
            }
            let Some(shown) = render(answer, format, options) else { continue };
            let shown = unstyled(&shown);
            let order = shown.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t') || *c == '\u{202e}');
            assert_eq!(order, None, "{place} as {format:?}: {shown:?}");
            for line in shown.lines() {
                let is_order = line.trim_start().starts_with("::error file=x");
                assert!(!is_order && !line.contains("##["), "{place} as {format:?}: {line:?}");
            }
            if format == Format::Markdown {
                let outside_code: String = shown.split('`').step_by(2).collect();
                assert!(!outside_code.contains("<img") && !outside_code.contains("@all"), "{place}: {shown}");
            }
            if format == Format::Dot {
                assert!(
                    shown.lines().all(|line| line.matches('"').count() % 2 == line.matches("\\\"").count() % 2),
                    "{shown}"
                );
            }
        }
    }
}

#[test]
fn no_text_of_an_answer_is_an_order() {
    let mut changed = 0;
    for json in answers() {
        let mut places = Vec::new();
        texts(&json, "", &mut places);
        let read = |json: Value| serde_json::from_value::<Answer>(json);
        assert!(read(json.clone()).is_ok(), "{json:#}");
        for place in places {
            let mut hostile = json.clone();
            let text = hostile.pointer_mut(&place).unwrap();
            *text = format!("{ORDERS}{}", text.as_str().unwrap()).into();
            // Words of which there are only some are not read.
            if let Ok(answer) = read(hostile) {
                changed += 1;
                check(&answer, &place);
            }
        }
    }
    assert!(changed > 500, "{changed}");
}
