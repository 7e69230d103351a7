//! Findings for people and programs.
//!
//! ```text
//! matrices, a comparison ── HealthReport (the JSON) ──> text, Markdown, a page, opam-health-check's JSON
//! builds, a schedule ── BuildsReport (the JSON) ──> text, DOT
//! documentation ── DocsReport (the JSON) ──> text
//! ```

mod builds;
mod charts;
mod docs;
mod health;
mod markdown;
mod page;
mod text;

pub use builds::{BuildsReport, JobReport, dot};
pub use docs::DocsReport;
pub use health::{
    BlockerReport, CellReport, ComparisonReport, HealthCheckPackage, HealthReport, PackageReport, PlatformReport,
    ReasonReport,
};
pub use markdown::markdown;
pub use page::page;
pub use text::{builds_text, docs_text, health_text};

/// `1 package`, `2 packages`.
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
