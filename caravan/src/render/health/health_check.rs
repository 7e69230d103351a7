//! The JSON of opam-health-check, `/api/v1/latest/packages`.

use crate::answer::{HealthAnswer, HealthCell, HealthPackage, HealthPlatform};
use serde::Serialize;

#[derive(Serialize)]
struct Package<'a> {
    name: &'a str,
    statuses: Vec<Status<'a>>,
}

#[derive(Serialize)]
struct Status<'a> {
    compiler: &'a str,
    status: &'static str,
}

/// The packages with what they are on each platform: what can be installed is `good`, all else `not-available`.
pub(in crate::render) fn health_check(answer: &HealthAnswer, out: &mut String) {
    let package = |row| package(row, &answer.platforms);
    let packages: Vec<Package<'_>> = answer.packages.iter().map(package).collect();
    // Text and lists always make JSON.
    out.push_str(&serde_json::to_string_pretty(&packages).unwrap_or_default());
    out.push('\n');
}

fn package<'a>(row: &'a HealthPackage, platforms: &'a [HealthPlatform]) -> Package<'a> {
    let status = |(platform, cell): (&'a HealthPlatform, &Option<HealthCell>)| Status {
        compiler: &platform.id,
        status: match cell {
            Some(HealthCell::Installable { .. }) => "good",
            _ => "not-available",
        },
    };
    Package { name: &row.package, statuses: platforms.iter().zip(&row.cells).map(status).collect() }
}
