//! The health check of the real opam-repository: its yes and no against real opam-0install, the verifier and
//! the solver, its reasons, and what stands in the way of a compiler.

use caravan::Answer;
use caravan::answer::HealthAnswer;
use caravan::render::{Format, TextOptions, render};
use caravan_planning::catalogue::Catalogue;
use caravan_planning::compare::{MatrixPlatform, Rows, blockers, compare};
use caravan_planning::matrix::{BlockingConstraint, Cell, Matrix, MatrixRequest, ReasonClass, latest};
use caravan_solver::mask::Mask;
use caravan_solver::target::Target;
use caravan_solver::{Flags, Platform, Request, Setting, SolveError, Solver, Stop, View, verify};
use caravan_tests::lifted;
use opam_parser::index::{Index, PackageId, Precedence};
use opam_parser::source::Source;
use opam_parser::source::git::GitSource;
use opam_parser::source::memory::MemorySource;
use opam_parser::version;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Debian 13 with a version of OCaml, as the oracle was made: `ocaml` is the root.
fn target(ocaml: &str) -> Target {
    let mut platform = Platform::linux_x86_64();
    platform.set("ocaml:native", "true");
    let request = Request::new([format!("ocaml.{ocaml}").parse().unwrap()]);
    Target { label: ocaml.to_owned(), platform, request }
}

fn latest_of_all(index: &Index) -> Vec<PackageId> {
    latest(index, &index.packages().collect::<Vec<_>>())
}

fn matrix<'i>(index: &'i Index, targets: &[Target], rows: Vec<PackageId>) -> Matrix<'i> {
    Matrix::decide(index, MatrixRequest { targets, rows, flags: Flags::default() }, &Stop::new(), &|_| {}).ok().unwrap()
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn yes_and_no_are_those_of_opam_0install_and_every_selection_holds() {
    let text = caravan_tests::shared_gz("oracle/installable.tsv.gz");
    let index = caravan_tests::shared_index();
    let targets = ["4.14.4", "5.3.0", "5.4.1", "5.5.0"].map(target);
    let matrix = matrix(&index, &targets, latest_of_all(&index));
    let mut compared = 0;
    for row in text.lines().filter(|line| line.starts_with("svc\t") || line.starts_with("dir\t")) {
        let columns: Vec<&str> = row.split('\t').collect();
        let Some(column) = targets.iter().position(|target| target.label == columns[1]) else { continue };
        let (name, version) = columns[2].split_once('.').unwrap();
        let package = index.find_package(index.find_name(name).unwrap(), version).unwrap();
        let Ok(place) = matrix.rows.binary_search(&package) else {
            // The oracle avoids `avoid-version` alone (rule D18): none of its roots is deprecated beside better ones.
            panic!("{row}: not the latest version");
        };
        let ours = matrix.cells[column][place].selection().is_some();
        // opam refuses packages that want to be installed before each other (rule S11), opam-0install does not.
        assert_eq!(ours, columns[3] == "OK", "{row}");
        compared += 1;
    }
    assert_eq!(compared, 9_340);
    for (column, cells) in matrix.platforms.iter().zip(&matrix.cells) {
        let setting = Setting::new(column.target.platform.clone());
        let verdicts =
            Solver::new(&column.view).installable(&column.target.request, &matrix.rows, Flags::default()).unwrap();
        matrix.rows.par_iter().zip(cells).zip(verdicts).for_each(|((row, cell), verdict)| {
            let text = index.package_text(*row);
            assert_eq!(cell.selection().is_some(), verdict, "{text} on {}", column.target.label);
            if let Some(selection) = cell.selection() {
                let request = column.request(*row, Flags::default());
                let violations = verify(&index, &setting, &request, selection.packages());
                assert!(violations.is_empty(), "{text} on {}: {violations:?}", column.target.label);
            }
        });
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn images_have_fewer_packages_than_compilers() {
    let index = caravan_tests::shared_index();
    let image = Catalogue::builtin().unwrap().platform(&index, "debian-13-5.4").unwrap();
    let targets = [target("5.4.1"), image.target(&Request::default())];
    let matrix = matrix(&index, &targets, latest_of_all(&index));
    let compiler = index.find_name("ocaml-base-compiler").unwrap();
    let lost: Vec<&Cell> = matrix.cells[0]
        .iter()
        .zip(&matrix.cells[1])
        .filter(|(any, image)| {
            // An image has its compiler; what can be installed there can be with that compiler.
            assert!(any.selection().is_some() || image.selection().is_none());
            any.selection().is_some() && image.selection().is_none()
        })
        .map(|(any, _)| any)
        .collect();
    assert!(!lost.is_empty());
    for cell in lost {
        assert!(cell.selection().unwrap().get(&index, compiler).is_none(), "it needs another compiler");
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn reasons_are_true() {
    let index = caravan_tests::shared_index();
    let all: Vec<PackageId> = index.packages().collect();
    let targets = ["4.14.4", "5.4.1", "5.5.0"].map(target);
    let matrix = matrix(&index, &targets, all);
    for (column, cells) in matrix.platforms.iter().zip(&matrix.cells) {
        let view = &column.view;
        for (row, cell) in matrix.rows.iter().zip(cells) {
            let Some(reason) = cell.reason() else { continue };
            let text = format!("{} on {}: {}", index.package_text(*row), column.target.label, reason.cause);
            assert_eq!(reason.path[0], *row, "{text}");
            // Each of the path needs the next, or something that it could be instead.
            for pair in reason.path.windows(2) {
                let place = index.version_position(pair[1]);
                let needs = view
                    .package(pair[0])
                    .needs()
                    .any(|(name, mask)| name == index.package_name(pair[1]) && mask.contains(place));
                assert!(needs, "{text}");
            }
            let last = *reason.path.last().unwrap();
            match reason.class {
                ReasonClass::Platform | ReasonClass::Unavailable => assert!(!view.is_available(last), "{text}"),
                ReasonClass::CompilerTooNew | ReasonClass::CompilerTooOld => {
                    let newer = reason.class == ReasonClass::CompilerTooNew;
                    let Some(BlockingConstraint::Bound { package, on }) = reason.blocking else {
                        // A compiler that is not the one that was asked for.
                        assert_eq!(reason.path.len(), 1, "{text}");
                        continue;
                    };
                    assert_eq!(package, last, "{text}");
                    let wanted = &column.target.label;
                    let older = |mask: &Mask| {
                        let newest = index.package_range(on).packages_at(mask.positions()).last();
                        let newest = newest.map(|newest| index.version(index.package_version(newest)));
                        newest.is_some_and(|newest| version::compare(newest.as_bytes(), wanted.as_bytes()).is_lt())
                    };
                    if index.name(on) == "ocaml" && view.package(package).conflicts.iter().all(|(with, _)| *with != on)
                    {
                        // One of its demands is only for compilers on that side.
                        let mut demands = view.package(package).needs().filter(|(name, _)| *name == on);
                        assert!(demands.any(|(_, mask)| older(mask) == newer), "{text}");
                    }
                }
                ReasonClass::MissingDependency | ReasonClass::Conflict => {}
            }
        }
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn what_stands_in_the_way_of_ocaml_5_5_is_counted_by_editing_files() {
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let source = GitSource::open(&repository, "main").unwrap();
    let index = caravan_tests::index_of(&source);
    let targets = [target("5.4.1"), target("5.5.0")];
    let matrix = matrix(&index, &targets, latest_of_all(&index));
    let (before, after) =
        (MatrixPlatform { matrix: &matrix, platform: 0 }, MatrixPlatform { matrix: &matrix, platform: 1 });
    let comparison = compare(before, after, Rows::ByName);
    let lost: Vec<usize> = comparison.lost.iter().map(|(_, row)| *row).collect();
    let found = blockers(after, &lost, 10, &Stop::new()).unwrap();
    assert_eq!(found.len(), 10);
    assert!(found.windows(2).all(|pair| pair[0].frees.len() >= pair[1].frees.len()));
    let mut edited: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for blocker in &found {
        let BlockingConstraint::Bound { package, on } = blocker.blocking else { panic!("{blocker:?}") };
        let by = index.version(index.package_version(blocker.keeps_out.unwrap()));
        let text = index.package_text(package);
        let file = source.fetch(&index.file(index.package_file(package)).path).unwrap();
        let own = index.version(index.package_version(package));
        let file = lifted(&file, own, index.name(on), by).unwrap();
        edited.insert(text.clone(), file.clone());
        assert_eq!(freed(&index, &matrix, &lost, [(text.clone(), file)]), blocker.frees, "{text}");
        let all = freed(&index, &matrix, &lost, edited.clone());
        assert_eq!(all.len(), blocker.freed_with_earlier, "{text} and all above");
    }
    let label = "opam-repository".to_owned();
    let sides = [(before, label.clone()), (after, label)];
    let answer = HealthAnswer::of_matrices(&sides, Rows::ByName, Some((&comparison, &found)));
    let answer = Answer::Health(answer.into());
    // Before it stands what becomes of each of thousands of packages.
    let text = text(&answer, TextOptions { verbose: true, ..TextOptions::default() });
    let (_, numbers) = text.split_once("\n\n").unwrap();
    insta::assert_snapshot!("ocaml_5_5", numbers);
    let markdown = render(&answer, Format::Markdown, TextOptions::default()).unwrap();
    insta::assert_snapshot!("ocaml_5_5_markdown", markdown);
}

/// Without escape codes.
fn text(answer: &Answer, options: TextOptions) -> String {
    anstream::adapter::strip_str(&render(answer, Format::Text, options).unwrap()).to_string()
}

/// The rows that can be installed once files are edited: everything is indexed and solved again.
fn freed(
    index: &Index,
    matrix: &Matrix<'_>,
    rows: &[usize],
    files: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> Vec<usize> {
    let edited = caravan_tests::index_of(&MemorySource::new(files));
    let changed = Index::overlay(&[&edited, index], Precedence::FirstWins).unwrap();
    let target = &matrix.platforms[1].target;
    let view = View::new(&changed, &target.platform);
    let can = |row: &&usize| {
        let mut request = target.request.clone();
        request.roots.push(index.package_text(matrix.rows[**row]).parse::<opam_parser::atom::Atom>().unwrap().into());
        match Solver::new(&view).solve(&request) {
            Ok(_) => true,
            Err(SolveError::NoSolution) => false,
            Err(error) => panic!("{error}"),
        }
    };
    rows.iter().filter(can).copied().collect()
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn mirage_on_the_ports_to_solo5() {
    let index = caravan_tests::shared_index();
    let mut mirage = target("5.2.1");
    // MirageOS builds unikernels with a compiler of its own; both have to be there.
    for port in ["ocaml-solo5", "mirage-solo5"] {
        mirage.request.roots.push(port.parse::<opam_parser::atom::Atom>().unwrap().into());
    }
    let view = View::new(&index, &mirage.platform);
    let selection = Solver::new(&view).solve(&mirage.request).unwrap();
    let shown: Vec<String> = selection.packages().iter().map(|package| index.package_text(*package)).collect();
    let rows: Vec<PackageId> = latest_of_all(&index)
        .into_iter()
        .filter(|package| index.name(index.package_name(*package)).starts_with("mirage"))
        .collect();
    mirage.label = "OCaml 5.2.1 with ocaml-solo5 and mirage-solo5".to_owned();
    let matrix = matrix(&index, &[mirage], rows);
    let sides = [(MatrixPlatform { matrix: &matrix, platform: 0 }, "opam-repository".to_owned())];
    // The packages are listed, as for a question that names them.
    let answer = HealthAnswer { names_packages: true, ..HealthAnswer::of_matrices(&sides, Rows::ByName, None) };
    let listed = text(&Answer::Health(answer.into()), TextOptions::default());
    insta::assert_snapshot!("mirage", format!("{}\n\n{listed}", shown.join("\n")));
}
