//! Which command of kubectl a call belongs to, as kubectl says it itself (KEP-859: `Kubectl-Session`, `Kubectl-Command`;
//! `CommandHeaderRoundTripper` in kubernetes/cli-runtime's `pkg/genericclioptions`). Anybody may send these headers: they
//! put rows together and prove nothing, and what is not written as kubectl writes it is nothing at all.

use http::HeaderMap;
use uuid::Uuid;

/// The longest name of a command that is taken; kubectl's own have three words.
const COMMAND_MOST: usize = 64;

/// A command of kubectl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubectlCommand {
    /// The same for all calls of one command.
    pub session: Uuid,
    /// `kubectl get`, without arguments and flags; `None` where it is not said as kubectl says it.
    pub name: Option<String>,
}

impl KubectlCommand {
    /// What the headers of a call say.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| {
            let mut all = headers.get_all(name).iter();
            let first = all.next()?.to_str().ok()?;
            all.next().is_none().then_some(first)
        };
        let session = text("kubectl-session").filter(|session| session.len() == 36)?;
        let session = Uuid::try_parse(session).ok()?;
        // Words and nothing else, so that no argument, and with it no secret, passes for a part of the name.
        let is_name = |name: &&str| {
            name.len() <= COMMAND_MOST
                && name
                    .strip_prefix("kubectl")
                    .is_some_and(|words| words.is_empty() || words.starts_with(' '))
                && name.split(' ').count() <= 4
                && name.split(' ').all(|word| {
                    (1..=20).contains(&word.len())
                        && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
                })
        };
        Some(Self { session, name: text("kubectl-command").filter(is_name).map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    const SESSION: &str = "4d5e6f70-1234-4abc-8def-000000000001";

    fn of(pairs: &[(&str, &str)]) -> Option<KubectlCommand> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        KubectlCommand::of(&headers)
    }

    #[test]
    fn a_command_is_what_kubectl_says_of_it() {
        for name in [
            "kubectl",
            "kubectl get",
            "kubectl rollout restart",
            "kubectl set image",
            "kubectl api-resources",
        ] {
            let command = of(&[("Kubectl-Session", SESSION), ("Kubectl-Command", name)]).unwrap();
            assert_eq!(
                (command.session.to_string().as_str(), command.name.as_deref()),
                (SESSION, Some(name))
            );
        }
        assert_eq!(of(&[("Kubectl-Session", SESSION)]).unwrap().name, None);
    }

    #[test]
    fn p20_what_kubectl_would_not_say_is_not_kept() {
        for session in
            ["", "x", "4d5e6f7012344abc8def000000000001", "{4d5e6f70-1234-4abc-8def-000000000001}", "é"]
        {
            assert_eq!(
                of(&[("Kubectl-Session", session), ("Kubectl-Command", "kubectl get")]),
                None,
                "{session}"
            );
        }
        assert_eq!(of(&[("Kubectl-Session", SESSION), ("Kubectl-Session", SESSION)]), None);
        assert_eq!(of(&[("Kubectl-Command", "kubectl get")]), None);
        let long = format!("kubectl {}", "a".repeat(80));
        for name in [
            "kubectl create secret --from-literal=password=hunter2",
            "kubectl Get",
            "kubectl  get",
            "kubectlget",
            "helm upgrade",
            "kubectl get\tpods",
            "kubectl a b c d e",
            "kubectl hunter2",
            &long,
            "",
        ] {
            let command = of(&[("Kubectl-Session", SESSION), ("Kubectl-Command", name)]).unwrap();
            assert_eq!(command.name, None, "{name}");
        }
    }
}
