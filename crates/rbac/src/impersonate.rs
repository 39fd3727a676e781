//! Acting as somebody else: the old way, and by mode (KEP-5284).
//!
//! Follows `staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation` of Kubernetes. Only user name and groups are
//! asked about; UIDs and extra keys are further rights of the same kind. The mode `associated-node` depends on the node
//! that a token is bound to, which is nothing that roles say.

use crate::Ask;
use crate::gates::has_impersonation_modes;
use crate::who::{Caller, MASTERS, Rbac, Subject};

/// The group of the resources that stand for whom one acts as.
const AUTHENTICATION: &str = "authentication.k8s.io";
/// How the name of every node's user begins.
const NODE: &str = "system:node:";

/// How somebody may act as somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// `impersonate`: whatever the other may do.
    Whole,
    /// `impersonate:user-info`: what both the other may do and `impersonate-on:user-info:<verb>` names.
    UserInfo,
    /// `impersonate:serviceaccount`, likewise.
    ServiceAccount,
    /// `impersonate:arbitrary-node`, likewise.
    ArbitraryNode,
}

impl Mode {
    /// As the verbs of Kubernetes spell it; nothing for the old way.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::UserInfo => "user-info",
            Self::ServiceAccount => "serviceaccount",
            Self::ArbitraryNode => "arbitrary-node",
        }
    }
}

/// How somebody may act as `other` (of that user and in those groups) to do `ask` in `namespace`: whether the other may
/// do it is theirs to say. Empty: not at all.
pub fn acts_as(
    rbac: &Rbac,
    caller: &Caller,
    other: &Caller,
    ask: Ask<'_>,
    namespace: Option<&str>,
    server: Option<(u32, u32)>,
) -> Vec<Mode> {
    let user = Subject::User(other.user.clone());
    let account = user.as_account();
    let node = other.user.strip_prefix(NODE);
    let mut modes = Vec::new();
    if may(rbac, caller, "impersonate", "", &user, &other.groups) {
        modes.push(Mode::Whole);
    }
    let mode = match (account, node) {
        (Some(_), _) => Mode::ServiceAccount,
        (None, Some(_)) => Mode::ArbitraryNode,
        (None, None) => Mode::UserInfo,
    };
    if has_impersonation_modes(server)
        && may_by(rbac, caller, mode, &user, &other.groups)
        && may_on(rbac, caller, mode, ask, namespace)
    {
        modes.push(mode);
    }
    modes
}

/// The old way: the user (or ServiceAccount in its namespace), and each group that does not come with it.
fn may(rbac: &Rbac, caller: &Caller, verb: &str, group: &str, user: &Subject, groups: &[String]) -> bool {
    let ask = |resource, name| Ask::Resource { verb, group, resource, subresource: "", name };
    let whom = match user.as_account() {
        Some((namespace, name)) => rbac.allows(caller, ask("serviceaccounts", name), Some(namespace)),
        None => rbac.allows(caller, ask("users", user.name()), None),
    };
    let implied = user.caller().groups;
    whom && groups
        .iter()
        .filter(|group| !implied.contains(group))
        .all(|group| rbac.allows(caller, ask("groups", group), None))
}

/// By mode. A ServiceAccount and a node bring their groups along, and no others can be asked for.
fn may_by(rbac: &Rbac, caller: &Caller, mode: Mode, user: &Subject, groups: &[String]) -> bool {
    let verb = format!("impersonate:{}", mode.name());
    match (mode, user.as_account()) {
        (Mode::ArbitraryNode, _) => {
            let name = user.name().strip_prefix(NODE).unwrap_or_default();
            let ask = Ask::Resource {
                verb: &verb,
                group: AUTHENTICATION,
                resource: "nodes",
                subresource: "",
                name,
            };
            rbac.allows(caller, ask, None)
        }
        (Mode::ServiceAccount, Some(_)) => {
            let implied = user.caller().groups;
            groups.iter().all(|group| implied.contains(group))
                && may(rbac, caller, &verb, AUTHENTICATION, user, &[])
        }
        // The modes know neither somebody without a name nor those who pass before roles are asked.
        _ if user.name().is_empty() || groups.iter().any(|group| group == MASTERS) => false,
        _ => may(rbac, caller, &verb, AUTHENTICATION, user, groups),
    }
}

/// `impersonate-on:<mode>:<verb>` on what is asked for.
fn may_on(rbac: &Rbac, caller: &Caller, mode: Mode, ask: Ask<'_>, namespace: Option<&str>) -> bool {
    let on = |verb: &str| format!("impersonate-on:{}:{verb}", mode.name());
    match ask {
        Ask::Resource { verb, group, resource, subresource, name } => {
            let verb = &on(verb);
            rbac.allows(caller, Ask::Resource { verb, group, resource, subresource, name }, namespace)
        }
        Ask::Path { verb, path } => rbac.allows(caller, Ask::Path { verb: &on(verb), path }, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::{named, rule};
    use crate::who::{Binding, Role, RoleRef};

    fn rbac(rules: Vec<crate::Rule>) -> Rbac {
        let role = Role { namespace: None, name: "r".into(), rules };
        let binding = Binding {
            namespace: None,
            name: "b".into(),
            role: RoleRef::ClusterRole("r".into()),
            subjects: vec![Subject::User("agent".into())],
        };
        Rbac::all(vec![role], vec![binding])
    }

    fn modes(
        rules: Vec<crate::Rule>,
        other: &Subject,
        groups: &[&str],
        verb: &str,
        server: (u32, u32),
    ) -> Vec<Mode> {
        let mut other = other.caller();
        other.groups.extend(groups.iter().map(|group| (*group).to_owned()));
        let ask = Ask::Resource { verb, group: "", resource: "pods", subresource: "", name: "" };
        let agent = Subject::User("agent".into()).caller();
        acts_as(&rbac(rules), &agent, &other, ask, Some("ns"), Some(server))
    }

    #[test]
    fn p22_acting_as_somebody_by_mode_needs_both_halves() {
        let ana = Subject::User("ana".into());
        let who = || named(rule(&["impersonate:user-info"], &[AUTHENTICATION], &["users"]), &["ana"]);
        let on = || rule(&["impersonate-on:user-info:list"], &[""], &["pods"]);
        assert_eq!(modes(vec![who(), on()], &ana, &[], "list", (1, 36)), [Mode::UserInfo]);
        assert_eq!(modes(vec![who(), on()], &ana, &[], "get", (1, 36)), []);
        assert_eq!(modes(vec![who()], &ana, &[], "list", (1, 36)), []);
        assert_eq!(modes(vec![who(), on()], &ana, &["devs"], "list", (1, 36)), []);
        assert_eq!(modes(vec![who(), on()], &Subject::User("bob".into()), &[], "list", (1, 36)), []);
        // Whatever is granted, by mode nobody is in `system:masters`, and nobody is nobody.
        let any = || rule(&["impersonate:user-info"], &[AUTHENTICATION], &["users", "groups"]);
        assert_eq!(modes(vec![any(), on()], &ana, &["devs"], "list", (1, 36)), [Mode::UserInfo]);
        assert_eq!(modes(vec![any(), on()], &ana, &["devs", MASTERS], "list", (1, 36)), []);
        assert_eq!(modes(vec![any(), on()], &Subject::User(String::new()), &[], "list", (1, 36)), []);
        let whole = rule(&["impersonate"], &[""], &["users", "groups"]);
        assert_eq!(modes(vec![whole], &ana, &[MASTERS], "list", (1, 36)), [Mode::Whole]);
        // A server of before knows no such verbs.
        assert_eq!(modes(vec![who(), on()], &ana, &[], "list", (1, 34)), []);
        // A ServiceAccount is none of them.
        let bot = Subject::account("ci", "bot");
        let any = || rule(&["impersonate:user-info"], &[AUTHENTICATION], &["users"]);
        assert_eq!(modes(vec![any(), on()], &bot, &[], "list", (1, 36)), []);
        let account = rule(&["impersonate:serviceaccount"], &[AUTHENTICATION], &["serviceaccounts"]);
        let on_account = rule(&["impersonate-on:serviceaccount:*"], &[""], &["pods"]);
        assert_eq!(modes(vec![account.clone(), on_account], &bot, &[], "list", (1, 36)), []);
        let on_account = rule(&["impersonate-on:serviceaccount:list"], &[""], &["pods"]);
        assert_eq!(modes(vec![account, on_account], &bot, &[], "list", (1, 36)), [Mode::ServiceAccount]);
    }

    #[test]
    fn p22_the_old_way_holds_on_every_server_and_for_whatever_the_other_may() {
        let ana = Subject::User("ana".into());
        let users = || rule(&["impersonate"], &[""], &["users"]);
        assert_eq!(modes(vec![users()], &ana, &[], "delete", (1, 30)), [Mode::Whole]);
        assert_eq!(modes(vec![users()], &ana, &["devs"], "delete", (1, 36)), []);
        let groups = rule(&["impersonate"], &[""], &["groups"]);
        assert_eq!(modes(vec![users(), groups.clone()], &ana, &["devs"], "delete", (1, 36)), [Mode::Whole]);
        // Groups alone make nobody.
        assert_eq!(modes(vec![groups], &ana, &["devs"], "delete", (1, 36)), []);
        assert_eq!(modes(vec![users()], &Subject::account("ci", "bot"), &[], "delete", (1, 36)), []);
        let all = rule(&["*"], &["*"], &["*"]);
        assert_eq!(modes(vec![all], &ana, &["x"], "get", (1, 36)), [Mode::Whole, Mode::UserInfo]);
    }
}
