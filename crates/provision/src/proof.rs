//! The proof that a closed session is closed: asked of the API server itself, never of the gateway.

use sallyport_api::RuleSummary;
use sallyport_client::{Endpoint, probe_get};
use sallyport_model::{Scope, Secret};
use std::time::Duration;
use tokio::time::Instant;

/// The API versions of the built-in groups whose lists can serve as a question.
const VERSIONS: [(&str, &str); 6] = [
    ("", "/api/v1"),
    ("apps", "/apis/apps/v1"),
    ("batch", "/apis/batch/v1"),
    ("networking.k8s.io", "/apis/networking.k8s.io/v1"),
    ("policy", "/apis/policy/v1"),
    ("autoscaling", "/apis/autoscaling/v2"),
];
/// Witnesses tried before giving up.
const CANDIDATES: usize = 4;

/// The verdict of one probe. There is no third: what could not be asked is unproven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The API server refused what it allowed before.
    Proven(Proven),
    /// It did not, or did not answer.
    Unproven {
        /// For people: what was asked, and what came back.
        why: String,
    },
}

/// A refusal, as seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// 403 or 401.
    pub status: u16,
    /// From the start of the probe to this answer.
    pub took: Duration,
    /// Which API server answered: `host:port`.
    pub by: String,
    /// Its clock at that moment, Unix seconds.
    pub at: Option<i64>,
}

/// A GET that the session's token was seen to be allowed: only what was allowed can be seen to be refused.
#[derive(Clone, Debug)]
pub struct Witness {
    path: String,
}

impl Witness {
    /// Paths that the rules allow to GET, the cheapest first.
    #[must_use]
    pub fn candidates(rules: &[RuleSummary], scope: &Scope) -> Vec<String> {
        let place = match scope {
            Scope::ClusterWide => String::new(),
            Scope::Namespaces(names) => {
                names.first().map(|name| format!("/namespaces/{name}")).unwrap_or_default()
            }
        };
        let has = |list: &[String], wanted: &str| list.iter().any(|one| one == "*" || one == wanted);
        let mut out: Vec<String> = Vec::new();
        for rule in rules.iter().filter(|rule| rule.resource_names.is_empty()) {
            for (_, root) in VERSIONS.iter().filter(|(group, _)| has(&rule.api_groups, group)) {
                for resource in rule.resources.iter().filter(|r| !r.contains('/')) {
                    let resource = if resource == "*" { "configmaps" } else { resource.as_str() };
                    let base = format!("{root}{place}/{resource}");
                    if has(&rule.verbs, "list") {
                        out.push(format!("{base}?limit=1"));
                    } else if has(&rule.verbs, "get") && !place.is_empty() {
                        // Authorization comes before the look-up, so 404 says "allowed".
                        out.push(format!("{base}/sallyport-proof"));
                    }
                }
            }
        }
        out.truncate(CANDIDATES);
        out
    }

    /// Asks until one of `paths` is allowed.
    ///
    /// # Errors
    /// Why none was: the session can then be closed, but its end can't be proven.
    pub async fn find(
        target: &Endpoint,
        token: &Secret<String>,
        paths: &[String],
        within: Duration,
    ) -> Result<Self, String> {
        let mut last = "its roles allow nothing that can be read".to_owned();
        for path in paths {
            match probe_get(target, Some(token), path, within).await {
                Ok(answer) if matches!(answer.status, 200 | 404) => return Ok(Self { path: path.clone() }),
                Ok(answer) => last = format!("GET {path} answered {}", answer.status),
                Err(fault) => last = format!("{}: {fault}", target.authority()),
            }
        }
        Err(last)
    }

    /// What is asked.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// "Rights gone": the GET answers 403 or 401 within `within`.
    pub async fn rights_gone(&self, target: &Endpoint, token: &Secret<String>, within: Duration) -> Proof {
        refused(target, token, &self.path, &[401, 403], within).await
    }

    /// "Token refused": the GET answers 401 within `within`. Up to ten seconds of token cache are in between.
    pub async fn token_refused(&self, target: &Endpoint, token: &Secret<String>, within: Duration) -> Proof {
        refused(target, token, &self.path, &[401], within).await
    }
}

/// Asks on fresh connections until one of `statuses` comes, at first every 5 ms, later every 250 ms.
async fn refused(
    target: &Endpoint,
    token: &Secret<String>,
    path: &str,
    statuses: &[u16],
    within: Duration,
) -> Proof {
    let start = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        let left = within.saturating_sub(start.elapsed());
        let last = match probe_get(target, Some(token), path, left).await {
            Ok(answer) if statuses.contains(&answer.status) => {
                let (status, at) = (answer.status, answer.date);
                return Proof::Proven(Proven {
                    status,
                    took: start.elapsed(),
                    by: target.authority().into(),
                    at,
                });
            }
            Ok(answer) => format!("GET {path} still answered {}", answer.status),
            Err(fault) => format!("{}: {fault}", target.authority()),
        };
        if start.elapsed() + pause >= within {
            return Proof::Unproven { why: format!("{last} after {} ms", start.elapsed().as_millis()) };
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(verbs: &[&str], group: &str, resources: &[&str]) -> RuleSummary {
        let owned = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        RuleSummary {
            verbs: owned(verbs),
            api_groups: vec![group.into()],
            resources: owned(resources),
            ..RuleSummary::default()
        }
    }

    #[test]
    fn p13_the_question_is_one_that_was_allowed() {
        let one = Scope::from_list(["payments".parse().expect("a name")]);
        let rules = [
            rule(&["create"], "", &["pods/exec"]),
            rule(&["get"], "", &["pods"]),
            rule(&["get", "list"], "apps", &["deployments", "deployments/scale"]),
            rule(&["*"], "example.org", &["things"]),
        ];
        assert_eq!(
            Witness::candidates(&rules, &one),
            [
                "/api/v1/namespaces/payments/pods/sallyport-proof",
                "/apis/apps/v1/namespaces/payments/deployments?limit=1"
            ]
        );
        assert_eq!(Witness::candidates(&rules, &Scope::ClusterWide), ["/apis/apps/v1/deployments?limit=1"]);
        assert!(Witness::candidates(&rules[..1], &one).is_empty());
    }

    #[tokio::test]
    async fn p13_no_answer_is_no_proof() {
        let ca = rcgen::generate_simple_self_signed(["nobody".to_owned()]).expect("a certificate").cert.pem();
        // Nothing listens on port 1.
        let target = Endpoint::parse("https://127.0.0.1:1", Some(&ca), None).expect("usable");
        let witness = Witness { path: "/api/v1/pods".into() };
        let proof = witness.rights_gone(&target, &Secret::new("t".into()), Duration::from_millis(60)).await;
        assert!(matches!(proof, Proof::Unproven { .. }), "{proof:?}");
    }
}
