//! Holds as the window shows them. Pure.

use sallyport_api::AccessHold;
use sallyport_hub::HoldRights;
use sallyport_ipc::{HeldKind, HoldView, Shown};
use sallyport_model::{Held, Hold, UserName};

/// Those that stand at `now` (Unix seconds), the newest first.
pub(super) fn of<'a>(
    holds: impl Iterator<Item = &'a AccessHold>,
    me: &UserName,
    rights: HoldRights,
    now: i64,
) -> Vec<HoldView> {
    let mut views: Vec<HoldView> = holds.filter_map(|object| one(object, me, rights, now)).collect();
    views.sort_by(|a, b| (b.since, &a.id).cmp(&(a.since, &b.id)));
    views
}

fn one(object: &AccessHold, me: &UserName, rights: HoldRights, now: i64) -> Option<HoldView> {
    let hold = Hold::from(object);
    if !hold.stands(now) {
        return None;
    }
    let (on, name) = match &hold.held {
        Held::User(name) => (HeldKind::User, name.as_str()),
        Held::Cluster(name) => (HeldKind::Cluster, name.as_str()),
        Held::Everything => (HeldKind::Everything, ""),
    };
    let by_name = on == HeldKind::User && name == me.as_str();
    Some(HoldView {
        id: object.metadata.uid.clone().unwrap_or_default().into(),
        on,
        name: Shown::from(name),
        by: Shown::from(&hold.by),
        reason: Shown::from(&hold.reason),
        since: object.metadata.creation_timestamp.as_ref().map_or(0, |at| at.0.as_millisecond()),
        until: hold.until.saturating_mul(1000),
        on_me: by_name || on == HeldKind::Everything,
        may_remove: rights.remove && !by_name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hold(uid: &str, on: serde_json::Value, since: &str, until: &str) -> AccessHold {
        let mut spec = json!({"until": until, "by": "oidc:lee", "reason": "stolen\u{202e}"});
        spec.as_object_mut().unwrap().extend(on.as_object().unwrap().clone());
        serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessHold",
            "metadata": {"name": uid, "uid": uid, "creationTimestamp": since}, "spec": spec,
        }))
        .unwrap()
    }

    #[test]
    fn what_stands_is_shown_and_nobody_is_offered_to_end_their_own() {
        let (early, late) = ("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z");
        let holds = [
            hold("a", json!({"user": "oidc:dana"}), early, "2026-11-25T10:00:00Z"),
            hold("b", json!({"cluster": "pay"}), late, "2026-11-25T10:00:00Z"),
            hold("c", json!({"everything": true}), early, "2026-11-24T10:30:00Z"),
        ];
        let now = "2026-11-24T12:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
        let rights = HoldRights { make: true, remove: true };
        let seen = of(holds.iter(), &"oidc:dana".parse().unwrap(), rights, now);
        let short: Vec<_> = seen.iter().map(|v| (v.id.to_string(), v.on_me, v.may_remove)).collect();
        assert_eq!(short, [("b".into(), false, true), ("a".into(), true, false)]);
        assert_eq!(seen[0].reason.as_str(), "stolen⟨U+202E⟩");
        let none = of(holds.iter(), &"oidc:eve".parse().unwrap(), HoldRights::default(), now - 7200);
        assert_eq!(none.iter().filter(|v| v.on_me).count(), 1, "everything is held, and they with it");
        assert!(none.iter().all(|v| !v.may_remove));
    }
}
