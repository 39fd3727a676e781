use crate::private;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sallyport_model::{ClusterName, NamespaceName, Secret, visible};
use serde_json::json;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
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
    server: Arc<Mutex<String>>,
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
        let server = Arc::new(Mutex::new(spec.server.clone()));
        Ok(Self { runtime: runtime.to_owned(), dir, spec: spec.clone(), server })
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
        // Held until it is done: who compares the file with it sees both old or both new.
        let mut now = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let write = || {
            // Left by a rewrite that was cut short.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            private::file(&new, body(&self.spec, server).expose(), false)?;
            fs::rename(&new, self.path())
        };
        write().map_err(|source| KubeconfigError::Io { dir: self.dir.path().to_owned(), source })?;
        server.clone_into(&mut now);
        Ok(())
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

    /// What it may name.
    pub(crate) fn named(&self) -> Named {
        Named { cluster: self.spec.cluster.to_string(), server: self.server.clone() }
    }
}

/// Where a session's kubeconfig is and what it names, without holding on to it: whoever opens a terminal must not keep
/// the file from being removed meanwhile.
#[derive(Clone, Debug)]
pub struct Located {
    pub(crate) runtime: PathBuf,
    pub(crate) path: PathBuf,
    pub(crate) cluster: String,
    pub(crate) namespace: Option<String>,
    pub(crate) named: Named,
}

impl Located {
    /// Where this one is.
    #[must_use]
    pub fn of(kubeconfig: &PrivateKubeconfig) -> Self {
        Self {
            runtime: kubeconfig.runtime.clone(),
            path: kubeconfig.path(),
            cluster: kubeconfig.cluster().to_string(),
            namespace: kubeconfig.namespace().map(ToString::to_string),
            named: kubeconfig.named(),
        }
    }
}

/// What a private kubeconfig may name: its cluster, at the one port that the gateway serves it on. Another port of this
/// machine may be another cluster's.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) cluster: String,
    /// The gateway, as the file names it now.
    pub(crate) server: Arc<Mutex<String>>,
}

impl Named {
    /// What the file names beside that; none when it is as it should be, or gone: then it names nothing. Tools such as `aws eks
    /// update-kubeconfig` and `oc login` write another cluster into whatever KUBECONFIG names, and make it the
    /// current one. They write YAML where we wrote JSON; one `key: value` to a line in both.
    ///
    /// # Errors
    /// When it is there and can't be read whole: nobody knows what it names then.
    pub(crate) fn other_than_itself(&self, path: &Path) -> io::Result<Option<String>> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        // There is a key in it.
        let mut text = String::new();
        let read = file.take(READ + 1).read_to_string(&mut text);
        let text = Secret::new(text);
        if read? as u64 > READ {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let other = text.expose().lines().find_map(|line| {
            let (key, value) = line.trim().trim_start_matches("- ").split_once(':')?;
            let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
            let right = match key.trim_matches('"') {
                "server" => value.trim_end_matches('/') == server.trim_end_matches('/'),
                "current-context" => value == self.cluster,
                // A context's; an entry of `clusters` goes on in the next line.
                "cluster" => matches!(value, "" | "{") || value == self.cluster,
                "token" | "tokenFile" | "exec" | "auth-provider" | "proxy-url" => false,
                _ => true,
            };
            (!right)
                .then(|| if value.is_empty() { key.trim_matches('"').to_owned() } else { value.to_owned() })
        });
        Ok(other)
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
        let server = Arc::new(Mutex::new("https://127.0.0.1:6443".to_owned()));
        let named = Named { cluster: "eu-1".into(), server };
        let says = |text: &str| {
            fs::write(&path, text).unwrap();
            named.other_than_itself(&path).unwrap()
        };
        assert_eq!(named.other_than_itself(&path).unwrap(), None, "a file that is gone names nothing");
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
        // This machine has other ports, and another cluster's gateway is on one of them.
        for text in [&own, yaml] {
            let other = says(&text.replace("https://127.0.0.1:6443", "https://127.0.0.1:6444"));
            assert_eq!(other, Some("https://127.0.0.1:6444".into()));
        }
        let context = yaml.replace("    cluster: eu-1\n", "    cluster: prod\n");
        assert_eq!(says(&context), Some("prod".into()), "the same context of another cluster");
    }

    #[test]
    fn fault_d1_a_kubeconfig_that_cant_be_read_is_not_one_that_is_as_it_should_be() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        let server = Arc::new(Mutex::new("https://127.0.0.1:6443".to_owned()));
        let named = Named { cluster: "eu-1".into(), server };
        fs::write(&path, b"current-context: \xff\n").unwrap();
        assert!(named.other_than_itself(&path).is_err(), "no text");
        fs::write(&path, "#".repeat(READ as usize + 1)).unwrap();
        assert!(named.other_than_itself(&path).is_err(), "what is behind that is not read");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(named.other_than_itself(&path).is_err(), "no file");
    }
}
