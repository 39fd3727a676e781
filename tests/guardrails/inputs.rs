//! What every expression under `deploy/` reads, and from whom it comes.
//!
//! A rule is as good as its inputs: what the person it is to stop can write decides nothing by itself. Each row names a
//! field, who has the last word on it and why that is enough. An expression that reads a field without a row fails the
//! story, and so does a row that nothing reads.

use crate::board::Board;
use By::{Admin, Asker, Author, Broker, Server, Session};
use sallyport_api::{Guardrails, Side, shipped_guardrails};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Who has the last word on a field by the time a policy reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// The API server: authentication, the request itself, what it stamps on objects, RBAC.
    Server,
    /// Whoever administers this API server or its team: profiles, labels of namespaces, settings.
    Admin,
    /// The requester, at creation; the spec never changes afterwards.
    Asker,
    /// Whoever writes this very request: held to what the rule says about it, and trusted in nothing.
    Author,
    /// The broker of the cluster.
    Broker,
    /// A session on a target.
    Session,
}

/// A row: policies by the beginning of their names, the field, from whom, and why it may be read there.
type Row = (&'static str, &'static str, By, &'static str);

const ROWS: &[Row] = &[
    // The request itself.
    ("", "request.operation", Server, "what is done"),
    ("", "request.namespace", Server, "from the URL"),
    ("", "request.name", Server, "from the URL, at a creation from the object"),
    ("", "request.resource.resource", Server, "from the URL"),
    ("", "request.subResource", Server, "from the URL"),
    ("", "request.userInfo.username", Server, "authentication; impersonation is in the threat model"),
    ("", "request.userInfo.groups", Server, "authentication"),
    ("access-", "request.userInfo.extra[access.sallyport.dev/acr]", Server, "the token's own claim"),
    ("access-", "request.userInfo.extra[access.sallyport.dev/amr]", Server, "the token's own claim"),
    ("access-", "request.userInfo.extra[access.sallyport.dev/auth-time]", Server, "the token's own claim"),
    ("", "authorizer", Server, "RBAC, asked for the user of the request"),
    // Namespaces and parameters.
    (
        "access-requests-who",
        "namespaceObject.metadata.labels[access.sallyport.dev/requests]",
        Admin,
        "a team's namespace",
    ),
    (
        "broker-bindings",
        "namespaceObject.metadata.labels[access.sallyport.dev/sessions]",
        Admin,
        "out of the hub's reach",
    ),
    ("access-", "params.metadata.name", Admin, "which profile; a missing one is judged by the broker"),
    ("access-requests-limits", "params.metadata.uid", Server, "the profile's revision"),
    ("access-requests-limits", "params.metadata.generation", Server, "the profile's revision"),
    ("access-requests-limits", "params.spec", Admin, "the profile's limits"),
    ("access-requests-limits", "params.spec.namespaces", Admin, "the profile's limits"),
    ("access-", "params.spec.mfa.acr", Admin, "the profile's limits"),
    ("access-", "params.spec.mfa.amr", Admin, "the profile's limits"),
    ("access-", "params.spec.mfa.maxAge", Admin, "the profile's limits"),
    ("", "params.data[audiences]", Admin, "ConfigMap guardrails, which brokers and sessions can't write"),
    // A request that is made: everything in it is the requester's, held to what the API server knows of them.
    (
        "access-requests-who",
        "object.spec",
        Author,
        "names and sizes of its fields, which bound managedFields",
    ),
    ("access-requests-who", "object.spec.user", Author, "must be the caller"),
    ("access-requests-who", "object.spec.groups", Author, "must be among the caller's"),
    ("access-requests-", "object.spec.profile", Author, "the verb request on it is asked of RBAC"),
    ("access-requests-limits", "object.spec.profileRevision", Author, "must be the live one"),
    ("access-requests-limits", "object.spec.cluster", Author, "must be one the profile covers"),
    ("access-requests-", "object.spec.duration", Author, "bounded"),
    ("access-requests-", "object.spec.namespaces", Author, "bounded by pattern and profile"),
    ("access-requests-limits", "object.spec.reason", Author, "must be there; read by people"),
    ("access-requests-who", "object.spec.acr", Author, "must be the sign-in's; the broker judges by it"),
    (
        "access-requests-who",
        "object.spec.amr",
        Author,
        "must be among the sign-in's; the broker judges by it",
    ),
    ("access-requests-who", "object.spec.authTime", Author, "must be the sign-in's; the broker judges by it"),
    ("access-requests-who", "object.metadata.labels", Author, "must be empty"),
    ("access-requests-who", "object.metadata.annotations", Author, "must be empty"),
    ("access-requests-who", "object.metadata.ownerReferences", Author, "must be empty"),
    ("access-requests-who", "object.metadata.finalizers", Author, "must be empty"),
    (
        "access-requests-who",
        "object.metadata.managedFields",
        Author,
        "at creation: one, of now, of no more fields than the spec has",
    ),
    (
        "access-requests-",
        "object.metadata.creationTimestamp",
        Server,
        "stamped before admission, whatever was sent",
    ),
    // A request's status.
    (
        "access-requests-status",
        "object.metadata.managedFields",
        Server,
        "through /status nobody sends any; times for approvals alone, its size where nothing changes",
    ),
    ("access-approvals-sign-in", "object.metadata.managedFields", Server, "as above; for approvals alone"),
    ("access-requests-status", "oldObject.metadata.managedFields", Server, "its size, where nothing changes"),
    (
        "access-requests-",
        "oldObject.spec.cluster",
        Asker,
        "names the broker; RBAC and names decide who that is",
    ),
    ("access-requests-status", "oldObject.spec.user", Asker, "was the caller at creation"),
    ("access-", "oldObject.spec.profile", Asker, "the verbs approve and revoke on it are asked of RBAC"),
    ("access-requests-status", "object.status", Author, "each field only by whom the rules name"),
    ("access-", "object.status.approvals", Author, "only one more, by the caller's own name"),
    (
        "access-requests-status",
        "object.status.phase",
        Author,
        "only by the broker's name, along the state machine",
    ),
    ("access-requests-status", "object.status.denial.by", Author, "must be the caller"),
    ("access-requests-status", "object.status.revocation.by", Author, "must be the caller"),
    ("access-requests-status", "object.status.withdrawn", Author, "only the requester, only to true"),
    ("access-requests-status", "object.status.conditions", Author, "only by the broker's name"),
    ("access-requests-status", "object.status.jtis", Author, "only by the broker's name; none is lost"),
    ("access-requests-", "oldObject.status", Broker, "was let in by these rules"),
    ("access-", "oldObject.status.approvals", Author, "was let in by these rules"),
    ("access-requests-", "oldObject.status.phase", Broker, "was let in by these rules"),
    ("access-requests-keep", "oldObject.status.grant", Broker, "was let in by these rules"),
    ("access-requests-status", "oldObject.status.conditions", Broker, "was let in by these rules"),
    ("access-requests-status", "oldObject.status.jtis", Broker, "was let in by these rules"),
    ("access-requests-status", "oldObject.status.offer.digest", Broker, "was let in by these rules"),
    ("access-requests-status", "oldObject.status.withdrawn", Asker, "was let in by these rules"),
    ("access-requests-status", "oldObject.spec.namespaces", Asker, "bounds what is given and limited"),
    ("access-requests-status", "oldObject.spec.duration", Asker, "bounds what is given and limited"),
    ("access-requests-status", "oldObject.status.offer.takesLimits", Broker, "what its broker can do"),
    (
        "access-requests-status",
        "object.status.given.namespaces",
        Author,
        "only by the broker's name, within the ask",
    ),
    (
        "access-requests-status",
        "object.status.given.duration",
        Author,
        "only by the broker's name, within the ask",
    ),
    // Opening without people, and a person's day.
    ("access-requests-auto", "params.metadata.uid", Server, "the profile's revision"),
    ("access-requests-auto", "params.metadata.generation", Server, "the profile's revision"),
    ("access-requests-auto", "params.spec.autoApprovals", Admin, "what may be recorded"),
    ("access-requests-auto", "params.spec.maxPerDay", Admin, "whether a day is counted"),
    ("access-requests-auto", "oldObject.spec.profileRevision", Asker, "was the live one at creation"),
    ("access-requests-auto", "object.status.autoApproval.name", Author, "only by the broker's name"),
    ("access-requests-auto", "oldObject.status.autoApproval.name", Broker, "was let in by these rules"),
    ("access-requests-auto", "object.status.phase", Author, "only by the broker's name"),
    (
        "access-requests-auto",
        "object.status.offer.leftToday",
        Author,
        "only by the broker's name; that it counts",
    ),
    // Reaffirming.
    (
        "access-requests-",
        "request.userInfo.extra[access.sallyport.dev/issued-at]",
        Server,
        "the token's own claim",
    ),
    ("access-requests-who", "object.spec.issuedAt", Author, "must be the token's; the broker judges by it"),
    (
        "access-requests-limits",
        "object.spec.issuedAt",
        Author,
        "must be there; another policy holds it to the token",
    ),
    ("access-requests-reaffirm", "object.status", Author, "nothing but the one field changes"),
    ("access-requests-reaffirmed", "object.status.reaffirmed", Author, "only by the requester"),
    (
        "access-requests-reaffirmed",
        "object.status.reaffirmed.issued",
        Author,
        "must be the token's, and later",
    ),
    ("access-requests-reaffirmed", "object.status.reaffirmed.groups", Author, "must be among the caller's"),
    ("access-requests-reaffirmed", "oldObject.status.reaffirmed", Asker, "was let in by these rules"),
    ("access-requests-reaffirmed", "oldObject.status.reaffirmed.issued", Asker, "was let in by these rules"),
    ("access-requests-reaffirmed", "oldObject.status.withdrawn", Asker, "was let in by these rules"),
    ("access-requests-reaffirmed", "oldObject.status.conditions", Broker, "was let in by these rules"),
    ("access-requests-reaffirmed", "oldObject.spec.user", Asker, "was the caller at creation"),
    ("access-requests-reaffirmed", "oldObject.spec.issuedAt", Asker, "was the token's at creation"),
    ("access-requests-reaffirmed", "oldObject.spec.acr", Asker, "was the sign-in's at creation"),
    ("access-requests-reaffirmed", "oldObject.spec.amr", Asker, "was among the sign-in's at creation"),
    ("access-requests-reaffirming", "object.status.phase", Author, "what leads to access is refused"),
    ("access-requests-reaffirming", "object.status.offer.reaffirm", Author, "only by the broker's name"),
    ("access-requests-reaffirming", "params.spec.reaffirm", Admin, "the profile's limits"),
    // Holds.
    ("access-holds.", "object.spec.by", Author, "must be the caller"),
    ("access-holds.", "object.spec.until", Author, "must be within a week"),
    ("access-holds", "object.metadata.creationTimestamp", Server, "stamped before admission"),
    ("access-holds.", "object.metadata.labels", Author, "must be empty"),
    ("access-holds.", "object.metadata.annotations", Author, "must be empty"),
    ("access-holds.", "object.metadata.ownerReferences", Author, "must be empty"),
    ("access-holds.", "object.metadata.finalizers", Author, "must be empty"),
    ("access-holds.", "oldObject.spec.user", Admin, "whom it holds; immutable"),
    ("access-holds-held", "oldObject.spec.user", Admin, "whom it holds; immutable"),
    ("access-holds-", "params.spec.user", Admin, "whoever may hold; immutable"),
    ("access-holds-", "params.spec.cluster", Admin, "whoever may hold; immutable"),
    ("access-holds-", "params.spec.everything", Admin, "whoever may hold; immutable"),
    (
        "access-holds-",
        "params.spec.until",
        Admin,
        "whoever may hold; immutable, within a week of its creation",
    ),
    ("access-holds-", "params.spec.by", Admin, "was the caller at creation; for the message"),
    ("access-holds-", "params.spec.reason", Admin, "for the message"),
    ("access-holds-asking", "object.spec.user", Author, "another policy holds it to the caller"),
    ("access-holds-asking", "object.spec.cluster", Author, "of another cluster, it asks for another cluster"),
    ("access-holds-granting", "object.status.phase", Author, "what leads to access is refused"),
    ("access-holds-granting", "object.status.credential", Author, "what leads to access is refused"),
    ("access-holds-granting", "object.metadata.managedFields", Server, "through /status nobody sends any"),
    ("access-holds-granting", "oldObject.spec.user", Asker, "was the caller at creation"),
    ("access-holds-granting", "oldObject.spec.cluster", Asker, "where it asks for access"),
    ("access-holds-granting", "oldObject.status.phase", Broker, "was let in by these rules"),
    ("access-holds-granting", "oldObject.status.credential", Broker, "was let in by these rules"),
    // Profiles, clusters, the brokers' namespace.
    ("access-profiles-editors", "object.metadata.name", Author, "the verbs on that name are asked of RBAC"),
    ("access-profiles-editors", "oldObject.metadata.name", Admin, "of what is deleted"),
    ("access-clusters", "object.metadata.name", Author, "held to a pattern"),
    ("access-clusters", "oldObject.metadata.name", Admin, "names the one broker that may report"),
    ("brokers-own", "object.metadata.name", Author, "names the one broker that may write it"),
    ("brokers-own", "object.metadata.labels", Author, "must be empty"),
    ("brokers-own", "object.metadata.annotations", Author, "must be empty"),
    ("brokers-own", "object.metadata.ownerReferences", Author, "must be empty"),
    ("brokers-own", "object.metadata.finalizers", Author, "must be empty"),
    ("brokers-own", "object.spec.holderIdentity", Author, "bounded"),
    ("brokers-own", "object.spec.preferredHolder", Author, "bounded"),
    ("brokers-own", "object.spec.strategy", Author, "bounded"),
    ("brokers-events", "object.reportingController", Author, "must be the broker's"),
    ("brokers-events", "object.reportingInstance", Author, "must be the caller's own cluster"),
    ("brokers-events", "object.regarding.apiVersion", Author, "must be this group's"),
    ("brokers-events", "object.regarding.kind", Author, "must be AccessRequest"),
    ("brokers-events", "object.regarding.namespace", Author, "must be the event's own"),
    ("brokers-events", "object.metadata.namespace", Author, "the server holds it to the URL"),
    ("brokers-events", "object.related", Author, "must be absent"),
    ("brokers-events", "object.type", Author, "must be Normal"),
    ("brokers-events", "object.reason", Author, "one of four words"),
    ("brokers-events", "object.metadata.labels", Author, "must be empty"),
    ("brokers-events", "object.metadata.annotations", Author, "must be empty"),
    ("brokers-events", "object.metadata.ownerReferences", Author, "must be empty"),
    ("brokers-events", "object.metadata.finalizers", Author, "must be empty"),
    ("brokers-empty", "object", Author, "its name; a ConfigMap of that name is the settings"),
    ("brokers-empty", "oldObject", Admin, "its name; a ConfigMap of that name is the settings"),
    ("brokers-tokens", "object.spec.audiences", Author, "must be among the settings'"),
    ("brokers-tokens", "object.spec.boundObjectRef", Author, "must be absent"),
    ("brokers-tokens", "object.spec.expirationSeconds", Author, "bounded"),
    // What the broker makes on a target: everything in it is the broker's, who may be compromised.
    ("broker-bindings", "object.metadata", Author, "name, label, owner, finalizers: each held to the grant"),
    ("broker-bindings", "oldObject.metadata", Broker, "the label of what is deleted"),
    ("broker-bindings", "object.roleRef.kind", Author, "must be ClusterRole"),
    ("broker-bindings", "object.roleRef.name", Author, "the verb bind on it is asked of RBAC"),
    ("broker-bindings", "object.subjects", Author, "must be the one account of the grant"),
    ("sessions-bindings", "object.subjects", Author, "who may be a subject at all"),
    ("broker-grants", "object.metadata.name", Author, "held to a pattern"),
    ("broker-grants", "object.metadata.ownerReferences", Author, "must be empty"),
    ("broker-grants", "object.metadata.finalizers", Author, "must be empty"),
    (
        "broker-grants",
        "object.metadata.creationTimestamp",
        Server,
        "stamped at creation, kept through /status",
    ),
    ("broker-grants", "object.spec.duration", Broker, "bounded at creation, immutable"),
    ("broker-grants", "object.spec.namespaces", Author, "none of the system's"),
    ("broker-grants", "object.spec.roles", Author, "cluster-wide one of two roles, alone"),
    ("broker-grants", "object.status.end", Author, "must be creation and duration"),
    ("sessions-accounts", "object.metadata.name", Author, "carries the end, held to a pattern and 12 hours"),
    ("sessions-accounts", "oldObject.metadata.name", Broker, "of what is deleted"),
    ("sessions-accounts", "object.metadata.labels[access.sallyport.dev/grant]", Author, "must be the owner"),
    ("sessions-accounts", "object.metadata.ownerReferences", Author, "exactly its grant"),
    ("sessions-accounts", "object.metadata.finalizers", Author, "must be empty"),
    ("sessions-accounts", "object.metadata.creationTimestamp", Server, "stamped before admission"),
    ("sessions-accounts", "object.secrets", Author, "must be empty"),
    ("sessions-accounts", "object.imagePullSecrets", Author, "must be empty"),
    (
        "sessions-tokens",
        "object.metadata.creationTimestamp",
        Server,
        "the API server's now, whatever was sent",
    ),
    ("sessions-tokens", "object.spec.expirationSeconds", Author, "must end before the name says"),
    ("sessions-tokens", "object.spec.audiences", Author, "must be among the settings'"),
    ("sessions-tokens", "object.spec.boundObjectRef", Author, "must be absent"),
    // Who may hold what: everything in a binding or role is its author's, and compared with the one shipped exception.
    ("sessions-bindings", "object.metadata.name", Author, "only with all the rest of the one exception"),
    ("sessions-bindings", "object.roleRef.kind", Author, "only with all the rest of the one exception"),
    ("sessions-bindings", "object.roleRef.name", Author, "only with all the rest of the one exception"),
    ("sessions-bindings", "object.rules", Author, "of sallyport:leave: must be the one shipped"),
    ("sessions-bindings", "object.aggregationRule", Author, "of sallyport:leave: must be absent"),
    ("sessions-bindings", "object.metadata.labels", Author, "of what is being deleted: unchanged"),
    ("sessions-bindings", "object.metadata.finalizers", Author, "of what is being deleted: none is added"),
    ("sessions-bindings", "oldObject.metadata.deletionTimestamp", Server, "stamped at the deletion"),
    ("sessions-bindings", "oldObject.metadata.labels", Broker, "what is there, compared with"),
    ("sessions-bindings", "oldObject.metadata.finalizers", Admin, "what is there, compared with"),
    ("sessions-bindings", "oldObject.subjects", Broker, "what is there, compared with"),
    ("sessions-leave", "oldObject.metadata.name", Broker, "the grant's id, in the session's own name too"),
    ("sessions-leave", "request.options.propagationPolicy", Author, "must not be Orphan"),
    ("sessions-leave", "request.options.orphanDependents", Author, "must not be true"),
    ("broker-system", "object", Author, "its name; a ConfigMap of that name is the settings"),
    ("broker-system", "oldObject", Admin, "its name; a ConfigMap of that name is the settings"),
    // What a session writes; what was there before it is somebody else's.
    ("sessions-rights", "object.type", Author, "no token Secret"),
    ("sessions-reach", "object", Author, "of a pod: compared with what was there"),
    ("sessions-reach", "object.spec.template", Author, "compared with what was there"),
    ("sessions-reach", "object.spec.jobTemplate.spec.template", Author, "compared with what was there"),
    ("sessions-reach", "object.template", Author, "compared with what was there"),
    ("sessions-reach", "oldObject", Session, "of the team, or let in by these rules"),
    ("sessions-reach", "oldObject.spec.template", Session, "of the team, or let in by these rules"),
    (
        "sessions-reach",
        "oldObject.spec.jobTemplate.spec.template",
        Session,
        "of the team, or let in by these rules",
    ),
    ("sessions-reach", "oldObject.template", Session, "of the team, or let in by these rules"),
    ("sessions-debug", "object.spec.ephemeralContainers", Author, "held to what the pod has already"),
    ("sessions-debug", "oldObject.spec", Session, "of the team, or let in by these rules"),
    ("sessions-claims", "object.spec", Author, "names no volume, or the one it has"),
    ("sessions-claims", "object.spec.volumeClaimTemplates", Author, "names no volume, or the one it has"),
    ("sessions-claims", "oldObject.spec", Session, "of the team, or let in by these rules"),
    (
        "sessions-claims",
        "oldObject.spec.volumeClaimTemplates",
        Session,
        "of the team, or let in by these rules",
    ),
    ("sessions-network", "object.spec", Author, "compared with what was there"),
    ("sessions-network", "object.metadata.annotations", Author, "compared with what was there"),
    ("sessions-network", "oldObject.spec", Session, "of the team, or let in by these rules"),
    ("sessions-network", "oldObject.metadata.annotations", Session, "of the team, or let in by these rules"),
];

/// One line for each policy: every field it reads has a row. One at the end: every row is read by somebody.
pub(crate) fn table(board: &mut Board) {
    println!("\nFrom whom the rules' inputs come");
    let (mut used, mut per_source) = (BTreeSet::new(), BTreeMap::<By, usize>::new());
    for side in [Side::Hub, Side::Target] {
        let Guardrails { policies, .. } = shipped_guardrails(side);
        for policy in policies {
            let name = policy["metadata"]["name"].as_str().unwrap_or_default();
            let read: BTreeSet<String> = expressions(policy).iter().flat_map(|e| paths(e)).collect();
            let mut unknown = Vec::new();
            for path in &read {
                match ROWS.iter().position(|(prefix, row, ..)| name.starts_with(prefix) && row == path) {
                    Some(at) => {
                        used.insert(at);
                        *per_source.entry(ROWS[at].2).or_default() += 1;
                    }
                    None => unknown.push(path.as_str()),
                }
            }
            let detail = match unknown.as_slice() {
                [] => format!("{} fields", read.len()),
                some => format!("no row in tests/guardrails/inputs.rs for {}", some.join(", ")),
            };
            let title = format!("fault_a2 every input of {name} has a known author");
            board.check("all", &title, unknown.is_empty(), &detail);
        }
    }
    let idle: Vec<String> = (0..ROWS.len())
        .filter(|at| !used.contains(at))
        .map(|at| format!("{} in {}*", ROWS[at].1, ROWS[at].0))
        .collect();
    let sources: Vec<String> = per_source.iter().map(|(who, n)| format!("{who:?} {n}")).collect();
    let detail =
        if idle.is_empty() { sources.join(", ") } else { format!("read by nobody: {}", idle.join("; ")) };
    board.check("all", "fault_a2 every row of the inputs is read by a policy", idle.is_empty(), &detail);
    let reasons = ROWS.iter().all(|(.., why)| !why.is_empty());
    board.check(
        "all",
        "fault_a2 every row says why it may be read",
        reasons,
        &format!("{} rows", ROWS.len()),
    );
    ends(board);
}

/// The kind of fault A2: a rule that ends access and reads what a requester can forge.
fn ends(board: &mut Board) {
    let Guardrails { policies, .. } = shipped_guardrails(Side::Hub);
    let status = policies.iter().find(|p| p["metadata"]["name"] == "access-requests-status.sallyport.dev");
    let validations = status.and_then(|p| p["spec"]["validations"].as_array()).cloned().unwrap_or_default();
    for word in ["denial", "revocation", "withdrawn"] {
        let read: Vec<String> = validations
            .iter()
            .filter_map(|v| v["expression"].as_str())
            .filter(|e| e.contains(&format!("'{word}'")))
            .filter(|e| {
                ["variables.now", "variables.managers", "managedFields", ".at)"].iter().any(|t| e.contains(t))
            })
            .map(str::to_owned)
            .collect();
        let title = format!("fault_a2 no rule on a {word} asks when it was");
        board.check("11", &title, read.is_empty() && !validations.is_empty(), &read.join(" / "));
    }
}

fn expressions(policy: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for list in ["matchConditions", "variables", "validations"] {
        for one in policy["spec"][list].as_array().into_iter().flatten() {
            for key in ["expression", "messageExpression"] {
                out.extend(one[key].as_str().map(str::to_owned));
            }
        }
    }
    out
}

const ROOTS: [&str; 6] = ["object", "oldObject", "request", "params", "namespaceObject", "authorizer"];

/// The fields an expression reads from outside, from their root on: `object.spec.user`, `params.data[audiences]`.
/// Methods end a path; text in quotes is none unless it is a key.
fn paths(expression: &str) -> Vec<String> {
    let text: Vec<char> = expression.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < text.len() {
        if let Some(quote) = Some(text[at]).filter(|c| matches!(c, '\'' | '"')) {
            at += 1;
            while at < text.len() && text[at] != quote {
                at += 1;
            }
            at += 1;
        } else if is_word(text[at]) {
            let begin = at;
            at = word_end(&text, at);
            let word: String = text[begin..at].iter().collect();
            let is_field = begin > 0 && matches!(text[begin - 1], '.' | '?');
            if ROOTS.contains(&word.as_str()) && !is_field {
                let (rest, end) = fields(&text, at);
                found.push(if word == "authorizer" { word } else { word + &rest });
                at = end;
            }
        } else {
            at += 1;
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn word_end(text: &[char], mut at: usize) -> usize {
    while at < text.len() && is_word(text[at]) {
        at += 1;
    }
    at
}

/// `.a`, `.?a`, `['a']`, `[?'a']` as far as they go, without a method's name, and where they end.
fn fields(text: &[char], mut at: usize) -> (String, usize) {
    let mut out = String::new();
    loop {
        let skip = |from: usize| from + usize::from(text.get(from) == Some(&'?'));
        match text.get(at) {
            Some('.') => {
                let begin = skip(at + 1);
                let end = word_end(text, begin);
                if end == begin || text.get(end) == Some(&'(') {
                    return (out, end);
                }
                out.push('.');
                out.extend(&text[begin..end]);
                at = end;
            }
            Some('[') if text.get(skip(at + 1)) == Some(&'\'') => {
                let begin = skip(at + 1) + 1;
                let end = (begin..text.len()).find(|i| text[*i] == '\'').unwrap_or(text.len());
                out.push('[');
                out.extend(&text[begin..end]);
                out.push(']');
                at = (end + 2).min(text.len());
            }
            _ => return (out, at),
        }
    }
}

/// The reader of expressions is part of the proof, so the story checks it first.
pub(crate) fn reads_as_written(board: &mut Board) {
    for (expression, wanted) in [
        (
            "object.spec.user == request.userInfo.username",
            vec!["object.spec.user", "request.userInfo.username"],
        ),
        ("object.metadata.?labels[?'a/b'].orValue('') == 'object.x'", vec!["object.metadata.labels[a/b]"]),
        ("oldObject.?status.?approvals.orValue([]).all(a, a.object.x)", vec!["oldObject.status.approvals"]),
        ("variables.object.x + params.?data[?'k'].orValue('')", vec!["params.data[k]"]),
        ("authorizer.group('g').name(object.spec.p).check('request')", vec!["authorizer", "object.spec.p"]),
        ("(c ? oldObject : object).metadata.name", vec!["oldObject", "object"]),
    ] {
        let read = paths(expression);
        board.check(
            "all",
            "fault_a2 the inputs of an expression are found",
            read == wanted,
            &format!("{read:?}"),
        );
    }
}
