//! The proof that a closed session is closed: asked of the API server itself, never of the gateway, for every role in
//! every place of the session.

use crate::witness::{Said, Seen, Witnesses, ask, by_review};
use futures::{StreamExt, stream};
use sallyport_client::{Endpoint, Fault, Line, Warm};
use sallyport_model::Secret;
use std::time::Duration;
use tokio::time::Instant;

/// Questions under way at once on one connection.
const AT_ONCE: usize = 64;
/// Rights that an unproven end names before it counts the rest.
const NAMED: usize = 4;
/// A round, its handshake included, as an API server answers it that has nothing else to do.
const QUICK: Duration = Duration::from_millis(25);
/// How long a busy one is left alone.
const BUSY_AT_MOST: Duration = Duration::from_secs(1);
/// Answered by nobody without a token that is good, and needing no right.
const ANY_PATH: &str = "/version";

/// The verdict of one proof. There is no third: what could not be asked is unproven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The API server refused everything it allowed before.
    Proven(Proven),
    /// It did not, or did not answer.
    Unproven {
        /// For people: how much was refused, what was not, and by which binding where the API server says so.
        why: String,
    },
}

/// Refusals, as seen: all of them in one round on one connection that nobody had used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// How many (role × place) were refused.
    pub refused: usize,
    /// 403, or 401 where the token itself was refused.
    pub status: u16,
    /// Whether each was refused by the authorizer. A 401 says that the account is gone, and nothing of bindings.
    pub by_authorizer: bool,
    /// From the start of the proof to the last answer.
    pub took: Duration,
    /// Which API server answered: `host:port`.
    pub by: String,
    /// Its clock at that moment, Unix seconds.
    pub at: Option<i64>,
}

/// How far a proof is, after each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many (role × place) were refused in this round.
    pub refused: usize,
    /// How many were allowed in it.
    pub allowed: usize,
    /// How many there are.
    pub of: usize,
}

/// What one round of questions came to.
struct Round {
    said: Vec<Said>,
    at: Option<i64>,
}

impl Witnesses {
    /// "Rights gone": in one round, everything that was seen to be allowed is answered 403, `allowed: false` or 401.
    ///
    /// Every round asks for every right on a connection of its own, so that a right which came back is seen, and an
    /// answer is never one to somebody who was let in before.
    pub async fn rights_gone(
        &self,
        target: &Endpoint,
        token: &Secret<String>,
        within: Duration,
        told: impl FnMut(Progress),
    ) -> Proof {
        if self.is_empty() {
            return Proof::Unproven { why: "its roles allow nothing that could be asked for".to_owned() };
        }
        self.until(target, token, within, told, |said| self.all_gone(said)).await
    }

    /// "Token refused": in one round, everything is answered 401. Up to ten seconds of token cache are in between.
    pub async fn token_refused(
        &self,
        target: &Endpoint,
        token: &Secret<String>,
        within: Duration,
        told: impl FnMut(Progress),
    ) -> Proof {
        let all = |said: &[Said]| !said.is_empty() && said.iter().all(|one| *one == Said::NoToken);
        self.until(target, token, within, told, all).await
    }

    /// The rule of the tick: each right was refused, and had been seen to be allowed or was refused with its token.
    fn all_gone(&self, said: &[Said]) -> bool {
        !self.rights.is_empty()
            && said.len() == self.rights.len()
            && self.rights.iter().zip(said).all(|(right, said)| match said {
                Said::NoToken => true,
                Said::No => !matches!(right.seen, Seen::Never(_)),
                Said::Yes(_) | Said::Unclear(_) => false,
            })
    }

    async fn until(
        &self,
        target: &Endpoint,
        token: &Secret<String>,
        within: Duration,
        mut told: impl FnMut(Progress),
        over: impl Fn(&[Said]) -> bool,
    ) -> Proof {
        let start = Instant::now();
        let mut ahead = Warm::start(target.clone(), 1, within);
        loop {
            let left = within.saturating_sub(start.elapsed());
            let began = Instant::now();
            let line = tokio::time::timeout(left, ahead.next()).await.unwrap_or(Err(Fault::TimedOut));
            // The next round's handshake is made while this round is asked.
            ahead = Warm::start(target.clone(), 1, left);
            let round = match &line {
                Ok(line) => self.round(line, token, left).await,
                Err(fault) => self.without_answer(fault),
            };
            told(progress(&round.said, self.rights.len()));
            if over(&round.said) {
                let by_authorizer = round.said.iter().all(|one| *one == Said::No);
                return Proof::Proven(Proven {
                    refused: round.said.len(),
                    status: if round.said.contains(&Said::No) { 403 } else { 401 },
                    by_authorizer,
                    took: start.elapsed(),
                    by: target.authority().into(),
                    at: round.at,
                });
            }
            let pause = pause(start.elapsed(), began.elapsed(), self.rights.len());
            if start.elapsed() + pause >= within {
                let said = match line {
                    Ok(line) => self.named(round.said, &line, token).await,
                    Err(_) => round.said,
                };
                let why = format!(
                    "{} ({}, asked for {} ms)",
                    self.why(&said),
                    target.authority(),
                    start.elapsed().as_millis()
                );
                return Proof::Unproven { why };
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn round(&self, line: &Line, token: &Secret<String>, within: Duration) -> Round {
        let asks: Vec<_> =
            self.rights.iter().map(|right| ask(line, token, &right.question, within)).collect();
        if asks.is_empty() {
            return self.round_without_rights(line, token, within).await;
        }
        let answers: Vec<_> = stream::iter(asks).buffered(AT_ONCE).collect().await;
        let at = answers.iter().filter_map(|(_, at)| *at).max();
        Round { said: answers.into_iter().map(|(said, _)| said).collect(), at }
    }

    /// Where the roles allow nothing that could be asked for, the token can still be seen to be refused.
    async fn round_without_rights(&self, line: &Line, token: &Secret<String>, within: Duration) -> Round {
        match line.send(http::Method::GET, ANY_PATH, Some(token), None, within).await {
            Ok(answer) if answer.status == 401 => Round { said: vec![Said::NoToken], at: answer.date },
            Ok(answer) => Round { said: vec![Said::Yes(None)], at: answer.date },
            Err(fault) => self.without_answer(&fault),
        }
    }

    fn without_answer(&self, fault: &Fault) -> Round {
        Round { said: vec![Said::Unclear(fault.to_string()); self.rights.len().max(1)], at: None }
    }

    /// Asks which bindings allow what is still allowed; a GET does not say.
    async fn named(&self, said: Vec<Said>, line: &Line, token: &Secret<String>) -> Vec<Said> {
        let asks: Vec<_> = said
            .into_iter()
            .enumerate()
            .map(|(at, said)| async move {
                match (said, self.rights.get(at)) {
                    (Said::Yes(None), Some(right)) => {
                        let again = by_review(line, token, &right.question, Duration::from_secs(1)).await.0;
                        if let Said::Yes(binding) = again { Said::Yes(binding) } else { Said::Yes(None) }
                    }
                    (said, _) => said,
                }
            })
            .collect();
        stream::iter(asks).buffered(AT_ONCE).collect().await
    }

    /// How much was refused, and what was not and why.
    fn why(&self, said: &[Said]) -> String {
        let Progress { refused, of, .. } = progress(said, self.rights.len());
        let mut open: Vec<String> = Vec::new();
        for (right, said) in self.rights.iter().zip(said) {
            let place = right.question.place();
            match (said, &right.seen) {
                (Said::NoToken, _) => {}
                (Said::No, Seen::ByBroker | Seen::Here) => {}
                (Said::No, Seen::Never(why)) => {
                    open.push(format!("{place} was never seen to be allowed ({why})"));
                }
                (Said::Yes(Some(binding)), _) => open.push(format!("{place} still allowed by {binding}")),
                (Said::Yes(None), _) => open.push(format!("{place} still allowed")),
                (Said::Unclear(what), _) => open.push(format!("{place} not answered: {what}")),
            }
        }
        let more = open.len().saturating_sub(NAMED);
        open.truncate(NAMED);
        if more > 0 {
            open.push(format!("and {more} more"));
        }
        if self.rights.is_empty() {
            "not refused".to_owned()
        } else {
            format!("{refused} of {of} refused; {}", open.join("; "))
        }
    }
}

fn progress(said: &[Said], of: usize) -> Progress {
    let refused = said.iter().filter(|one| matches!(one, Said::No | Said::NoToken)).count();
    let allowed = said.iter().filter(|one| matches!(one, Said::Yes(_))).count();
    Progress { refused, allowed, of }
}

/// RBAC's informers take some milliseconds and garbage collection some tens; what takes longer is not asked more often
/// for it, and many rights are asked for less often than few. An API server that took long over the last round (`round`) has
/// much to do, perhaps the ends of a hundred sessions: asking it less often is what lets it remove their rights sooner.
fn pause(since: Duration, round: Duration, rights: usize) -> Duration {
    let base = match since.as_millis() {
        0..300 => 5,
        300..1_000 => 25,
        _ => 250,
    };
    let busy = if round > QUICK { (round * 2).min(BUSY_AT_MOST) } else { Duration::ZERO };
    Duration::from_millis(base.max(rights as u64 / 4)).max(busy)
}

/// What the target said to a session that ends its own grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnEnd {
    /// The grant is deleted; ServiceAccount and bindings follow as its dependents.
    Ended,
    /// There is no such grant any more, or the token is refused already: somebody was quicker.
    Gone,
    /// The target does not let a session do this; with its words.
    Refused(String),
    /// No answer; with the reason.
    Unanswered(String),
}

/// Ends a session's own grant on its target with its own token (the right is ClusterRole `sallyport:leave`): leaving
/// depends on no hub, no broker and no sign-in. Exactly the grant with this UID, and never an orphaning deletion.
pub async fn end_own_grant(
    target: &Endpoint,
    token: &Secret<String>,
    grant: &str,
    uid: &str,
    within: Duration,
) -> OwnEnd {
    let path = format!("/apis/access.sallyport.dev/v1alpha1/accessgrants/{grant}");
    let options = serde_json::json!({
        "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "preconditions": {"uid": uid},
    });
    let body = options.to_string().into_bytes();
    let answer =
        sallyport_client::probe(target, Some(token), http::Method::DELETE, &path, Some(body), within).await;
    match answer {
        Ok(answer) => own_end(answer.status, &answer.body),
        Err(fault) => OwnEnd::Unanswered(fault.to_string()),
    }
}

fn own_end(status: u16, body: &[u8]) -> OwnEnd {
    let said = || {
        let status = serde_json::from_slice::<serde_json::Value>(body).ok();
        let words = status.as_ref().and_then(|s| s.get("message")).and_then(|m| m.as_str());
        sallyport_model::clip(&sallyport_model::visible(words.unwrap_or("no reason given")), 500)
    };
    match status {
        200 | 202 => OwnEnd::Ended,
        // 409: another grant has taken the name, which is not this session's.
        401 | 404 | 409 => OwnEnd::Gone,
        403 => OwnEnd::Refused(said()),
        other => OwnEnd::Unanswered(format!("HTTP {other}: {}", said())),
    }
}

#[cfg(test)]
mod tests;
