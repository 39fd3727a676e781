//! The programs a control plane is made of, built once and kept in a cache.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Where the programs are and which Kubernetes they are.
#[derive(Debug, Clone)]
pub struct Assets {
    etcd: PathBuf,
    kube_apiserver: PathBuf,
    kube_controller_manager: PathBuf,
    kubectl: PathBuf,
    kwok: PathBuf,
    podhost: PathBuf,
    version: (u32, u32),
}

impl Assets {
    /// Finds the programs, building what the cache lacks: about 7 minutes on two cores the first time, nothing after.
    ///
    /// `KUBEBUILDER_ASSETS` (a folder with etcd, kube-apiserver, kubectl) is used where it has a program; `K8S`
    /// (`1.34.4`) picks another Kubernetes. Progress goes to stderr.
    ///
    /// # Errors
    /// When a prerequisite is missing or the build fails; the message says which and what to do.
    pub async fn locate() -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("planes/build.sh");
        let output = Command::new("bash")
            .arg(&script)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("run {}", script.display()))?;
        ensure!(
            output.status.success(),
            "{} could not provide the control plane's programs (its reasons are above)",
            script.display()
        );
        Self::from_listing(&String::from_utf8(output.stdout)?)
    }

    /// Reads the script's answer: lines of `name=path`.
    fn from_listing(listing: &str) -> Result<Self> {
        let find = |name: &str| {
            listing
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .with_context(|| format!("build.sh named no {name}"))
        };
        let version = find("version")?;
        let mut parts = version.trim_start_matches('v').split('.');
        let mut number = || -> Result<u32> {
            parts
                .next()
                .and_then(|part| part.parse().ok())
                .with_context(|| format!("{version:?} is no Kubernetes version"))
        };
        Ok(Self {
            version: (number()?, number()?),
            etcd: find("etcd")?.into(),
            kube_apiserver: find("kube-apiserver")?.into(),
            kube_controller_manager: find("kube-controller-manager")?.into(),
            kubectl: find("kubectl")?.into(),
            kwok: find("kwok")?.into(),
            podhost: find("podhost")?.into(),
        })
    }

    /// etcd.
    #[must_use]
    pub fn etcd(&self) -> &Path {
        &self.etcd
    }

    /// kube-apiserver.
    #[must_use]
    pub fn kube_apiserver(&self) -> &Path {
        &self.kube_apiserver
    }

    /// kube-controller-manager.
    #[must_use]
    pub fn kube_controller_manager(&self) -> &Path {
        &self.kube_controller_manager
    }

    /// kubectl.
    #[must_use]
    pub fn kubectl(&self) -> &Path {
        &self.kubectl
    }

    /// kwok.
    #[must_use]
    pub fn kwok(&self) -> &Path {
        &self.kwok
    }

    /// Our pod host.
    #[must_use]
    pub fn podhost(&self) -> &Path {
        &self.podhost
    }

    /// Major and minor version of kube-apiserver, e.g. `(1, 37)`.
    #[must_use]
    pub fn version(&self) -> (u32, u32) {
        self.version
    }
}

#[cfg(test)]
mod tests {
    use super::Assets;

    #[test]
    fn a_listing_without_a_program_names_it() {
        let whole = "version=v1.37.2\netcd=/e\nkube-apiserver=/a\nkube-controller-manager=/c\nkubectl=/k\nkwok=/w\npodhost=/p\n";
        let assets = Assets::from_listing(whole).expect("complete");
        assert_eq!(assets.version(), (1, 37));
        assert_eq!(assets.etcd(), std::path::Path::new("/e"));
        let cause = Assets::from_listing(&whole.replace("kwok=/w\n", "")).expect_err("no kwok");
        assert!(cause.to_string().contains("kwok"), "{cause}");
        assert!(Assets::from_listing(&whole.replace("1.37.2", "new")).is_err());
    }
}
