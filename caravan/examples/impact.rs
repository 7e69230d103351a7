//! What a change of a repository does: what breaks, and what to build and test again. The change is a directory with
//! packages that are added.
//!
//! ```console
//! $ cargo run -p opam-caravan --example impact -- examples/repository examples/change
//! ```

use caravan::question::Impact;
use caravan::render::{TextOptions, text};
use caravan::{Outcome, Question, Repository};

#[expect(clippy::print_stdout, reason = "an example shows what it found")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap_or_else(|| "examples/repository".to_owned());
    let added = arguments.next().unwrap_or_else(|| "examples/change".to_owned());

    let repository = Repository::open(&place)?;
    let question = Question::Impact(Box::new(Impact { add: Some(added.into()), ..Impact::default() }));
    let answer = repository.ask(&question)?;
    print!("{}", text(&answer, TextOptions::default()));
    println!("can be merged: {}", answer.outcome() == Outcome::Yes);
    Ok(())
}
