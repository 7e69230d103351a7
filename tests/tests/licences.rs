//! What others wrote is under licences that `deny.toml` allows, and THIRD-PARTY.md names what has to be named.

use caravan_tests::workspace;
use std::process::Command;

#[derive(serde::Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(serde::Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

fn packages_of_others() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline", "--all-features"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    metadata.packages.into_iter().filter(|package| package.source.is_some()).collect()
}

/// Whether a licence expression can be met with these licences.
fn is_met(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let parsed = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX).unwrap();
    parsed.evaluate(|wanted| allowed(&wanted.to_string()))
}

#[test]
fn every_licence_is_allowed() {
    let deny: toml::Table = fs_err::read_to_string(workspace().join("deny.toml")).unwrap().parse().unwrap();
    let allowed: Vec<&str> =
        deny["licenses"]["allow"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let packages = packages_of_others();
    assert!(packages.len() > 100);
    let refused = packages.iter().filter(|package| {
        let expression = package.license.as_deref().unwrap_or("none");
        !is_met(expression, &|id| allowed.contains(&id))
    });
    let refused: Vec<String> = refused.map(|package| format!("{}: {:?}", package.name, package.license)).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn what_is_under_the_mozilla_licence_is_named() {
    let notices = fs_err::read_to_string(workspace().join("THIRD-PARTY.md")).unwrap();
    let packages = packages_of_others();
    let named = packages.iter().filter(|package| {
        package
            .license
            .as_deref()
            .is_some_and(|license| !is_met(license, &|id| id != "MPL-2.0" && !id.starts_with("LGPL")))
    });
    for Package { name, version, .. } in named {
        assert!(notices.contains(&format!("| `{name}` | {version} |")), "{name} {version}");
    }
}

#[test]
fn an_expression_is_met_by_one_of_several_licences() {
    let mit = |id: &str| id == "MIT";
    assert!(is_met("MIT/Apache-2.0", &mit) && is_met("Unlicense OR MIT", &mit));
    assert!(!is_met("MIT AND BSD-3-Clause", &mit) && !is_met("MPL-2.0", &mit));
}
