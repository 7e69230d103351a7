//! Which versions to install, and why there is no solution where there is none.
//!
//! ```console
//! $ cargo run -p opam-caravan --example solve -- examples/repository caravan-demo
//! ```

use caravan::answer::SolveAnswer;
use caravan::question::Solve;
use caravan::vocabulary::{Platform, Problem, Request, Setting};
use caravan::{Answer, Question, Repository};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap_or_else(|| "examples/repository".to_owned());
    let package = arguments.next().unwrap_or_else(|| "caravan-demo".to_owned());

    // The index of the repository is made once and kept in the user's cache directory.
    let repository = Repository::open(&place)?;
    let problem =
        Problem { setting: Setting::new(Platform::linux_x86_64()), request: Request::new([package.parse()?]) };
    let question = Question::Solve(Box::new(Solve::new(problem)));
    let Answer::Solve(answer) = repository.ask(&question)? else { return Err("a solve has another answer".into()) };
    print(&answer);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example shows what it found")]
fn print(answer: &SolveAnswer) {
    for platform in &answer.answers {
        for package in platform.packages.iter().flatten() {
            println!("{}.{}", package.name, package.version);
        }
        if let Some(no_solution) = &platform.no_solution {
            for fact in &no_solution.facts {
                println!("{}", fact.text.as_deref().unwrap_or_default());
            }
            for hint in &no_solution.hints {
                println!("hint: {hint}");
            }
        }
    }
}
