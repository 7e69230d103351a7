//! Standard input and output, as solver-service's earlier generation had it: requests come in, and for each of their
//! platforms an answer goes out.

use crate::service::{Request, Service};
use caravan::Question;
use caravan::protocols::solver_service::{Selection, SolveRequest};
use serde::Deserialize;
use std::time::Instant;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

/// A repository at a commit, as `--worker` has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Repository {
    /// Its URL.
    pub repo: String,
    /// The commit.
    pub hash: String,
}

/// A request longer than this is noise.
const MAX_REQUEST: u64 = 128 << 20;

/// Answers what comes in until it ends. `repositories` are those of requests that name none.
///
/// # Errors
/// When reading or writing fails, or what comes in has no length.
pub async fn serve(
    service: &Service,
    repositories: &[Repository],
    mut input: impl AsyncBufRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        // A length has a few digits; without an end of line it is none.
        let read = (&mut input).take(32).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Ok(());
        }
        let length = std::str::from_utf8(&line).ok().and_then(|text| text.trim().parse::<u64>().ok());
        let length = length.filter(|length| *length <= MAX_REQUEST).ok_or_else(|| {
            let found = String::from_utf8_lossy(&line).trim().to_owned();
            std::io::Error::other(format!("`{found}` is not the length of a request"))
        })?;
        let mut request = vec![0; length as usize];
        input.read_exact(&mut request).await?;
        let began = Instant::now();
        let answers = answers(service, repositories, &request).await;
        for answer in answers {
            let seconds = began.elapsed().as_secs_f64();
            output.write_all(format!("{seconds:.6}\n{}\n{answer}", answer.len()).as_bytes()).await?;
        }
        output.flush().await?;
    }
}

/// One answer for each platform: `+` and packages, `-` and why there is no solution, `!` and what went wrong.
async fn answers(service: &Service, repositories: &[Repository], request: &[u8]) -> Vec<String> {
    let mut request: SolveRequest = match serde_json::from_slice(request) {
        Ok(request) => request,
        Err(error) => return vec![format!("!Bad JSON in request: {error}")],
    };
    if request.opam_repository_commits.is_empty() {
        let pairs = repositories.iter().map(|repository| (repository.repo.clone(), repository.hash.clone()));
        request.opam_repository_commits = pairs.collect();
    }
    let mut answers = Vec::new();
    for platform in &request.platforms {
        let one = SolveRequest { platforms: vec![platform.clone()], ..request.clone() };
        answers.push(answer(service, one).await);
    }
    answers
}

async fn answer(service: &Service, request: SolveRequest) -> String {
    let (lines, mut written) = mpsc::unbounded_channel();
    let request = Request::new(&Question::SolverService(Box::new(request)));
    let answer = match service.ask("pipe", request, lines).await {
        Ok(answer) => answer,
        Err(error) => return format!("!{error}"),
    };
    match serde_json::from_slice::<(String, Vec<Selection>)>(&answer) {
        Ok((_, selections)) => match selections.first() {
            Some(selection) => format!("+{}", selection.packages.join(" ")),
            None => {
                let mut log = Vec::new();
                while let Ok(line) = written.try_recv() {
                    log.push(line);
                }
                format!("-{}", log.join("\n"))
            }
        },
        Err(_) => match serde_json::from_slice::<(String, (String, String))>(&answer) {
            Ok((_, (_, text))) => format!("!{text}"),
            Err(_) => "!the request was cancelled".to_owned(),
        },
    }
}
