#![allow(clippy::all, clippy::print_stdout, clippy::unwrap_used, missing_docs)]
use caravan_solver::*;
use opam_parser::file::OpamFile;
use opam_parser::index::*;
use opam_parser::name::*;
use opam_parser::source::{Source, git::GitSource};
use opam_parser::version::Version;
use std::time::Instant;
fn main() {
    let path = std::path::Path::new("target/shared-data/opam-repository.git");
    let source = GitSource::open(path, "HEAD").unwrap();
    let index = caravan_tests::index_of(&source);
    let mut graph: Vec<Vec<NameId>> = vec![];
    let t = Instant::now();
    for n in index.names() {
        let mut v: Vec<NameId> =
            index.versions_of(n).flat_map(|p| index.depends(p).names().chain(index.conflicts(p).names())).collect();
        v.sort();
        v.dedup();
        graph.push(v);
    }
    println!("raw graph {:?} edges {}", t.elapsed(), graph.iter().map(Vec::len).sum::<usize>());
    let roots = ["irmin", "dune", "lwt", "mirage", "ocluster", "ocaml-lsp-server", "utop", "cohttp", "tls", "yojson"];
    for r in roots {
        let n = index.find_name(r).unwrap();
        let p = index.versions_of(n).last().unwrap();
        let loc = index.file(index.package_file(p));
        let text = source.fetch(&loc.path).unwrap();
        let file = OpamFile::parse(&text).file.unwrap();
        let pins = vec![(PackageName::new(r).unwrap(), Version::new("dev").unwrap(), file)];
        let pp = with_pins(&index, &pins).unwrap();
        let view =
            View::of(&pp, &Setting { dialect: Dialect::SolverService, ..Setting::new(Platform::linux_x86_64()) });
        let mut seen = vec![false; index.name_count()];
        let mut work = vec![r.to_string(), "ocaml-base-compiler".into()];
        while let Some(name) = work.pop() {
            if let Some(i) = index.find_name(&name) {
                if std::mem::replace(&mut seen[i.place()], true) {
                    continue;
                }
            }
            for p in pp.versions_of(pp.find_name(&name).unwrap()) {
                work.extend(view.package(p).needs().map(|(n, _)| pp.name(n).to_string()));
            }
        }
        let t = Instant::now();
        let small = pinned(&[Part { index: &index, names: Some(&seen) }], &pins).unwrap();
        println!("{r}: {:?} {} packages, {} names", t.elapsed(), small.package_count(), small.name_count());
        let mut seen = vec![false; index.name_count()];
        let mut work = vec![n];
        let t = Instant::now();
        while let Some(n) = work.pop() {
            if std::mem::replace(&mut seen[n.place()], true) {
                continue;
            }
            work.extend(graph[n.place()].iter());
        }
        println!("   raw closure {} in {:?}", seen.iter().filter(|x| **x).count(), t.elapsed());
    }
}
