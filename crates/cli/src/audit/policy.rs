//! `policy`: what API servers, and what clouds, have to write and hand on; and how much that would be.

mod estimate;
mod provider;

use super::args::{PolicyArgs, Provider};
use super::{open, plain};
use crate::answer::{self, Answer};
use crate::end::{End, Stop};
use estimate::Deciding;
pub(crate) use estimate::EstimateView;
use sallyport_events::Policy;

/// For `--audit-policy-file` (audit.k8s.io/v1, `Policy`).
pub(super) const POLICY: &str = include_str!("policy/policy.yaml");

pub(super) fn policy(args: &PolicyArgs) -> Result<(String, End), Stop> {
    if let (Some(provider), false) = (args.provider, args.estimate) {
        return Ok((
            match provider {
                Provider::Eks => provider::eks(),
                Provider::Gke => provider::gke(),
                Provider::Aks => provider::aks(),
            },
            End::Good,
        ));
    }
    let (true, Some(dir)) = (args.estimate, &args.archive) else { return Ok((POLICY.to_owned(), End::Good)) };
    let archive = open(dir, false)?;
    let printed = read()?;
    let deciding = args.provider.map_or(Deciding::Policy(&printed), Deciding::Provider);
    let view = estimate::estimate(&archive, deciding, args)?;
    let text = match args.output {
        Answer::Text => view.told(),
        Answer::Json => plain::json(&answer::json(&view)?),
    };
    let end = match (view.lacks.is_nothing(), view.clusters.is_empty()) {
        (false, _) => End::Unanswered,
        (true, true) => End::Found,
        (true, false) => End::Good,
    };
    Ok((text, end))
}

/// The printed policy, and what its rules are about.
struct Printed {
    policy: Policy,
    about: Vec<String>,
}

fn read() -> Result<Printed, Stop> {
    let value: serde_json::Value = serde_saphyr::from_str(POLICY).map_err(Stop::new)?;
    let policy = Policy::of(&value).map_err(Stop::new)?;
    // The first sentence of the comment right above each rule.
    let (mut about, mut said): (Vec<String>, Vec<&str>) = (Vec::new(), Vec::new());
    for line in POLICY.lines() {
        match line.strip_prefix("# ") {
            Some(comment) if !comment.starts_with(['-', ' ']) => said.push(comment),
            _ => {
                if line.starts_with("- level:") {
                    let text = said.join(" ");
                    let first = text.split_inclusive(['.', ':']).next().unwrap_or_default();
                    about.push(first.trim_end_matches(['.', ':']).to_owned());
                }
                said.clear();
            }
        }
    }
    Ok(Printed { policy, about })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_events::{Level, PolicyCall};

    #[test]
    fn the_printed_policy_is_one_and_says_of_each_rule_what_it_is_about() {
        let printed = read().unwrap();
        assert_eq!(printed.policy.levels().count(), printed.about.len());
        assert_eq!(printed.about[0], "Never with their bodies");
        assert!(
            printed.about.last().is_some_and(|last| last.starts_with("Everything else")),
            "{:?}",
            printed.about
        );
        let session = ["system:serviceaccounts", "system:serviceaccounts:sallyport-sessions"];
        let level = |call: PolicyCall<'_>| {
            printed.policy.decides(&call).and_then(|at| printed.policy.levels().nth(at))
        };
        let secret =
            PolicyCall { groups: &session, verb: "create", resource: "secrets", ..PolicyCall::default() };
        assert_eq!(level(secret), Some(Level::Metadata));
        let write = PolicyCall { groups: &session, verb: "patch", resource: "pods", ..PolicyCall::default() };
        assert_eq!(level(write), Some(Level::Request));
        let read =
            PolicyCall { groups: &session[..1], verb: "get", resource: "pods", ..PolicyCall::default() };
        assert_eq!(level(read), Some(Level::None));
        assert_eq!(
            level(PolicyCall { verb: "get", path: "/livez", ..PolicyCall::default() }),
            Some(Level::None)
        );
    }
}
