//! The answer of `health` as text, as a summary in Markdown, as a page, and in opam-health-check's form.

mod charts;
mod health_check;
mod markdown;
mod page;
mod text;

pub(super) use health_check::health_check;
pub(super) use markdown::markdown;
pub(super) use page::html;
pub(super) use text::text;
