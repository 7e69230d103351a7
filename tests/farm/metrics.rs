//! What is counted, in Prometheus's formats; the alerts and the dashboard ask for what is there.

use crate::http::{JSON, said};
use crate::running::{Running, request};
use caravan_tests::git::{COMPILERS, Repository};
use caravan_tests::workspace;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

/// The text, checked by the rules of `promtool check metrics`; the kind of each family.
fn families(text: &str) -> BTreeMap<String, String> {
    let (mut kinds, mut helps, mut samples) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            assert!(!help.trim().is_empty() && helps.insert(name, help).is_none(), "{line}");
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            assert!(helps.contains_key(name), "no help: {line}");
            assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok() && samples.insert(sample), "twice, or no number: {line}");
            let name = sample.split('{').next().unwrap();
            let parts = ["_bucket", "_sum", "_count"];
            let family =
                parts.iter().find_map(|part| name.strip_suffix(part).filter(|family| kinds.contains_key(*family)));
            let is_histogram = family.is_some_and(|family| kinds[family] == "histogram");
            assert!(is_histogram || kinds.contains_key(name), "no type: {line}");
        }
    }
    for (name, kind) in &kinds {
        assert!(["counter", "gauge", "histogram"].contains(&kind.as_str()), "{name} {kind}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name} {kind}");
        assert!(!name.chars().any(|c| c.is_ascii_uppercase() || c == ':'), "{name}");
        let has_base_unit = !["milliseconds", "minutes", "hours", "kilobytes", "mebibytes", "ms", "mb"]
            .iter()
            .any(|unit| name.trim_end_matches("_total").ends_with(&format!("_{unit}")));
        assert!(has_base_unit, "{name}");
        assert!(kind == "gauge" || !name.contains(&format!("_{kind}")), "{name}");
    }
    kinds
}

/// What promtool says, where it is installed; it is asked beside our own checks.
fn promtool(arguments: &[&str], input: &str) {
    let mut command = Command::new("promtool");
    let child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else { return };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
}

/// The names that an expression asks for.
fn asked(expression: &str) -> impl Iterator<Item = &str> {
    let names = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    names.filter(|name| name.starts_with("caravan_") || name.starts_with("ocluster_"))
}

#[test]
fn the_text_keeps_prometheus_rules() {
    let (_service, address) = Running::serve(&["--workers=1"]);
    said(&address, "POST", "/v1/solve", &[JSON], b"{}");
    for accept in [None, Some(("accept", "*/*")), Some(("accept", "text/plain;version=0.0.4"))] {
        let headers: Vec<(&str, &str)> = accept.into_iter().collect();
        let metrics = said(&address, "GET", "/metrics", &headers, b"");
        assert_eq!(metrics.kind, "text/plain; version=0.0.4; charset=utf-8");
        assert!(families(&metrics.body).len() > 15);
        promtool(&["check", "metrics"], &metrics.body);
    }
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let metrics = said(&address, "GET", "/metrics", &[("accept", prometheus)], b"");
    assert_eq!(metrics.kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(metrics.body.ends_with("# EOF\n"));
}

#[test]
fn alerts_and_panels_ask_for_what_is_counted() {
    let (_service, address) = Running::serve(&["--workers=1"]);
    let repository = Repository::new();
    let commit = repository.commit(&COMPILERS);
    let body = serde_json::to_vec(&request(&[(&repository, &commit)], "depends: \"ocaml\"")).unwrap();
    assert_eq!(said(&address, "POST", "/v1/solver-service", &[JSON], &body).status, 200);
    let kinds = families(&said(&address, "GET", "/metrics", &[], b"").body);
    let is_counted = |name: &str| {
        let parts = ["_bucket", "_sum", "_count"];
        let family = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
        assert!(kinds.contains_key(name) || kinds.get(family).is_some_and(|kind| kind == "histogram"), "{name}");
    };
    let dashboard = fs_err::read(workspace().join("deploy/grafana.json")).unwrap();
    let dashboard: Value = serde_json::from_slice(&dashboard).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            asked(target["expr"].as_str().unwrap()).for_each(is_counted);
        }
    }
    let file = workspace().join("deploy/alerts.yml");
    let alerts = fs_err::read_to_string(&file).unwrap();
    let (mut names, mut expressions, mut summaries) = (BTreeSet::new(), 0, 0);
    for line in alerts.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("- alert: ") {
            assert!(names.insert(name), "{name} is there twice");
        } else if let Some(expression) = line.strip_prefix("expr: ") {
            expressions += 1;
            assert!(asked(expression).count() > 0 || expression.starts_with("up{"), "{expression}");
            asked(expression).for_each(is_counted);
            let count = |c: char| expression.matches(c).count();
            assert!(count('(') == count(')') && count('{') == count('}') && count('[') == count(']'), "{expression}");
        } else if line.starts_with("summary: ") {
            summaries += 1;
        }
    }
    assert!(names.len() >= 5, "{names:?}");
    assert_eq!((names.len(), names.len()), (expressions, summaries));
    promtool(&["check", "rules", &file.display().to_string()], "");
}
