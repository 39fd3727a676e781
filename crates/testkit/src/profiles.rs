//! Profiles on a hub, and who may use them: as a hub's admins and editors of profiles make them.

use crate::plane::Plane;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::path::Path;

/// The group that edits profiles where `deploy/demo` is installed. Whoever may ask or approve under a profile may not edit
/// it, and a cluster-admin passes every verb.
pub const EDITORS: &str = "oidc:sallyport-profile-editors";

/// kubectl's arguments for one of that group.
pub const EDITOR: [&str; 2] = ["--as=setup", "--as-group=oidc:sallyport-profile-editors"];

impl Plane {
    /// Makes a profile, or changes the one of its name.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn make_profile(&self, profile: &Value) -> Result<()> {
        let args = [&["apply", "--server-side", "--force-conflicts", "-f", "-"], &EDITOR[..]].concat();
        let made = self.kubectl().run_with_stdin(&args, profile.to_string().as_bytes()).await?;
        let name = &profile["metadata"]["name"];
        ensure!(made.code == Some(0), "profile {name} was not made: {}", made.stderr.trim());
        Ok(())
    }

    /// Makes the profiles of a kustomization, such as `deploy/demo/profiles`.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn make_profiles(&self, folder: &Path) -> Result<()> {
        let folder = folder.display().to_string();
        let args = [&["apply", "--server-side", "--force-conflicts", "-k", &folder], &EDITOR[..]].concat();
        self.kubectl().ok(&args).await.map(drop)
    }

    /// Removes profiles, which are there.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn remove_profiles(&self, names: &[&str]) -> Result<()> {
        self.kubectl().ok(&[&["delete", "accessprofile"], names, &EDITOR[..]].concat()).await.map(drop)
    }

    /// Gives a group verbs on profiles (`request`, `approve`, `revoke`), by a ClusterRole and a ClusterRoleBinding of that
    /// name.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn allow(&self, name: &str, group: &str, verbs: &[&str], profiles: &[&str]) -> Result<()> {
        let rbac = "rbac.authorization.k8s.io";
        let role = json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{"apiGroups": ["access.sallyport.dev"], "resources": ["accessprofiles"],
                "resourceNames": profiles, "verbs": verbs}],
        });
        let binding = json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": rbac, "kind": "Group", "name": group}],
        });
        self.kubectl().apply(&format!("{role}\n---\n{binding}")).await.map(drop)
    }
}
