//! Why roles and bindings do not say everything: who decides beside them, and roles whose rules are not known.

use crate::cloud::Cloud;
use crate::snapshot::{Aggregated, Authorizers, Snapshot};
use sallyport_model::{clip, visible};

/// Names, said for people.
pub(crate) fn names(names: &[String]) -> String {
    clip(&visible(&names.join(", ")), 200)
}

impl Snapshot {
    /// Why it is not known that nobody can do something, where roles and bindings give it to nobody: a sentence each. Empty:
    /// they say all there is. Kinds that were not read are told apart, by [`Snapshot::gaps`]. `aggregated` is what
    /// [`Snapshot::rbac`] said.
    pub fn nobody_can_gaps(&self, aggregated: &Aggregated) -> Vec<String> {
        self.nobody_can_gaps_in(self.cloud().as_ref(), aggregated)
    }

    /// The same, where it is known already whose cluster it is.
    pub(crate) fn nobody_can_gaps_in(&self, cloud: Option<&Cloud>, aggregated: &Aggregated) -> Vec<String> {
        let mut gaps = Vec::new();
        match &self.authorizers {
            Authorizers::Others(why) => gaps.push(format!("roles are not all that decides here: {why}")),
            Authorizers::NotAsked => {
                if let Some(cloud) = cloud {
                    gaps.push(format!(
                        "{} says that this is a cluster of {}, where more than roles may decide, and nobody asked the \
                         API server",
                        cloud.sign, cloud.name
                    ));
                }
            }
            Authorizers::RbacOnly => {}
        }
        // ABAC and AlwaysAllow list their rules to whoever asks, as RBAC does.
        let modes = self.told.flag("authorization-mode").unwrap_or_default();
        let others: Vec<String> = modes
            // `[Node,RBAC]`, as a list of flags is told.
            .trim_matches(['[', ']'])
            .split([',', ' '])
            .filter(|mode| !matches!(*mode, "" | "RBAC" | "Node"))
            .map(str::to_owned)
            .collect();
        if !others.is_empty() {
            gaps.push(format!("{} decides beside roles (--authorization-mode)", names(&others)));
        }
        if self.told.flag("authorization-config").is_some_and(|file| !file.is_empty()) {
            gaps.push(
                "who decides beside roles stands in a file of the API server's (--authorization-config)"
                    .to_owned(),
            );
        }
        if !aggregated.left.is_empty() {
            gaps.push(format!(
                "what these aggregated ClusterRoles give is not known, since there is no end to what they select: {}",
                names(&aggregated.left)
            ));
        }
        gaps
    }
}
