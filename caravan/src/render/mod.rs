//! Answers for people: text for a terminal, Markdown, a page for a browser, annotations for GitHub, graphs.
//!
//! Everything is made from the data of an [`Answer`]. Text has the escape codes of the [`palette`]; whoever prints it
//! takes them out where there is no terminal. What repositories and questions say goes through [`escape`](crate::escape).

mod bisect;
pub mod bounds;
mod builds;
mod docs;
mod health;
mod impact;
mod installable;
mod list;
mod listing;
mod lock;
mod numbers;
mod options;
mod packages;
pub mod palette;
mod platforms;
mod show;
mod solve;
mod table;
mod words;

pub use bounds::summary as bounds_summary;
pub use options::{Format, TextOptions};

use crate::answer::Answer;

/// An answer as text for a terminal.
pub fn text(answer: &Answer, options: TextOptions) -> String {
    let mut out = String::new();
    match answer {
        Answer::Solve(answer) => solve::text(answer, &mut out),
        Answer::Installable(answer) => installable::text(answer, options, &mut out),
        Answer::List(answer) => list::text(answer, &mut out),
        Answer::Show(answer) => show::text(answer, &mut out),
        Answer::Listing(answer) => listing::text(answer, options, &mut out),
        Answer::Impact(answer) => impact::text(answer, options, &mut out),
        Answer::Bounds(answer) => bounds::text(answer, options, &mut out),
        Answer::Bisect(answer) => bisect::text(answer, options, &mut out),
        Answer::Health(answer) => health::text(answer, options, &mut out),
        Answer::Builds(answer) => builds::text(answer, options, &mut out),
        Answer::Docs(answer) => docs::text(answer, options, &mut out),
        Answer::Lock(answer) => lock::text(answer, options, &mut out),
        Answer::Platforms(answer) => platforms::text(answer, options, &mut out),
        Answer::SolverService(_) | Answer::DocsCi(_) | Answer::MirageCi(_) | Answer::Batch(_) => out = json(answer),
    }
    out
}

/// An answer as JSON with line breaks, for people who read it.
pub fn json(answer: &Answer) -> String {
    let text = serde_json::to_string_pretty(answer).unwrap_or_default();
    format!("{text}\n")
}

/// An answer in a form; `None` if answers of its kind do not have that form.
pub fn render(answer: &Answer, format: Format, options: TextOptions) -> Option<String> {
    let mut out = String::new();
    match (format, answer) {
        (Format::Text, answer) => out = text(answer, options),
        (Format::Json, answer) => out = json(answer),
        (Format::Dot, Answer::Listing(answer)) => listing::dot(answer, &mut out),
        (Format::Dot, Answer::Builds(answer)) => builds::dot(answer, &mut out),
        (Format::Markdown, Answer::Impact(answer)) => impact::markdown(answer, &mut out),
        (Format::Github, Answer::Impact(answer)) => impact::github(answer, &mut out),
        (Format::Markdown, Answer::Health(answer)) => health::markdown(answer, &mut out),
        (Format::Html, Answer::Health(answer)) => health::html(answer, &mut out),
        (Format::HealthCheck, Answer::Health(answer)) => health::health_check(answer, &mut out),
        _ => return None,
    }
    Some(out)
}
