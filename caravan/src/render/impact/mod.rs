//! The answer of `impact` as text, as a comment on a pull request, as annotations.

mod github;
mod markdown;
mod text;
mod words;

pub(super) use github::github;
pub(super) use markdown::markdown;
pub(super) use text::text;
