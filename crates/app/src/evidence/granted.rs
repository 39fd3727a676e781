//! What an offer gave, as its entry keeps it, and what of it no call used. Pure.

use super::number;
use super::role::Calls;
use sallyport_api::RuleSummary;
use sallyport_audit::{Action, Entry};
use sallyport_ipc::{Shown, UnusedLine, UnusedView};
use sallyport_model::RoleName;
use sallyport_rbac::Rule;
use sallyport_rbac::propose::{Atom, rule_use};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of an entry that rules may take: all of its detail is at most 8 KiB.
const BYTES_MOST: usize = 6 * 1024;
/// Lines of what was not used that are shown, and resources in each.
const LINES: usize = 40;
const OF_EACH: usize = 12;

/// A rule as an entry keeps it, in RBAC's own words, without the role that it stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Kept {
    verbs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    api_groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs", skip_serializing_if = "Vec::is_empty")]
    non_resource_urls: Vec<String>,
}

/// The rules of an offer for its entry, each once and as many as fit: how many there were the entry says beside them.
pub(crate) fn kept(rules: &[RuleSummary]) -> Vec<Kept> {
    let mut room = BYTES_MOST;
    let mut out: Vec<Kept> = Vec::new();
    for rule in rules {
        let rule = Kept {
            verbs: rule.verbs.clone(),
            api_groups: rule.api_groups.clone(),
            resources: rule.resources.clone(),
            resource_names: rule.resource_names.clone(),
            non_resource_urls: rule.non_resource_urls.clone(),
        };
        let size = serde_json::to_string(&rule).map_or(usize::MAX, |text| text.len() + 1);
        // One that is too large for what is left leaves it to those behind it.
        if size <= room {
            room -= size;
            out.push(rule);
        }
    }
    out
}

/// What was granted, as far as it is on record.
pub(super) struct Granted {
    rules: Vec<Rule>,
    /// Rules that are not on record.
    missing: u64,
}

/// Of a session's entries; none where they were written before rules were kept.
pub(super) fn of(entries: &[Entry]) -> Option<Granted> {
    let offers = entries.iter().filter(|entry| entry.action == Action::Offer);
    let (offer, rules) = offers.filter_map(|entry| Some((entry, entry.detail.get("granted")?))).next()?;
    let role: RoleName = "granted".parse().ok()?;
    let rules = rules.as_array().into_iter().flatten().filter_map(|rule| Kept::deserialize(rule).ok());
    let rules: Vec<Rule> = rules
        .map(|rule| Rule {
            role: role.clone(),
            verbs: rule.verbs,
            api_groups: rule.api_groups,
            resources: rule.resources,
            resource_names: rule.resource_names,
            non_resource_urls: rule.non_resource_urls,
        })
        .collect();
    let all = offer.detail.number("rules").unwrap_or_default();
    Some(Granted { missing: all.saturating_sub(rules.len() as u64), rules })
}

impl Granted {
    /// What no call used.
    pub(super) fn unused(&self, used: &Calls) -> UnusedView {
        let used = used.each();
        let (mut never, mut ever): (BTreeSet<Atom>, BTreeSet<Atom>) = Default::default();
        let (mut whole, mut untold) = (0_u32, u32::try_from(self.missing).unwrap_or(u32::MAX));
        for rule in &self.rules {
            // Where it holds the scope says, and no call was let through elsewhere.
            let is = rule_use(rule, None, &used);
            untold = untold.saturating_add(u32::from(is.is_too_large));
            whole = whole.saturating_add(u32::from(!is.is_too_large && is.used.is_empty()));
            never.extend(is.unused);
            ever.extend(is.used.into_iter().map(|(atom, _)| atom));
        }
        // What another rule gives as well was used all the same.
        let mut verbs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for atom in never.difference(&ever) {
            verbs.entry(atom.what()).or_default().insert(atom.verb.clone());
        }
        let mut alike: BTreeMap<BTreeSet<String>, Vec<String>> = BTreeMap::new();
        for (what, verbs) in verbs {
            alike.entry(verbs).or_default().push(what);
        }
        let line = |verbs: &BTreeSet<String>, of: &[String]| UnusedLine {
            of: of.iter().map(Shown::from).collect(),
            verbs: verbs.iter().map(Shown::from).collect(),
        };
        let chunks = alike.iter().flat_map(|(verbs, of)| of.chunks(OF_EACH).map(move |of| line(verbs, of)));
        let mut lines: Vec<UnusedLine> = chunks.collect();
        lines.sort_by(|a, b| a.of.cmp(&b.of));
        let more = number(lines.len().saturating_sub(LINES) as u64);
        lines.truncate(LINES);
        UnusedView { lines, more, rules: whole, untold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::role::used_through_gateway;
    use sallyport_audit::Draft;

    fn summary(verbs: &[&str], groups: &[&str], resources: &[&str]) -> RuleSummary {
        let own = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        RuleSummary {
            role: "operate".into(),
            verbs: own(verbs),
            api_groups: own(groups),
            resources: own(resources),
            resource_names: Vec::new(),
            non_resource_urls: Vec::new(),
        }
    }

    /// As it comes back from the disk.
    fn offered(rules: &[RuleSummary]) -> Entry {
        let draft = Draft::new(Action::Offer).detail("digest", "d".repeat(64)).detail("rules", rules.len());
        let entry = draft.detail("granted", kept(rules)).place(1, 0);
        let detail = sallyport_audit::Detail::from_stored(&entry.detail.to_json()).unwrap();
        Entry { detail, ..entry }
    }

    fn called(method: &str, uri: &str, status: u16) -> Entry {
        let draft = Draft::new(Action::Call).detail("method", method).detail("uri", uri);
        draft.detail("status", status).place(2, 0)
    }

    fn said(view: &UnusedView) -> Vec<String> {
        let line = |line: &UnusedLine| format!("{} {}", line.verbs.join(","), line.of.join(","));
        view.lines.iter().map(line).collect()
    }

    #[test]
    fn what_was_granted_and_never_used_is_said_and_what_was_used_is_not() {
        let rules = [
            summary(&["get", "patch"], &["apps"], &["deployments", "statefulsets", "daemonsets"]),
            summary(&["get", "list"], &[""], &["secrets", "pods/exec", "tokens"]),
            summary(&["*"], &["batch"], &["jobs"]),
            // What another rule gives as well.
            RuleSummary {
                resource_names: vec!["db-password".into()],
                ..summary(&["get"], &["apps"], &["deployments"])
            },
        ];
        let entries = [
            offered(&rules),
            called("GET", "/apis/apps/v1/namespaces/pay/deployments/checkout", 200),
            // Refused: it was not used.
            called("PATCH", "/apis/apps/v1/namespaces/pay/deployments/checkout", 403),
            called("DELETE", "/apis/batch/v1/namespaces/pay/jobs/a", 200),
        ];
        let granted = of(&entries).unwrap();
        let unused = granted.unused(&used_through_gateway(&entries));
        assert_eq!(
            said(&unused),
            [
                "get,patch daemonsets.apps,statefulsets.apps",
                "patch deployments.apps",
                "* jobs.batch",
                "get,list pods/exec,secrets,tokens"
            ]
        );
        assert_eq!((unused.rules, unused.untold, unused.more), (2, 0, 0));
        // Used by none: all of it.
        let unused = granted.unused(&used_through_gateway(&entries[..1]));
        assert_eq!(unused.rules, 4);
    }

    #[test]
    fn an_entry_keeps_no_more_than_fits_and_what_is_left_out_is_never_called_unused() {
        let wide: Vec<String> = (0..128).map(|n| format!("{n:0>50}")).collect();
        let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
        let mut rules = vec![summary(&["get"], &["apps"], &["deployments"]); 127];
        rules.insert(3, summary(&["get"], &["wide"], &wide));
        let entry = offered(&rules);
        assert!(entry.detail.get("clipped").is_none(), "nothing of it was cut in its middle");
        let granted = of(std::slice::from_ref(&entry)).unwrap();
        let unused = granted.unused(&Calls::default());
        assert!(unused.untold > 0 && (granted.rules.len() as u64 + granted.missing) == 128);
        assert!(said(&unused).iter().all(|line| !line.contains("wide")), "{unused:?}");
        // Too large to be looked at part by part.
        let many: Vec<String> = (0..64).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let entry = offered(&[summary(&many[..32], &many, &many)]);
        assert_eq!(of(&[entry]).unwrap().unused(&Calls::default()).untold, 1);
    }

    #[test]
    fn an_entry_without_rules_or_with_others_words_in_their_place_says_nothing() {
        let before = Draft::new(Action::Offer).detail("rules", 21).place(1, 0);
        assert!(of(&[before]).is_none());
        for odd in
            [serde_json::json!("x"), serde_json::json!([1, "x", null, {"verbs": 7}]), serde_json::json!({})]
        {
            let entry =
                Draft::new(Action::Offer).detail("rules", 2).detail("granted", odd.clone()).place(1, 0);
            let unused = of(&[entry]).unwrap().unused(&Calls::default());
            assert_eq!((unused.lines.len(), unused.untold), (0, 2), "{odd}");
        }
    }
}
