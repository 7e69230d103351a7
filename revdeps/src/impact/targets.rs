//! The compilers and platforms that a change is looked at on.

use caravan_solver::compiler::{CompilerError, compiler};
use caravan_solver::target::Target;
use caravan_solver::{Platform, Request};
use opam_parser::file::Flags;
use opam_parser::index::Index;

/// Each compiler on each platform; none named: the usual ones. One that the change removes is known before.
///
/// # Errors
/// When a text names no compiler in either state.
pub fn targets(
    before: &Index,
    after: &Index,
    platforms: &[Platform],
    ocaml: &[String],
    request: &Request,
) -> Result<Vec<Target>, CompilerError> {
    let named = if ocaml.is_empty() { usual_compilers(after) } else { ocaml.to_vec() };
    let root = |text: &String| compiler(after, text).or_else(|error| compiler(before, text).map_err(|_| error));
    let roots = named.iter().map(root).collect::<Result<Vec<_>, _>>()?;
    let mut targets = Vec::new();
    for platform in platforms {
        for (version, root) in named.iter().zip(&roots) {
            let request = Request { roots: vec![root.clone()], ..request.clone() };
            let label = format!("{}, OCaml {version}", platform.summary());
            targets.push(Target { label, platform: platform.clone(), request });
        }
        if roots.is_empty() {
            targets.push(Target { label: platform.summary(), platform: platform.clone(), request: request.clone() });
        }
    }
    Ok(targets)
}

/// The last series before OCaml 5, and the newest release; none in a repository without compilers.
fn usual_compilers(index: &Index) -> Vec<String> {
    let Some(ocaml) = index.find_name("ocaml") else { return vec![] };
    let text = |package| index.version(index.package_version(package)).to_owned();
    let released = |version: &str| {
        // What `ocaml` stands for is a release when its compiler is one.
        let compiler = index.find_name("ocaml-base-compiler").and_then(|name| index.find_package(name, version));
        compiler
            .is_some_and(|compiler| !index.flags(compiler).intersects(Flags::AVOID_VERSION) && !version.contains('~'))
    };
    let newest = index.versions_of(ocaml).rev().map(text).find(|version| released(version));
    let old = index.versions_of(ocaml).map(text).any(|version| version.starts_with("4.14"));
    let old =
        old.then(|| "4.14".to_owned()).filter(|_| newest.as_ref().is_none_or(|newest| !newest.starts_with("4.14")));
    old.into_iter().chain(newest).collect()
}
