//! How answers are shown.

/// How text is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// List everything, where else the first few stand for many.
    pub verbose: bool,
    /// Lists of dependencies as a tree.
    pub tree: bool,
}

/// The forms that answers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For programs: see `docs/json.md`.
    Json,
    /// A graph for Graphviz, of `revdeps`, `deps` and `builds`.
    Dot,
    /// A comment for a pull request, of `impact`, or a summary, of `health`.
    Markdown,
    /// Annotations for GitHub's workflows, of `impact`.
    Github,
    /// A page for a browser, of `health`.
    Html,
    /// The JSON of opam-health-check, of `health`.
    HealthCheck,
}
