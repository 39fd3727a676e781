//! What was seen of somebody's calls, and what that cannot tell. Whoever reads logs fills it.

use super::{Proposal, Used};
use std::collections::BTreeMap;

/// Somebody's calls, as logs tell them.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What was asked for; the same with the same outcome is one.
    pub used: Vec<Used>,
    /// Calls that are over.
    pub calls: u64,
    /// The first and the last moment, in microseconds of Unix time.
    pub range: Option<(i64, i64)>,
    /// How many calls each level of the cluster's audit policy told.
    pub levels: BTreeMap<&'static str, u64>,
    /// Events that break off.
    pub partial: u64,
    /// Names were too many to be kept apart.
    pub without_names: bool,
    /// Calls that were not looked at, because there are too many different ones.
    pub others: u64,
    /// Whether calls about no resource were more than are looked at.
    pub has_more_paths: bool,
    /// Whether they impersonated somebody: groups are not in it.
    pub impersonated: bool,
}

impl Seen {
    /// What these logs cannot tell, a sentence each.
    pub fn not_known(&self, proposal: &Proposal, is_account: bool) -> Vec<String> {
        let mut all = vec![
        "What is done less often than these logs reach back is not in it, nor is what failed elsewhere first.".to_owned(),
    ];
        let has_reads = proposal
            .roles
            .iter()
            .flat_map(|role| &role.rules)
            .any(|rule| rule.verbs.iter().any(|verb| matches!(verb.as_str(), "get" | "list" | "watch")));
        if is_account && !has_reads {
            all.push(
            "No read of this account is told, and there is hardly one that reads nothing: the audit policy leaves them \
             out, as that of `sallyport audit policy` does. This is no role to work with."
                .to_owned(),
        );
        } else if is_account {
            all.push(
            "Reads that the audit policy leaves out are not in it: that of `sallyport audit policy` tells an account's \
             reads of Secrets alone."
                .to_owned(),
        );
        }
        let levels: Vec<String> =
            self.levels.iter().map(|(level, calls)| format!("{level} {calls}")).collect();
        all.push(format!(
        "The policy told these calls at the levels {}; at None it told nothing, and nobody knows of what.",
        levels.join(", ")
    ));
        all.push(
        "Some rights are asked for inside a call and leave no event: bind and escalate for roles, approve and sign for \
         certificates, use, the finalizers of an owner."
            .to_owned(),
    );
        if self.impersonated {
            all.push("As which groups and with which extras they impersonated is not in it.".to_owned());
        }
        if self.partial > 0 {
            all.push(format!("{} of the events break off: what they say is in it.", self.partial));
        }
        if self.without_names {
            all.push("There were too many names to keep them apart: no rule is limited to names.".to_owned());
        }
        if self.others > 0 {
            all.push(format!(
                "{} calls are not in it: there are too many different ones. A shorter time has fewer.",
                self.others
            ));
        }
        if self.has_more_paths {
            all.push(
                "Of calls about no resource only the newest 20,000 were looked at: a shorter time has fewer."
                    .to_owned(),
            );
        }
        all
    }
}
