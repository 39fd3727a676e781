//! The programs a control plane is made of, built once and kept in a cache.

use crate::listing::Listing;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

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
        Self::from_listing(&Listing::of("build.sh").await?)
    }

    fn from_listing(listing: &Listing) -> Result<Self> {
        let version = listing.value("version")?;
        let mut parts = version.trim_start_matches('v').split('.');
        let mut number = || -> Result<u32> {
            parts
                .next()
                .and_then(|part| part.parse().ok())
                .with_context(|| format!("{version:?} is no Kubernetes version"))
        };
        Ok(Self {
            version: (number()?, number()?),
            etcd: listing.path("etcd")?,
            kube_apiserver: listing.path("kube-apiserver")?,
            kube_controller_manager: listing.path("kube-controller-manager")?,
            kubectl: listing.path("kubectl")?,
            kwok: listing.path("kwok")?,
            podhost: listing.path("podhost")?,
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
    use super::{Assets, Listing};

    #[test]
    fn a_listing_without_a_program_names_it() {
        let whole = "version=v1.37.2\netcd=/e\nkube-apiserver=/a\nkube-controller-manager=/c\nkubectl=/k\nkwok=/w\npodhost=/p\n";
        let read = |lines: &str| Assets::from_listing(&Listing::read("build.sh", lines));
        let assets = read(whole).expect("complete");
        assert_eq!(assets.version(), (1, 37));
        assert_eq!(assets.etcd(), std::path::Path::new("/e"));
        let cause = read(&whole.replace("kwok=/w\n", "")).expect_err("no kwok");
        assert!(cause.to_string().contains("kwok"), "{cause}");
        assert!(read(&whole.replace("1.37.2", "new")).is_err());
    }
}
