use crate::question::Question;
use futures::{StreamExt, stream};
use http::Method;
use sallyport_client::{Answer, Endpoint, Fault, Line, Warm};
use sallyport_model::Secret;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;

/// Rounds in a row that must say yes to everything. Behind a load balancer each round may reach another API server.
const ROUNDS: u32 = 3;
/// Questions under way at once on one connection; API servers take 100 streams and more.
const AT_ONCE: usize = 64;
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// The token works, everywhere it was bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Rounds asked in all.
    pub rounds: u32,
    /// How long that took.
    pub took: Duration,
}

/// The token did not work everywhere in time.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The bound roles allow nothing that could be asked for.
    #[error("the roles allow nothing that can be asked for")]
    Nothing,
    /// A right did not come.
    #[error("the target did not allow `{question}` within {seconds} s (last answer: {last})")]
    Never {
        /// Which.
        question: String,
        /// How long it was asked for.
        seconds: u64,
        /// The last answer to it.
        last: String,
    },
    /// The target was not reached at the end.
    #[error("the target's API server stopped answering: {0}")]
    Away(Fault),
}

/// Asks with the session's own token, each round on a connection nobody used before, until three rounds in a row say
/// yes to every question; gives up after `within`.
///
/// # Errors
/// [`NotReady`], with the question that was refused last.
pub async fn until_ready(
    target: &Endpoint,
    warm: Option<Warm>,
    token: &Secret<String>,
    questions: &[Question],
    within: Duration,
) -> Result<Ready, NotReady> {
    if questions.is_empty() {
        return Err(NotReady::Nothing);
    }
    let start = Instant::now();
    let mut warm = warm.unwrap_or_else(|| Warm::start(target.clone(), 1, within));
    let (mut rounds, mut in_a_row) = (0, 0);
    loop {
        let left = within.saturating_sub(start.elapsed());
        let verdict = match tokio::time::timeout(left, warm.next()).await {
            Ok(Ok(line)) => round(&line, token, questions, left).await,
            Ok(Err(fault)) => Err(Refusal::Away(fault)),
            Err(_) => Err(Refusal::Away(Fault::TimedOut)),
        };
        rounds += 1;
        match verdict {
            Ok(()) => in_a_row += 1,
            Err(refusal) if start.elapsed() >= within => return Err(refusal.into_error(within)),
            Err(_) => {
                in_a_row = 0;
                // RBAC informers take a few ms; a target that takes longer is not asked more often for it.
                let pause = if start.elapsed() < Duration::from_millis(100) { 2 } else { 25 };
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
        if in_a_row == ROUNDS {
            return Ok(Ready { rounds, took: start.elapsed() });
        }
    }
}

enum Refusal {
    Away(Fault),
    No { question: String, answer: String },
}

impl Refusal {
    fn into_error(self, within: Duration) -> NotReady {
        match self {
            Self::Away(fault) => NotReady::Away(fault),
            Self::No { question, answer } => {
                NotReady::Never { question, seconds: within.as_secs(), last: answer }
            }
        }
    }
}

/// All questions on one connection; the first that is not answered with yes decides.
async fn round(
    line: &Line,
    token: &Secret<String>,
    questions: &[Question],
    within: Duration,
) -> Result<(), Refusal> {
    let asks: Vec<_> = questions.iter().map(|question| ask(line, token, question, within)).collect();
    let mut answers = stream::iter(asks).buffer_unordered(AT_ONCE);
    while let Some((question, answer)) = answers.next().await {
        let answer = answer.map_err(Refusal::Away)?;
        if let Some(no) = refusal(&answer) {
            return Err(Refusal::No { question: question.to_string(), answer: no });
        }
    }
    Ok(())
}

async fn ask<'q>(
    line: &Line,
    token: &Secret<String>,
    question: &'q Question,
    within: Duration,
) -> (&'q Question, Result<Answer, Fault>) {
    (question, sent(line, token, question, within).await)
}

async fn sent(
    line: &Line,
    token: &Secret<String>,
    question: &Question,
    within: Duration,
) -> Result<Answer, Fault> {
    let body = question.review().to_string().into_bytes();
    line.send(Method::POST, REVIEWS, Some(token), Some(body), within).await
}

/// What a SelfSubjectAccessReview came back with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Allowed, with the authorizer's words.
    Yes(String),
    /// Not allowed, with the authorizer's words.
    No(String),
    /// No review came back at all: the status says why.
    Neither,
}

/// Asks one question, for its verdict.
pub(crate) async fn review(
    line: &Line,
    token: &Secret<String>,
    question: &Question,
    within: Duration,
) -> Result<(Answer, Verdict), Fault> {
    let answer = sent(line, token, question, within).await?;
    let verdict = verdict(&answer);
    Ok((answer, verdict))
}

fn verdict(answer: &Answer) -> Verdict {
    if answer.status != 201 {
        return Verdict::Neither;
    }
    match serde_json::from_slice::<Review>(&answer.body) {
        Ok(Review { status: ReviewStatus { allowed: true, reason } }) => Verdict::Yes(reason),
        Ok(Review { status: ReviewStatus { allowed: false, reason } }) => Verdict::No(reason),
        Err(_) => Verdict::Neither,
    }
}

#[derive(Deserialize)]
struct Review {
    status: ReviewStatus,
}

#[derive(Deserialize)]
struct ReviewStatus {
    allowed: bool,
    #[serde(default)]
    reason: String,
}

/// `None` for a yes, else what was said.
fn refusal(answer: &Answer) -> Option<String> {
    match verdict(answer) {
        Verdict::Yes(_) => None,
        Verdict::No(reason) => {
            Some(format!("no {}", sallyport_model::visible(&reason)).trim_end().to_owned())
        }
        Verdict::Neither if answer.status == 201 => Some("no SelfSubjectAccessReview".to_owned()),
        Verdict::Neither => Some(format!("HTTP {}", answer.status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, date: None, body: body.to_owned().into() }
    }

    #[test]
    fn only_a_created_review_that_allows_is_a_yes() {
        assert_eq!(refusal(&answer(201, r#"{"status":{"allowed":true}}"#)), None);
        for (status, body) in [
            (200, r#"{"status":{"allowed":true}}"#),
            (201, r#"{"status":{"allowed":false}}"#),
            (201, r#"{"status":{}}"#),
            (201, r#"{"allowed":true}"#),
            (201, "yes"),
            (201, ""),
            (401, r#"{"status":{"allowed":true}}"#),
            (503, ""),
        ] {
            assert!(refusal(&answer(status, body)).is_some(), "{status} {body}");
        }
    }
}
