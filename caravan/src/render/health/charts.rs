//! Charts as SVG that stands in a page: colours are the page's.

use crate::answer::{HealthAnswer, HealthComparison, ReasonClass};
use std::fmt::Write;

const BAR: usize = 18;
const STEP: usize = 26;
const LABEL: usize = 230;
const WIDTH: usize = 420;

/// Text as XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The class that the page's style sheet gives a colour.
fn style(class: ReasonClass) -> &'static str {
    match class {
        ReasonClass::CompilerTooNew => "too-new",
        ReasonClass::CompilerTooOld => "too-old",
        ReasonClass::Platform => "platform",
        ReasonClass::MissingDependency => "missing",
        ReasonClass::Conflict => "conflict",
        ReasonClass::Unavailable => "unavailable",
    }
}

fn svg(rows: usize, title: &str, body: &str) -> String {
    let (width, height) = (LABEL + WIDTH + 90, rows * STEP);
    format!(
        "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\
         <title>{}</title>{body}</svg>",
        escaped(title)
    )
}

fn label(body: &mut String, row: usize, text: &str) {
    let (x, y) = (LABEL - 8, row * STEP + BAR - 4);
    let _ = write!(body, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{}</text>", escaped(text));
}

/// The share of packages that can be installed on each platform, and why the others cannot.
pub(super) fn shares(answer: &HealthAnswer) -> String {
    let mut body = String::new();
    for (row, platform) in answer.platforms.iter().enumerate() {
        let total = platform.total().max(1);
        label(&mut body, row, &platform.id);
        let parts = std::iter::once(("good", "can be installed", platform.installable)).chain(
            ReasonClass::ALL
                .into_iter()
                .filter_map(|class| Some((style(class), class.label(), *platform.not_installable.get(&class)?))),
        );
        let mut done = 0;
        for (style, words, count) in parts {
            let start = LABEL + done * WIDTH / total;
            done += count;
            let width = LABEL + done * WIDTH / total - start;
            let y = row * STEP;
            let _ = write!(
                body,
                "<rect class=\"{style}\" x=\"{start}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\">\
                 <title>{}: {count} {words}</title></rect>",
                escaped(&platform.id)
            );
        }
        let share = platform.percentage();
        let (x, y) = (LABEL + WIDTH + 8, row * STEP + BAR - 4);
        let _ = write!(body, "<text x=\"{x}\" y=\"{y}\">{share:.1} %</text>");
    }
    svg(answer.platforms.len(), "Share of packages that can be installed on each platform", &body)
}

/// How many packages each of the constraints that stand in the way would free.
pub(super) fn blockers(comparison: &HealthComparison) -> String {
    let most = comparison.blockers.iter().map(|blocker| blocker.frees.len()).max().unwrap_or(1).max(1);
    let mut body = String::new();
    for (row, blocker) in comparison.blockers.iter().enumerate() {
        label(&mut body, row, &blocker.package);
        let (count, y) = (blocker.frees.len(), row * STEP);
        let width = count * WIDTH / most;
        let text = escaped(&format!("{} ({count})", blocker.constraint));
        let _ = write!(
            body,
            "<rect class=\"too-new\" x=\"{LABEL}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\"><title>{text}</title></rect>\
             <text x=\"{}\" y=\"{}\">{text}</text>",
            // Where the bar is long the text is on it.
            if width > WIDTH / 2 { LABEL + 6 } else { LABEL + width + 6 },
            row * STEP + BAR - 4
        );
    }
    svg(comparison.blockers.len(), "Packages that each constraint would free", &body)
}
