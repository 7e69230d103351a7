use caravan_solver::*;
use opam_parser::{index::*, source::*};
use std::{io::BufRead, time::Instant};
fn main() {
    let source = directory::DirectorySource::open("/tmp/opam-checkout".as_ref()).unwrap();
    let Built::New(index) = build(&source, None, &|_, _| {}).unwrap() else { panic!() };
    let mut platform = Platform::linux_x86_64();
    platform.set("ocaml:native", "true");
    let view = View::new(&index, &platform);
    let t = Instant::now();
    let mut total = 0;
    let mut yn = 0;
    let mut same = 0;
    let mut rows = 0;
    let mut max = 0f64;
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let c: Vec<&str> = line.split('\t').collect();
        if !(c[0] == "dir" || c[0] == "svc" || c[0] == "svc-test") {
            continue;
        }
        rows += 1;
        let mut p = Problem::new([format!("ocaml.{}", c[1]).parse().unwrap(), c[2].parse().unwrap()]);
        if c[0] == "svc-test" {
            p.roots[1].flags.with_test = true;
            p.roots[0].flags.with_test = true;
        }
        let t1 = Instant::now();
        let r = solve(&view, &p);
        max = max.max(t1.elapsed().as_secs_f64() * 1e3);
        total += 1;
        let _ = total;
        if r.is_ok() != (c[3] == "OK") {
            yn += 1;
            if yn < 20 {
                println!(
                    "{} {} {}: theirs {} ours {:?}",
                    c[0],
                    c[1],
                    c[2],
                    c[3],
                    r.as_ref().err().map(|e| match e {
                        SolveError::NoSolution(x) => x.to_string(),
                        e => e.to_string(),
                    })
                );
            }
        }
        if let Ok(s) = r {
            let mut ours: Vec<String> = s.packages().iter().map(|p| index.package_text(*p)).collect();
            ours.sort();
            let mut th: Vec<&str> = c[4].split(' ').collect();
            th.sort();
            if ours == th {
                same += 1
            }
        } else {
            same += 1
        }
    }
    println!("{rows} rows, {yn} differ in yes/no, {same} same selections, {:?}, max {max} ms", t.elapsed());
}
