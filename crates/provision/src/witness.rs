//! What a session was seen to be allowed, one right for each of its roles in each of its places: only what was allowed
//! can be seen to be refused (promise P13).

use crate::question::Question;
use crate::ready::{Verdict, review};
use futures::{StreamExt, stream};
use http::Method;
use sallyport_client::{Answer, Endpoint, Fault, Line};
use sallyport_model::{RoleName, Scope, Secret};
use sallyport_rbac::Rule;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// Rights of one role in one place that are tried before giving up.
const CHOICES: usize = 4;
/// Questions under way at once on one connection; API servers take 100 streams and more.
const AT_ONCE: usize = 64;
/// Between two looks: another API server behind the same address may lag.
const PAUSE: Duration = Duration::from_millis(250);

/// One right of a role in a place, and who saw it allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Right {
    pub(crate) question: Question,
    pub(crate) seen: Seen,
}

/// Who saw it allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The broker, which asks with the session's own token before it hands it out.
    ByBroker,
    /// This desktop, past the gateway.
    Here,
    /// Nobody here, though it was asked for; with the last answer.
    Never(String),
}

/// What was answered to the question about one right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Allowed; by which binding, where the API server says so.
    Yes(Option<String>),
    /// The authorizer says no: 403, or `allowed: false`.
    No,
    /// The token itself is refused: 401.
    NoToken,
    /// Neither; what came instead.
    Unclear(String),
}

/// One right for each (role × place) of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnesses {
    pub(crate) rights: Vec<Right>,
}

impl Witnesses {
    /// The rights that the broker asked for before it handed the token out. Nothing is asked here. A role that allows
    /// nothing to ask for was never seen to be allowed anything: it stays unproven by name, and is not left out.
    #[must_use]
    pub fn of(rules: &[Rule], scope: &Scope) -> Self {
        let of_role = |role: RoleName| {
            let asked = Question::for_roles(std::slice::from_ref(&role), rules, scope);
            let (questions, seen) = if asked.is_empty() {
                let why = "its rules allow nothing there that could be asked for".to_owned();
                (Question::for_nothing(&role, scope), Seen::Never(why))
            } else {
                (asked, Seen::ByBroker)
            };
            questions.into_iter().map(move |question| Right { question, seen: seen.clone() })
        };
        Self { rights: roles(rules).into_iter().flat_map(of_role).collect() }
    }

    /// Asks for each right here, in as many looks as fit into `within`, each on a connection of its own. What no
    /// connection came about for stays as the broker saw it.
    pub async fn look(
        rules: &[Rule],
        scope: &Scope,
        target: &Endpoint,
        token: &Secret<String>,
        within: Duration,
    ) -> Self {
        let start = Instant::now();
        let mut found = Self::of(rules, scope);
        loop {
            let left = within.saturating_sub(start.elapsed());
            if let Ok(line) = Line::open(target, left).await {
                found.look_once(rules, &line, token, left).await;
            }
            let may_be_seen = |right: &&Right| !right.question.is_for_nothing();
            let missing = found.rights.iter().filter(may_be_seen).any(|right| right.seen != Seen::Here);
            if !missing || start.elapsed() + PAUSE >= within {
                return found;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn look_once(&mut self, rules: &[Rule], line: &Line, token: &Secret<String>, within: Duration) {
        let looks: Vec<_> = self
            .rights
            .iter()
            .map(|right| async move {
                if right.seen == Seen::Here {
                    None
                } else {
                    first_allowed(right, rules, line, token, within).await
                }
            })
            .collect();
        let found: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
        for (right, found) in self.rights.iter_mut().zip(found) {
            if let Some(found) = found {
                *right = found;
            }
        }
    }

    /// How many (role × place) there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rights.len()
    }

    /// Whether the session's roles allow nothing that could be asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rights.is_empty()
    }

    /// How many were seen to be allowed here.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.rights.iter().filter(|right| right.seen == Seen::Here).count()
    }

    /// Whether what was asked for here was refused, and nothing was allowed.
    #[must_use]
    pub fn all_refused(&self) -> bool {
        let refused =
            |right: &Right| matches!(right.seen, Seen::Never(_)) && !right.question.is_for_nothing();
        self.rights.iter().any(refused) && self.seen() == 0
    }

    /// What is asked, for the history: a few of many.
    #[must_use]
    pub fn asked(&self) -> String {
        let first: Vec<String> = self.rights.iter().take(4).map(|right| right.question.to_string()).collect();
        let more = self.rights.len().saturating_sub(first.len());
        if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
    }

    /// A GET that a first call can be made with: a list, so that the answer is one a person expects.
    #[must_use]
    pub fn first_call(rules: &[Rule], scope: &Scope) -> Option<String> {
        let first = scope.to_list().into_iter().next();
        let choices =
            roles(rules).into_iter().flat_map(|role| Question::choices(&role, rules, first.as_ref(), 64));
        let mut paths: Vec<String> = choices.filter_map(|question| question.path()).collect();
        // Stable: the first list, else the first of all.
        paths.sort_by_key(|path| !path.ends_with("?limit=1"));
        paths.into_iter().next()
    }
}

/// The first choice that is allowed; the right marked as never allowed when none is; `None` without any answer.
async fn first_allowed(
    right: &Right,
    rules: &[Rule],
    line: &Line,
    token: &Secret<String>,
    within: Duration,
) -> Option<Right> {
    let role: RoleName = right.question.role.parse().ok()?;
    let namespace = right.question.namespace.as_ref().and_then(|name| name.parse().ok());
    let mut last = None;
    for question in Question::choices(&role, rules, namespace.as_ref(), CHOICES) {
        match ask(line, token, &question, within).await {
            (Said::Yes(_), _) => return Some(Right { question, seen: Seen::Here }),
            (Said::No, _) => last = Some(format!("{question} was refused while it was open")),
            (Said::NoToken, _) => last = Some("its token was refused while it was open".to_owned()),
            (Said::Unclear(_), _) => {}
        }
    }
    last.map(|why| Right { question: right.question.clone(), seen: Seen::Never(why) })
}

/// Asks by GET where there is one, else by SelfSubjectAccessReview. With the API server's clock.
pub(crate) async fn ask(
    line: &Line,
    token: &Secret<String>,
    question: &Question,
    within: Duration,
) -> (Said, Option<i64>) {
    match question.path() {
        Some(path) => heard(line.send(Method::GET, &path, Some(token), None, within).await),
        None => by_review(line, token, question, within).await,
    }
}

/// Asks by SelfSubjectAccessReview, whose yes may say which binding allows it.
pub(crate) async fn by_review(
    line: &Line,
    token: &Secret<String>,
    question: &Question,
    within: Duration,
) -> (Said, Option<i64>) {
    match review(line, token, question, within).await {
        Err(fault) => (Said::Unclear(fault.to_string()), None),
        Ok((answer, Verdict::Yes(reason))) => (Said::Yes(binding_in(&reason)), answer.date),
        Ok((answer, Verdict::No(_))) => (Said::No, answer.date),
        Ok((answer, Verdict::Neither)) if answer.status == 401 => (Said::NoToken, answer.date),
        Ok((answer, Verdict::Neither)) => (Said::Unclear(format!("HTTP {}", answer.status)), answer.date),
    }
}

fn heard(answer: Result<Answer, Fault>) -> (Said, Option<i64>) {
    match answer {
        Err(fault) => (Said::Unclear(fault.to_string()), None),
        Ok(answer) => (of_status(answer.status), answer.date),
    }
}

/// What the status of a GET says about the right to it.
fn of_status(status: u16) -> Said {
    match status {
        200..=299 | 404 => Said::Yes(None),
        401 => Said::NoToken,
        403 => Said::No,
        other => Said::Unclear(format!("HTTP {other}")),
    }
}

/// `RBAC: allowed by RoleBinding "name/namespace" of ClusterRole "role" to …`: the binding.
fn binding_in(reason: &str) -> Option<String> {
    let (_, binding) = reason.split_once("allowed by ")?;
    let binding = binding.split_once(" of ").map_or(binding, |(binding, _)| binding);
    let binding = sallyport_model::clip(&sallyport_model::visible(binding.trim()), 300);
    (!binding.is_empty()).then_some(binding)
}

/// The roles that the rules are of, each once.
fn roles(rules: &[Rule]) -> Vec<RoleName> {
    let mut known = BTreeSet::new();
    rules.iter().map(|rule| rule.role.clone()).filter(|role| known.insert(role.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(role: &str, verbs: &[&str], group: &str, resources: &[&str]) -> Rule {
        let role = role.parse().expect("a role");
        Rule::on(&role, verbs.iter().copied(), [group], resources.iter().copied())
    }

    fn in_namespaces(names: &[&str]) -> Scope {
        Scope::from_list(names.iter().map(|name| name.parse().expect("a namespace")))
    }

    #[test]
    fn fault_a1_p13_every_role_and_namespace_has_a_right_of_its_own() {
        let rules = [
            rule("view", &["get", "list"], "", &["pods", "services"]),
            rule("debug", &["create"], "", &["pods/exec"]),
            rule("nothing", &["create"], "authorization.k8s.io", &["selfsubjectaccessreviews"]),
        ];
        let witnesses = Witnesses::of(&rules, &in_namespaces(&["checkout", "payments"]));
        let places: Vec<String> = witnesses.rights.iter().map(|right| right.question.place()).collect();
        assert_eq!(places[..4], ["checkout/view", "payments/view", "checkout/debug", "payments/debug"]);
        // What could not be asked for is named, and no tick skips it.
        assert_eq!(places[4..], ["checkout/nothing", "payments/nothing"]);
        for right in &witnesses.rights {
            let never = matches!(right.seen, Seen::Never(_));
            assert_eq!(never, right.question.role == "nothing", "{right:?}");
        }
        assert_eq!(
            Witnesses::of(&rules, &Scope::ClusterWide).rights[0].question.place(),
            "cluster-wide/view"
        );
        assert!(Witnesses::of(&[], &Scope::ClusterWide).is_empty());
    }

    #[test]
    fn the_first_call_is_a_list_where_there_is_one() {
        let one = in_namespaces(&["payments"]);
        let rules = [
            rule("r", &["create"], "", &["pods/exec"]),
            rule("r", &["get"], "", &["pods"]),
            rule("r", &["get", "list"], "apps", &["deployments", "deployments/scale"]),
            rule("r", &["*"], "example.org", &["things"]),
        ];
        let first = |rules: &[Rule], scope: &Scope| Witnesses::first_call(rules, scope);
        assert_eq!(
            first(&rules, &one).as_deref(),
            Some("/apis/apps/v1/namespaces/payments/deployments?limit=1")
        );
        assert_eq!(first(&rules, &Scope::ClusterWide).as_deref(), Some("/apis/apps/v1/deployments?limit=1"));
        assert_eq!(
            first(&rules[..2], &one).as_deref(),
            Some("/api/v1/namespaces/payments/pods/sallyport-proof")
        );
        assert_eq!(first(&rules[..1], &one), None);
    }

    #[test]
    fn only_a_refusal_by_the_authorizer_or_of_the_token_counts_as_one() {
        for status in [200, 201, 204, 404] {
            assert_eq!(of_status(status), Said::Yes(None), "{status}");
        }
        assert_eq!(of_status(403), Said::No);
        assert_eq!(of_status(401), Said::NoToken);
        for status in [101, 302, 400, 405, 409, 410, 422, 429, 500, 502, 503, 504] {
            assert!(matches!(of_status(status), Said::Unclear(_)), "{status}");
        }
    }

    #[test]
    fn the_binding_is_read_from_the_reason_and_hostile_text_is_made_visible() {
        let reason = r#"RBAC: allowed by RoleBinding "g-ab-1/payments" of ClusterRole "sallyport:debug" to ServiceAccount "s""#;
        assert_eq!(binding_in(reason).as_deref(), Some(r#"RoleBinding "g-ab-1/payments""#));
        assert_eq!(binding_in("").as_deref(), None);
        assert_eq!(binding_in("allowed by "), None);
        assert!(binding_in("allowed by x\u{202e}").is_some_and(|text| text.contains("⟨U+202E⟩")));
        assert!(
            binding_in(&format!("allowed by {}", "x".repeat(9_000))).is_some_and(|text| text.len() < 400)
        );
    }
}
