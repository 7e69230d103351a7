//! From a question to its answer: which module answers which kind.

use super::context::Context;
use super::{
    bisect, bounds, builds, docs, docs_ci, health, impact, installable, list, listing, lock, mirage_ci, platforms,
    show, solve, solver_service,
};
use crate::answer::{Answer, BatchAnswer, Part};
use crate::error::{Error, ErrorKind};
use crate::question::Question;

/// Answers a question. The same question to the same repositories has the same answer, byte for byte, whatever the
/// number of threads.
///
/// # Errors
/// When the question is wrong, a repository cannot be read, or it is stopped.
pub fn ask(question: &Question, context: &mut Context<'_>) -> Result<Answer, Error> {
    Ok(match question {
        Question::Solve(members) => Answer::Solve(solve::answer(members, context)?.into()),
        Question::Installable(members) => Answer::Installable(installable::answer(members, context)?.into()),
        Question::List(members) => Answer::List(list::answer(members, context)?.into()),
        Question::Show(members) => Answer::Show(show::answer(members, context)?.into()),
        Question::Revdeps(members) => Answer::Listing(listing::revdeps(members, context)?.into()),
        Question::Deps(members) => Answer::Listing(listing::deps(members, context)?.into()),
        Question::Impact(members) => Answer::Impact(impact::answer(members, context)?.into()),
        Question::Bounds(members) => Answer::Bounds(bounds::answer(members, context)?.into()),
        Question::Bisect(members) => Answer::Bisect(bisect::answer(members, context)?.into()),
        Question::Health(members) => Answer::Health(health::answer(members, context)?.into()),
        Question::Builds(members) => Answer::Builds(builds::answer(members, context)?.into()),
        Question::Docs(members) => Answer::Docs(docs::answer(members, context)?.into()),
        Question::Lock(members) => Answer::Lock(lock::answer(members, context)?.into()),
        Question::Platforms(members) => Answer::Platforms(platforms::answer(members, context)?.into()),
        Question::SolverService(request) => Answer::SolverService(solver_service::answer(request, context)?),
        Question::DocsCi(members) => Answer::DocsCi(docs_ci::answer(members, context)?),
        Question::MirageCi(request) => Answer::MirageCi(mirage_ci::answer(request, context)?),
        Question::Batch(questions) => Answer::Batch(answer_each(questions, context)?),
    })
}

/// Answers each question; what is wrong with one is in its part of the answer. The log gets a line for every part.
fn answer_each(questions: &[Question], context: &mut Context<'_>) -> Result<BatchAnswer, Error> {
    let mut answers = Vec::new();
    for (place, question) in questions.iter().enumerate() {
        answers.push(match ask(question, context) {
            Ok(answer) => Part::Answer(answer),
            Err(error) if matches!(error.kind, ErrorKind::Deadline | ErrorKind::Cancelled) => return Err(error),
            Err(error) => Part::Error(error.message),
        });
        context.observer.log(&format!("{} of {}: {}", place + 1, questions.len(), question.kind()));
    }
    Ok(BatchAnswer { schema: "caravan.batch/1".into(), answers })
}
