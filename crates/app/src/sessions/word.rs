//! What the hub says of a request, as far as a session goes by it. Pure.

use crate::desk::AppError;
use sallyport_api::{AccessRequest, Approval, Asked, CONDITION_ENDED};
use sallyport_model::{EndReason, ErrorCode, Given, Phase, visible};

/// Before each object that the broker could not remove with a grant.
const STILL_THERE: &str = "; still there: ";

/// Before the name of what opened a request without people.
pub(super) const BY_ITSELF: &str = "by autoApproval ";

/// What a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing that ends or opens it.
    OnItsWay,
    /// It is granted and its token can be opened.
    Granted,
    /// It is over, and somebody sees to what is left of it.
    Ending(Said),
    /// It is over and nothing of it is left, by the broker's word.
    Closed(Said),
}

/// Somebody's word that a request is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) reason: EndReason,
    pub(super) message: String,
    pub(super) by: Option<String>,
}

/// What ends a request comes before what opens it: one that carries an end never opens, whatever else it carries.
pub(super) fn heard(request: &AccessRequest) -> Heard {
    if request.phase() == Phase::Closed {
        return Heard::Closed(said(request));
    }
    let ended_by = request.ended_by();
    if let Some(by) = &ended_by
        && let Some(word) = by.said()
    {
        let ending = by.ending(request.phase());
        let message = if word.why.is_empty() { ending.message } else { word.why.clone() };
        return Heard::Ending(Said { reason: ending.reason, message, by: Some(word.by.clone()) });
    }
    if request.closing().is_some() {
        return Heard::Ending(said(request));
    }
    if ended_by.is_some() {
        let message = "it was taken back on the hub".to_owned();
        return Heard::Ending(Said { reason: EndReason::Left, message, by: None });
    }
    if request.phase() == Phase::Active && credential(request).is_some() {
        return Heard::Granted;
    }
    Heard::OnItsWay
}

/// A request that is not there any more.
pub(super) fn deleted() -> Said {
    let message = "its request was deleted on the hub".to_owned();
    Said { reason: EndReason::Revoked, message, by: None }
}

/// Why and by whom a request is over, as the broker wrote it. While it is closing and how it ends is not decided, its
/// grant was removed by someone.
fn said(request: &AccessRequest) -> Said {
    let (status, closing) = (request.status.clone().unwrap_or_default(), request.closing());
    let ended = status.conditions.iter().find(|c| c.type_ == CONDITION_ENDED);
    let reason = match ended {
        Some(ended) => ended.reason.parse().unwrap_or(EndReason::Failed),
        None if closing.is_some() => EndReason::Revoked,
        None => EndReason::Failed,
    };
    let words = ended.or(closing).map(|c| c.message.clone()).filter(|m| !m.is_empty()).or(status.message);
    Said {
        reason,
        message: words.unwrap_or_else(|| "the broker closed it".to_owned()),
        by: status.revocation.map(|r| r.by).or(status.denial.map(|d| d.by)),
    }
}

/// The sealed token, while it is there.
pub(super) fn credential(request: &AccessRequest) -> Option<&str> {
    request.status.as_ref().and_then(|s| s.credential.as_deref()).filter(|c| !c.is_empty())
}

/// Who or what said yes, in words.
pub(super) fn approved_by(request: &AccessRequest) -> String {
    let status = request.status.as_ref();
    let names: Vec<String> = status.map(|s| s.approvals.iter().map(yes_of).collect()).unwrap_or_default();
    let by = match status.and_then(|status| status.auto_approval.as_ref()) {
        Some(met) => format!("{BY_ITSELF}{}: {}", met.name, met.saw),
        None if names.is_empty() => "at once: no approval needed".to_owned(),
        None => format!("by {}", names.join(", ")),
    };
    let terms = Asked::try_from(request).map(|asked| asked.terms);
    let less =
        terms.ok().and_then(|terms| request.given(&terms).ok().filter(|given| *given != Given::all(&terms)));
    match less {
        Some(given) => format!("{by}: {given}"),
        None => by,
    }
}

/// One person's yes, and what they took off.
pub(super) fn yes_of(approval: &Approval) -> String {
    let limits = approval.limits.as_ref();
    let only =
        limits.and_then(|limits| limits.namespaces.as_ref()).map(|names| format!("only {}", names.join(" ")));
    let most = limits.and_then(|limits| limits.duration.as_ref()).map(|most| format!("at most {most}"));
    let less: Vec<String> = only.into_iter().chain(most).collect();
    if less.is_empty() { approval.by.clone() } else { format!("{} ({})", approval.by, less.join(", ")) }
}

/// Whether a request says by itself that it is over.
pub(super) fn knows_its_end(request: &AccessRequest) -> bool {
    let withdrawn = request.status.as_ref().and_then(|status| status.withdrawn);
    request.phase() == Phase::Closed || withdrawn == Some(true)
}

/// What the broker can't remove, in its words. A grant that someone removed waits for their word, which hinders nothing;
/// what is left of it does.
pub(super) fn hindrance(request: &AccessRequest) -> Option<String> {
    let closing = request.closing()?;
    let words = if closing.reason == "GrantRemoved" {
        let (_, left) = closing.message.split_once(STILL_THERE)?;
        left.rsplit_once("; waiting for ").map_or(left, |(left, _)| left).replace(STILL_THERE, "; ")
    } else {
        closing.message.clone()
    };
    Some(visible(&words)).filter(|words| !words.is_empty())
}

/// What stands in the way of opening a request that is over already.
pub(super) fn over_before_open(said: &Said, closed: bool) -> AppError {
    let code = if said.reason == EndReason::Denied { ErrorCode::Forbidden } else { ErrorCode::Failed };
    let error = AppError::new(code, said.message.clone());
    let again = said.reason == EndReason::Failed
        || (!closed && said.reason == EndReason::Revoked && said.by.is_none());
    // Where the broker says what to ask for instead, the same again would fail again.
    if again && !error.message().contains("; ask again ") {
        error.hint("Try again; if it stays so, tell your admin.").retry()
    } else {
        error
    }
}

#[cfg(test)]
mod tests;
