//! The answers and the logs of the real solver-service, and of the solvers of ocaml-docs-ci and mirage-ci.

use caravan::protocols::solver_service::SolveRequest;
use caravan::protocols::{docs_ci, mirage_ci};
use caravan::question::DocsCi;
use caravan::repository::{CloneName, RepositoryName};
use caravan::{Answer, Question, Stop};
use caravan_tests::opened::Opened;
use caravan_tests::{shared_repository, shared_xz};
use std::path::PathBuf;

/// Requests whose answers differ, with the reason.
const DIFFERENT_ANSWERS: [(&str, &str); 1] =
    [("e04-missingcommit", "the service finds out that a commit is missing: tests/farm/scenarios.rs has its answer")];

/// Requests whose logs differ beside the reasons why there is no solution, with the reason.
const DIFFERENT_LOGS: [(&str, &str); 1] =
    [("e06-badocaml", "the real service dies of this version of OCaml; here it is refused before anything is logged")];

/// What was asked of the real service.
#[derive(serde::Deserialize)]
struct Row {
    name: String,
    family: String,
    request: String,
    answer: String,
    log: Option<String>,
}

/// The repository of a URL or a folder.
fn folder(name: &str) -> PathBuf {
    let name = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".git");
    match name {
        "opam-repository" => shared_repository("opam-repository.bundle"),
        name => shared_repository(&format!("oracle/solver-service/bundles/{name}.bundle")),
    }
}

/// The question of a row, or the exception that its client gets.
fn question(row: &Row) -> Result<Question, String> {
    match row.family.as_str() {
        "docs" => {
            let request: docs_ci::SolveRequest = serde_json::from_str(&row.request).unwrap();
            Ok(Question::DocsCi(Box::new(DocsCi { repository: "./opam-repository".to_owned(), request })))
        }
        "mir" => {
            let request: mirage_ci::SolveRequest = serde_json::from_str(&row.request).unwrap();
            Ok(Question::MirageCi(Box::new(request)))
        }
        _ => {
            let read = SolveRequest::from_ocaml(row.request.as_bytes());
            let (request, text) = read.map_err(|error| format!("EXN Failed: {error}"))?;
            // What a worker reads is what was meant.
            assert_eq!(serde_json::from_slice::<SolveRequest>(&text).unwrap(), request, "{}", row.name);
            Ok(Question::SolverService(Box::new(request)))
        }
    }
}

/// The answer in JSON, and the log.
fn asked(question: &Question, opened: &mut Opened) -> (String, Vec<String>) {
    for name in question.repositories() {
        let name = RepositoryName { commit: name.commit, url: name.url };
        if !opened.has(&name) {
            opened.open(name.clone(), &folder(&name.url));
        }
    }
    for name in question.clones() {
        let name = CloneName { folder: name.folder, commit: name.commit };
        if !opened.has_clone(&name) {
            opened.open_clone(name.clone(), &folder(&name.folder));
        }
    }
    let (answer, log) = opened.ask(question, &Stop::new());
    let json = match answer.unwrap() {
        Answer::SolverService(response) => response.to_json(),
        Answer::DocsCi(response) => response.to_json(),
        Answer::MirageCi(response) => response.to_json(),
        other => panic!("{other:?}"),
    };
    (String::from_utf8(json).unwrap(), log)
}

/// The entries of a log that the real service wrote, without times and line breaks.
fn entries(log: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        let begins = line.get(19..27) == Some(" [INFO] ");
        match (begins, entries.last_mut()) {
            (false, Some(last)) => {
                last.push(' ');
                last.push_str(line);
            }
            _ => entries.push(line[27..].to_owned()),
        }
    }
    entries
}

/// What counts of a log: no seconds, no reasons why there is no solution, no order of what is finished first.
fn essence(entries: Vec<String>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut explains = false;
    for entry in entries {
        let entry = entry.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_section = entry.starts_with("= ") && entry.ends_with(" =");
        if entry.starts_with("Can't find all required versions.") {
            lines.push("Can't find all required versions.".to_owned());
            explains = true;
        } else if is_section || !explains {
            explains = false;
            let ended = [": found solution in ", ": eliminated all possibilities in "];
            let place = ended.iter().find_map(|text| entry.find(text).map(|at| at + text.len()));
            lines.push(place.map_or(entry.clone(), |end| entry[..end].to_owned()));
        }
    }
    let first_section = lines.iter().position(|line| line.starts_with("= ")).unwrap_or(lines.len());
    if let Some(between) = lines.get_mut(1..first_section) {
        between.sort();
    }
    lines
}

fn is_listed(name: &str, list: &[(&str, &str)]) -> bool {
    list.iter().any(|(listed, _)| *listed == name)
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_answer_is_that_of_the_real_services() {
    let rows = shared_xz("oracle/solver-service/answers.jsonl.xz");
    let mut opened = Opened::default();
    let (mut answers, mut logs) = (0, 0);
    let mut different = Vec::new();
    for row in rows.lines() {
        let row: Row = serde_json::from_str(row).unwrap();
        let (answer, log) = match question(&row) {
            Err(exception) => (exception, vec![]),
            Ok(_) if row.answer.contains("Still missing commit") => (String::new(), vec![]),
            Ok(question) => asked(&question, &mut opened),
        };
        if (answer == row.answer) == is_listed(&row.name, &DIFFERENT_ANSWERS) {
            different.push(format!("{}:\n  ours   {answer}\n  theirs {}", row.name, row.answer));
        }
        answers += 1;
        let (ours, theirs) = (essence(log), essence(entries(row.log.as_deref().unwrap_or_default())));
        if (ours == theirs) == is_listed(&row.name, &DIFFERENT_LOGS) {
            different.push(format!("{}: log\n  ours   {ours:#?}\n  theirs {theirs:#?}", row.name));
        }
        logs += 1;
    }
    assert!(different.is_empty(), "{} differ\n{}", different.len(), different.join("\n"));
    assert_eq!((answers, logs), (190, 190));
}
