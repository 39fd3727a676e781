//! The history as the window shows it: entries, verdicts, and its filter. Pure.

use super::sentence::sentence;
use crate::desk::AppError;
use sallyport_audit::{Action, Entry, Fault, Outcome, SealPublic, Seals, Unanchored, Verdict};
use sallyport_ipc::{AuditEntryView, AuditFilter, AuditIds, Shown, VerifyView};
use sallyport_model::{ErrorCode, clip};
use sallyport_store::Filter;

/// The window's filter as the store takes it.
pub(super) fn parse(filter: AuditFilter) -> Result<Filter, AppError> {
    let wrong = |what: &str, e: String| {
        AppError::new(ErrorCode::BadInput, format!("the filter's {what} can't be used: {e}"))
    };
    Ok(Filter {
        cluster: filter
            .cluster
            .map(|c| c.parse())
            .transpose()
            .map_err(|e| wrong("cluster", format!("{e}")))?,
        session: filter.session.map(|s| sallyport_model::SessionId::new(clip(&s, 128))),
        request: None,
        user: filter.user.map(|u| u.parse()).transpose().map_err(|e| wrong("user", format!("{e}")))?,
        actions: filter
            .action
            .map(|a| a.parse::<Action>())
            .transpose()
            .map_err(|e| wrong("action", e.to_string()))?
            .into_iter()
            .collect(),
        text: filter.text.map(|t| clip(t.trim(), 200)).filter(|t| !t.is_empty()),
        from: filter.from.map(|ms| ms.saturating_mul(1000)),
        to: filter.to.map(|ms| ms.saturating_mul(1000)),
        ..Filter::default()
    })
}

/// Who is behind an entry of a session where it is not the session's own person.
fn whose_word(entry: &Entry) -> Option<Shown> {
    let by = || entry.detail.text("by").map(Shown::from);
    match entry.action {
        Action::Offer | Action::Granted | Action::ProvenByBroker | Action::Unanswered => {
            Some("broker".into())
        }
        // "by oidc:lee@…", "by autoApproval office: …", "at once: …"; before there were those, "by rule: …".
        Action::Approved => by().map(|b| match b.strip_prefix("by ") {
            Some(who) if !who.starts_with("autoApproval ") && !who.starts_with("rule") => Shown::from(who),
            _ => "broker".into(),
        }),
        Action::Denied | Action::Revoked => by().or_else(|| Some("broker".into())),
        _ => None,
    }
}

/// An entry as the list shows it.
pub(crate) fn view(entry: &Entry) -> AuditEntryView {
    let text = |key: &str| entry.detail.text(key).map(Shown::from);
    let detail = entry.detail.values().iter().map(|(key, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (Shown::from(key), Shown::from(&value))
    });
    AuditEntryView {
        sequence: i64::try_from(entry.sequence).unwrap_or(i64::MAX),
        at_us: entry.at,
        action: entry.action.to_string(),
        sentence: Shown::from(&sentence(entry)),
        outcome: match entry.outcome {
            Outcome::Ok => sallyport_ipc::Outcome::Done,
            Outcome::Refused => sallyport_ipc::Outcome::Refused,
            Outcome::Failed => sallyport_ipc::Outcome::Failed,
            Outcome::Unknown => sallyport_ipc::Outcome::Unproven,
        },
        user: entry.user.as_ref().map(|u| Shown::from(u.as_str())).unwrap_or_default(),
        cluster: entry.cluster.as_ref().map(Shown::of).unwrap_or_default(),
        via: text("via").or_else(|| whose_word(entry)).unwrap_or_default(),
        status: entry.detail.number("status").and_then(|status| u16::try_from(status).ok()),
        ids: AuditIds {
            request: entry.request.as_ref().map(Shown::of),
            grant: entry.grant.as_ref().map(Shown::of),
            session: entry.session.as_ref().map(Shown::of),
            jti: entry.jti.as_ref().map(Shown::of),
            audit_id: entry.audit_id.as_ref().map(Shown::of),
        },
        detail: detail.collect(),
        redactions: entry.redactions,
        gap: entry.action == Action::Gap,
    }
}

/// A verdict as the window shows it, of now.
pub(super) fn verdict_view(verdict: &Verdict) -> VerifyView {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let (kind, entries, first_bad, why) = match verdict {
        Verdict::Verified { entries } => (sallyport_ipc::Verdict::Verified, number(*entries), None, None),
        Verdict::Unanchored { entries, why, .. } => {
            (sallyport_ipc::Verdict::Unanchored, number(*entries), None, Some(unanchored(*why).to_owned()))
        }
        Verdict::Broken { first_bad, why } => (
            sallyport_ipc::Verdict::Broken,
            number(first_bad.saturating_sub(1)),
            Some(number(*first_bad)),
            Some(broken(why)),
        ),
    };
    VerifyView {
        verdict: kind,
        entries,
        gaps: 0,
        first_bad,
        why: why.map(|w| Shown::from(&w)),
        ms: 0,
        at: jiff::Timestamp::now().as_millisecond(),
    }
}

/// How far it is sealed, for whoever hands it on: by whose key, and up to where.
pub(super) fn sealed(seals: &Seals, key: Option<&SealPublic>) -> Option<String> {
    let key = key?.fingerprint();
    match seals {
        Seals::Sealed(sealed) => Some(format!("sealed up to entry {} with the key {key}", sealed.until)),
        Seals::Never { .. } | Seals::Broken { .. } => None,
    }
}

fn unanchored(why: Unanchored) -> &'static str {
    match why {
        Unanchored::NoKey => "there is no keyring, so no key to anchor it",
        Unanchored::WrittenWithout => "part of it was written without a key",
        Unanchored::OtherKey => "part of it was written under a key that is not at hand",
    }
}

fn broken(why: &Fault) -> String {
    match why {
        Fault::CheckpointMissing
        | Fault::CheckpointForged(_)
        | Fault::CheckpointForeign
        | Fault::Changed { .. }
        | Fault::Resealed(_) => why.to_string(),
        plain => format!("{plain:?}").to_lowercase(),
    }
}
