//! A yes to less than was asked for. Pure: what is limited is decided again by admission and by the broker.

use crate::desk::AppError;
use sallyport_api::{AccessRequest, Approval, Asked};
use sallyport_ipc::{GivenView, LimitsInput, LimitsView, Shown};
use sallyport_model::{ErrorCode, Given, Limits, NameError, NamespaceName, Terms, Ttl};
use sallyport_policy::given;

/// The limits that an approver chose; ones that take nothing off are none.
///
/// # Errors
/// When they can't be read, when the broker that made the offer takes none, and when nothing is left.
pub(super) fn limits(
    object: &AccessRequest,
    input: Option<LimitsInput>,
    takes_limits: bool,
) -> Result<Limits, AppError> {
    let Some(input) = input else { return Ok(Limits::default()) };
    let bad = |what: String| {
        AppError::new(ErrorCode::BadInput, what)
            .hint("Nothing was approved. Choose again, or approve it as asked.")
    };
    let asked = terms(object)
        .map(|terms| Given::all(&terms))
        .ok_or_else(|| bad("what this request asks for can't be read".into()))?;
    let names =
        input.namespaces.map(|names| names.iter().map(|name| name.parse::<NamespaceName>()).collect());
    let names: Option<Vec<_>> = names.transpose().map_err(|e: NameError| bad(e.to_string()))?;
    let duration = input.duration_seconds.map(|s| Ttl::seconds(s.into()).whole_minutes());
    let chosen = Limits::new(duration, names)
        .map_err(|_| bad(format!("a limit leaves at least one namespace and {}", Ttl::SHORTEST)))?;
    let left = asked
        .limited(&chosen)
        .ok_or_else(|| bad("these limits leave nothing of what was asked for".into()))?;
    // What is wider than asked limits nothing, and the hub takes no such words.
    let duration = chosen.duration().filter(|_| left.duration < asked.duration);
    let scope = chosen.scope().filter(|_| left.scope != asked.scope).map(|_| left.scope.to_list());
    let limits = Limits::new(duration, scope).map_err(|e| bad(e.to_string()))?;
    if !limits.is_none() && !takes_limits {
        return Err(AppError::new(
            ErrorCode::BadInput,
            format!("the broker of {} gives what was asked for or nothing", Shown::from(&object.spec.cluster)),
        )
        .hint("Nothing was approved. Approve it as asked, deny it and say what to ask for, or have that broker brought up to date."));
    }
    Ok(limits)
}

/// What one approver took off.
pub(super) fn view(approval: &Approval) -> Option<LimitsView> {
    let limits = of(approval)?;
    (!limits.is_none()).then(|| LimitsView {
        duration_seconds: limits.duration().map(Ttl::as_seconds_u32),
        namespaces: limits.scope().map(|scope| scope.to_list().iter().map(Shown::of).collect()),
    })
}

/// What these yeses leave, or what was recorded as given; `None` where that is all that was asked for, or can't be told.
pub(super) fn left<'a>(
    object: &AccessRequest,
    approvals: impl IntoIterator<Item = &'a Approval>,
) -> Option<GivenView> {
    let terms = terms(object)?;
    let given = if object.status.as_ref().is_some_and(|status| status.given.is_some()) {
        object.given(&terms).ok()?
    } else {
        let limits: Vec<Limits> = approvals.into_iter().filter_map(of).collect();
        given(&terms, &limits)?
    };
    (given != Given::all(&terms)).then(|| GivenView {
        namespaces: given.scope.to_list().iter().map(Shown::of).collect(),
        duration_seconds: given.duration.as_seconds_u32(),
    })
}

/// An approval's limits, none where it has none; `None` for ones that make no sense, by which it counts for nothing.
fn of(approval: &Approval) -> Option<Limits> {
    approval.limits.as_ref().map_or(Some(Limits::default()), |limits| Limits::try_from(limits).ok())
}

fn terms(object: &AccessRequest) -> Option<Terms> {
    Asked::try_from(object).ok().map(|asked| asked.terms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_api::LimitsField;
    use serde_json::json;

    fn request(namespaces: &[&str], status: serde_json::Value) -> AccessRequest {
        serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
            "metadata": {"name": "r", "namespace": "team", "uid": "u", "creationTimestamp": "2026-11-24T14:00:00Z"},
            "spec": {"user": "u", "groups": [], "cluster": "c", "profile": "p", "profileRevision": "aa/1",
                "namespaces": namespaces, "duration": "1h", "reason": "r", "publicKey": "k"},
            "status": status,
        }))
        .unwrap()
    }

    fn chosen(minutes: Option<u32>, names: Option<&[&str]>) -> Option<LimitsInput> {
        let namespaces = names.map(|names| names.iter().map(ToString::to_string).collect());
        Some(LimitsInput { duration_seconds: minutes.map(|m| m * 60), namespaces })
    }

    #[test]
    fn p8_a_limit_takes_off_what_was_asked_for_or_is_none() {
        let object = request(&["a", "b"], json!({}));
        let of = |input| limits(&object, input, true).map(|limits| LimitsField::from(&limits));
        assert!(limits(&object, None, false).unwrap().is_none());
        let less = of(chosen(Some(30), Some(&["b"]))).unwrap();
        assert_eq!((less.duration.as_deref(), less.namespaces), (Some("30m"), Some(vec!["b".into()])));
        // Wider than asked, or all of it: no limit at all, also with a broker that takes none.
        assert!(limits(&object, chosen(Some(60), Some(&["a", "b", "c"])), false).unwrap().is_none());
        let partly = of(chosen(Some(90), Some(&["b", "c"]))).unwrap();
        assert_eq!((partly.duration, partly.namespaces), (None, Some(vec!["b".into()])));
        for wrong in [
            chosen(Some(14), None),
            chosen(None, Some(&[])),
            chosen(None, Some(&["c"])),
            chosen(None, Some(&["A"])),
        ] {
            assert_eq!(of(wrong).unwrap_err().code(), ErrorCode::BadInput);
        }
        let old = limits(&object, chosen(Some(30), None), false).unwrap_err();
        assert!(old.to_string().contains("the broker of c gives what was asked for or nothing"), "{old}");
    }

    #[test]
    fn what_is_left_is_told_where_it_is_less() {
        let yes = |limits: serde_json::Value| -> Approval {
            serde_json::from_value(
                json!({"by": "x", "at": "2026-11-24T14:01:00Z", "offer": "a", "limits": limits}),
            )
            .unwrap()
        };
        let object = request(&[], json!({}));
        let two = [yes(json!({"duration": "30m"})), yes(json!({"namespaces": ["a"]}))];
        let seen = left(&object, &two).unwrap();
        assert_eq!((seen.duration_seconds, seen.namespaces.len()), (1800, 1));
        assert_eq!(left(&object, &[yes(json!({}))]), None);
        assert_eq!(view(&yes(json!({"namespaces": []}))), None);
        let given = request(&["a", "b"], json!({"given": {"namespaces": ["a"], "duration": "20m"}}));
        assert_eq!(left(&given, &two).map(|seen| seen.duration_seconds), Some(1200));
        let forged = request(&["a"], json!({"given": {"namespaces": [], "duration": "20m"}}));
        assert_eq!(left(&forged, &two), None);
    }
}
