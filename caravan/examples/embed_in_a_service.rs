//! How a service embeds the library: questions come as JSON, a time limit is heeded, the log goes to whoever asked,
//! errors have an HTTP status, and repositories are those that the service allows.
//!
//! ```console
//! $ cargo run -p opam-caravan --example embed_in_a_service -- examples/repository
//! ```

use caravan::repository::{Place, RepositoryName};
use caravan::vocabulary::Precedence;
use caravan::{Context, Error, Observer, Question, Repositories, Repository, Stop, Warning, ask};
use std::sync::Arc;
use std::time::Duration;

/// The one repository of this service, opened when it starts.
struct OnlyOne(Arc<Repository>);

impl Repositories for OnlyOne {
    fn usual(&mut self, _: &dyn Observer) -> Result<Vec<Place>, Error> {
        Ok(self.0.places().to_vec())
    }

    fn locate(&mut self, name: &RepositoryName, _: &dyn Observer) -> Result<Place, Error> {
        Err(Error::question(format!("this service knows nothing of `{}`", name.url)))
    }

    fn open(&mut self, places: &[Place], _: Precedence, _: &dyn Observer) -> Result<Arc<Repository>, Error> {
        match places == self.0.places() {
            true => Ok(Arc::clone(&self.0)),
            false => Err(Error::question("this service has one state of its repository")),
        }
    }
}

/// What a service does with log lines and warnings.
struct Log;

#[expect(clippy::print_stderr, reason = "an example shows what happens")]
impl Observer for Log {
    fn log(&self, line: &str) {
        eprintln!("log: {line}");
    }

    fn warn(&self, warning: Warning) {
        eprintln!("warning: {}", warning.message);
    }
}

/// A request's body, and the status and body of its response.
fn respond(repositories: &mut OnlyOne, body: &str) -> (u16, String) {
    let question: Question = match serde_json::from_str(body) {
        Ok(question) => question,
        Err(error) => return (400, error.to_string()),
    };
    let stop = Stop::new().within(Duration::from_secs(10));
    let mut context = Context { repositories, observer: &Log, stop: &stop };
    match ask(&question, &mut context) {
        Ok(answer) => (200, serde_json::to_string(&answer).unwrap_or_default()),
        Err(error) => (error.kind.http_status(), error.to_string()),
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it answers")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = std::env::args().nth(1).unwrap_or_else(|| "examples/repository".to_owned());
    let mut repositories = OnlyOne(Repository::open(&place)?);
    for body in [
        r#"{ "list": { "patterns": ["caravan-*"] } }"#,
        r#"{ "revdeps": { "packages": ["caravan-log"], "recursive": true } }"#,
        r#"{ "show": { "packages": ["no-such-package"] } }"#,
        r#"{ "show": "#,
    ] {
        let (status, text) = respond(&mut repositories, body);
        println!("{status} {text:.100}");
    }
    Ok(())
}
