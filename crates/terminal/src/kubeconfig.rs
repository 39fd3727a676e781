use crate::private;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sallyport_model::{ClusterName, NamespaceName, Secret, visible};
use serde_json::json;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The most of a kubeconfig that is read again.
const READ: u64 = 1 << 20;

/// What a private kubeconfig says.
#[derive(Clone, Debug)]
pub struct KubeconfigSpec {
    /// The gateway: `https://127.0.0.1:<port>`, without a path.
    pub server: String,
    /// The gateway's CA, PEM.
    pub ca_pem: String,
    /// The session's client certificate, PEM.
    pub client_cert_pem: String,
    /// Its key, PEM. Good for this session while the gateway runs, and for nothing else (P2).
    pub client_key_pem: Secret<String>,
    /// The cluster; names the only context.
    pub cluster: ClusterName,
    /// The namespace commands go to when they name none.
    pub namespace: Option<NamespaceName>,
    /// What the user entry is called: shown by tools, means nothing.
    pub user: String,
}

/// Why a private kubeconfig could not be made.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// A server that is not the gateway of this machine: the key must go nowhere else.
    #[error("`{0}` is not a gateway on 127.0.0.1")]
    NotTheGateway(String),
    /// The file system refused.
    #[error("the kubeconfig in `{}` could not be written", .dir.display())]
    Io {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The kubeconfig of one session: one cluster, one user, one context. In a directory of its own (0700), as tools
/// put lock files beside it; removed with it on drop.
#[derive(Debug)]
pub struct PrivateKubeconfig {
    runtime: PathBuf,
    dir: TempDir,
    spec: KubeconfigSpec,
}

impl PrivateKubeconfig {
    /// Writes it to a fresh place in the runtime directory, which is made (0700) when missing.
    ///
    /// # Errors
    /// [`KubeconfigError`].
    pub fn write(runtime: &Path, spec: &KubeconfigSpec) -> Result<Self, KubeconfigError> {
        check(&spec.server)?;
        let failed = |source| KubeconfigError::Io { dir: runtime.to_owned(), source };
        let dir = private::fresh_directory(runtime, private::KUBECONFIG).map_err(failed)?;
        private::file(&dir.path().join("config"), body(spec, &spec.server).expose(), false)
            .map_err(failed)?;
        Ok(Self { runtime: runtime.to_owned(), dir, spec: spec.clone() })
    }

    /// The file, for `KUBECONFIG`. Stays the same for the whole session.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    /// Points it at another port of the gateway, in one step: whoever reads it sees the old or the new one. A
    /// namespace someone set in it with `kubectl config` is lost.
    ///
    /// # Errors
    /// [`KubeconfigError`]; the old one is still there then.
    pub fn rewrite(&self, server: &str) -> Result<(), KubeconfigError> {
        check(server)?;
        let new = self.dir.path().join("config.new");
        let write = || {
            // Left by a rewrite that was cut short.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            private::file(&new, body(&self.spec, server).expose(), false)?;
            fs::rename(&new, self.path())
        };
        write().map_err(|source| KubeconfigError::Io { dir: self.dir.path().to_owned(), source })
    }

    /// Removes it now. Dropping does the same, but can't tell when it fails.
    ///
    /// # Errors
    /// [`KubeconfigError::Io`] when it is still there.
    pub fn remove(self) -> Result<(), KubeconfigError> {
        let dir = self.dir.path().to_owned();
        self.dir.close().map_err(|source| KubeconfigError::Io { dir, source })
    }

    /// The cluster it names.
    pub fn cluster(&self) -> &ClusterName {
        &self.spec.cluster
    }

    /// The namespace it names.
    pub fn namespace(&self) -> Option<&NamespaceName> {
        self.spec.namespace.as_ref()
    }

    pub(crate) fn runtime(&self) -> &Path {
        &self.runtime
    }
}

/// What a private kubeconfig may name: its cluster, at the gateway.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) cluster: String,
}

impl Named {
    /// What the file names beside that; none when it is as it should be, or gone. Tools such as `aws eks
    /// update-kubeconfig` and `oc login` write another cluster into whatever KUBECONFIG names, and make it the
    /// current one. They write YAML where we wrote JSON; one `key: value` to a line in both.
    pub(crate) fn other_than_itself(&self, path: &Path) -> Option<String> {
        let mut text = String::new();
        fs::File::open(path).ok()?.take(READ).read_to_string(&mut text).ok()?;
        // There is a key in it.
        let text = Secret::new(text);
        text.expose().lines().find_map(|line| {
            let (key, value) = line.trim().trim_start_matches("- ").split_once(':')?;
            let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
            let right = match key.trim_matches('"') {
                "server" => check(value).is_ok(),
                "current-context" => value == self.cluster,
                "token" | "tokenFile" | "exec" | "auth-provider" | "proxy-url" => false,
                _ => true,
            };
            (!right)
                .then(|| if value.is_empty() { key.trim_matches('"').to_owned() } else { value.to_owned() })
        })
    }
}

fn check(server: &str) -> Result<(), KubeconfigError> {
    let wrong = || KubeconfigError::NotTheGateway(sallyport_model::clip(&visible(server), 120));
    let rest = server.strip_prefix("https://127.0.0.1:").ok_or_else(wrong)?;
    // Nothing but a number: `127.0.0.1:1@elsewhere` is none, and a path is no part of a gateway's address.
    let port = rest.strip_suffix('/').unwrap_or(rest);
    if port.parse::<u16>().is_ok_and(|port| port > 0) { Ok(()) } else { Err(wrong()) }
}

/// JSON is YAML, and nothing needs quoting by hand.
fn body(spec: &KubeconfigSpec, server: &str) -> Secret<Vec<u8>> {
    let mut context = json!({ "cluster": spec.cluster.as_str(), "user": visible(&spec.user) });
    if let Some(namespace) = &spec.namespace {
        context["namespace"] = namespace.as_str().into();
    }
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [{
            "name": spec.cluster.as_str(),
            "cluster": { "server": server, "certificate-authority-data": STANDARD.encode(&spec.ca_pem) },
        }],
        "users": [{
            "name": visible(&spec.user),
            "user": {
                "client-certificate-data": STANDARD.encode(&spec.client_cert_pem),
                "client-key-data": STANDARD.encode(spec.client_key_pem.expose()),
            },
        }],
        "contexts": [{ "name": spec.cluster.as_str(), "context": context }],
        "current-context": spec.cluster.as_str(),
    });
    let mut bytes = serde_json::to_vec_pretty(&config).expect("a JSON value has a text");
    bytes.push(b'\n');
    Secret::new(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_d1_a_kubeconfig_that_names_another_cluster_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        let named = Named { cluster: "eu-1".into() };
        let says = |text: &str| {
            fs::write(&path, text).unwrap();
            named.other_than_itself(&path)
        };
        assert_eq!(named.other_than_itself(&path), None, "a file that is gone names nothing");
        let spec = KubeconfigSpec {
            server: "https://127.0.0.1:6443".into(),
            ca_pem: "ca".into(),
            client_cert_pem: "cert".into(),
            client_key_pem: Secret::new("key".to_owned()),
            cluster: "eu-1".parse().unwrap(),
            namespace: Some("payments".parse().unwrap()),
            user: "ada@example.test".into(),
        };
        let own = String::from_utf8(body(&spec, &spec.server).expose().clone()).unwrap();
        assert_eq!(says(&own), None);
        // As kubectl writes it back.
        let yaml = "apiVersion: v1\nclusters:\n- cluster:\n    server: https://127.0.0.1:6443\n  name: eu-1\ncontexts:\n- context:\n    cluster: eu-1\n    namespace: other\n  name: eu-1\ncurrent-context: eu-1\nusers: []\n";
        assert_eq!(says(yaml), None, "another namespace is the person's own");
        assert_eq!(
            says(&yaml.replace("current-context: eu-1", "current-context: prod")),
            Some("prod".into())
        );
        let second = "- cluster:\n    server: \"https://prod.example.test\"\n  name: prod\n";
        assert_eq!(says(&format!("{yaml}{second}")), Some("https://prod.example.test".into()));
        assert_eq!(says(&format!("{yaml}    exec:\n      command: aws\n")), Some("exec".into()));
        assert_eq!(says(&own.replace("https://127.0.0.1:6443", "https://prod")), Some("https://prod".into()));
    }
}
