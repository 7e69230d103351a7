use opam_parser::{index::*, source::*};
use std::time::Instant;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    for _ in 0..4 {
        let t = Instant::now();
        let source: Box<dyn Source> = if args.len() > 2 {
            Box::new(git::GitSource::open(args[1].as_ref(), &args[2]).unwrap())
        } else if args[1].ends_with("gz") {
            Box::new(archive::ArchiveSource::open(args[1].as_ref()).unwrap())
        } else {
            Box::new(directory::DirectorySource::open(args[1].as_ref()).unwrap())
        };
        let Built::New(index) = build(&*source, None, &|_, _| {}).unwrap() else { panic!() };
        let full = t.elapsed();
        let t = Instant::now();
        let again = Index::from_bytes(index.as_bytes()).unwrap();
        let open = t.elapsed();
        let t = Instant::now();
        let same = matches!(build(&*source, Some(&again), &|_, _| {}).unwrap(), Built::Same);
        println!(
            "{} packages, {} names, {} bytes; full {:?} open {:?} same({}) {:?}",
            index.package_count(),
            index.name_count(),
            index.as_bytes().len(),
            full,
            open,
            same,
            t.elapsed()
        );
        if args.len() > 3 {
            let source = git::GitSource::open(args[1].as_ref(), &args[3]).unwrap();
            let t = Instant::now();
            let Built::New(step) = build(&source, Some(&again), &|_, _| {}).unwrap() else { panic!() };
            let el = t.elapsed();
            let Built::New(fresh) = build(&source, None, &|_, _| {}).unwrap() else { panic!() };
            println!("step {:?} equal to fresh: {}", el, fresh.as_bytes() == step.as_bytes());
        }
    }
}
