//! Which packages can be installed on which platforms, and what stops the rest: as numbers, and as a page for a browser.
//!
//! ```console
//! $ cargo run -p opam-caravan --example health_check -- examples/repository health.html
//! ```

use caravan::render::{Format, TextOptions, render};
use caravan::{Answer, Question, Repository};

#[expect(clippy::print_stdout, reason = "an example shows what it found")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap_or_else(|| "examples/repository".to_owned());
    let page = arguments.next();

    let repository = Repository::open(&place)?;
    let question = Question::Health(Box::default());
    let answer = repository.ask(&question)?;
    let Answer::Health(health) = &answer else { return Err("a health check has another answer".into()) };
    for platform in &health.platforms {
        let refused: usize = platform.not_installable.values().sum();
        println!("{}: {} can be installed, {refused} cannot", platform.id, platform.installable);
    }
    if let Some(page) = page {
        let html = render(&answer, Format::Html, TextOptions::default());
        std::fs::write(&page, html.unwrap_or_default())?;
        println!("wrote {page}");
    }
    Ok(())
}
