use crate::error::{Fault, KubeconfigError};
use crate::{Kept, User};
use sallyport_model::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// One kubeconfig, or several merged.
#[derive(Clone, Debug, Default)]
pub struct Kubeconfig {
    pub(crate) file: PathBuf,
    pub(crate) clusters: BTreeMap<String, Cluster>,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) contexts: BTreeMap<String, Context>,
    pub(crate) current: Option<String>,
}

/// Where an API server answers, as a kubeconfig has it. Nothing of it is checked yet. `Debug` shows no user name and no
/// password that stand in an address.
#[derive(Clone, Default)]
pub struct Cluster {
    /// Its address.
    pub server: String,
    /// Its CA bundle, PEM; none: the system's.
    pub authority: Option<Kept>,
    /// The name in its certificate, where that is not the address's host.
    pub tls_server_name: Option<String>,
    /// Whether kubectl would believe any server (`insecure-skip-tls-verify`).
    pub insecure: bool,
    /// The proxy that kubectl would go through.
    pub proxy: Option<Secret<String>>,
}

impl Cluster {
    /// Whether a user name or a password stands in the address. Those are sent nowhere here.
    pub fn has_user_info(&self) -> bool {
        self.server.contains('@')
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = if self.has_user_info() { "an address with a user name in it" } else { &self.server };
        f.debug_struct("Cluster")
            .field("server", &server)
            .field("authority", &self.authority)
            .field("tls_server_name", &self.tls_server_name)
            .field("insecure", &self.insecure)
            .field("proxy", &self.proxy)
            .finish()
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    pub(crate) cluster: String,
    pub(crate) user: String,
    pub(crate) namespace: Option<String>,
}

/// What one context stands for.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'k> {
    /// The context's name.
    pub context: &'k str,
    /// The cluster's name.
    pub cluster_name: &'k str,
    /// The cluster.
    pub cluster: &'k Cluster,
    /// The user's name; empty where the context names none.
    pub user_name: &'k str,
    /// The user; none: nobody signs in.
    pub user: Option<&'k User>,
    /// Its namespace.
    pub namespace: Option<&'k str>,
}

impl Kubeconfig {
    /// Adds one that comes later in the list: for each name the first that has it wins, whole, and so does the first
    /// current context.
    #[must_use]
    pub fn merge(mut self, later: Self) -> Self {
        fn add<T>(into: &mut BTreeMap<String, T>, from: BTreeMap<String, T>) {
            for (name, one) in from {
                into.entry(name).or_insert(one);
            }
        }
        add(&mut self.clusters, later.clusters);
        add(&mut self.users, later.users);
        add(&mut self.contexts, later.contexts);
        self.current = self.current.or(later.current);
        self
    }

    /// The names of its contexts, in order.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        self.contexts.keys().map(String::as_str)
    }

    /// The current context's name.
    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// What a context stands for; without a name, the current one.
    ///
    /// # Errors
    /// There is none of that name, or it names a cluster or a user that is not there.
    pub fn entry(&self, context: Option<&str>) -> Result<Entry<'_>, KubeconfigError> {
        self.find(context).map_err(|fault| KubeconfigError { file: self.file.clone(), fault })
    }

    fn find(&self, context: Option<&str>) -> Result<Entry<'_>, Fault> {
        let known = || self.contexts().map(str::to_owned).collect();
        let name = context.or(self.current()).ok_or_else(|| Fault::NoCurrent(known()))?;
        let (name, context) = self
            .contexts
            .get_key_value(name)
            .ok_or_else(|| Fault::NoContext { name: name.to_owned(), known: known() })?;
        let dangling =
            |what, whom: &str| Fault::Dangling { context: name.clone(), what, name: whom.to_owned() };
        let cluster = self.clusters.get(&context.cluster);
        let user = match context.user.as_str() {
            "" => None,
            own => Some(self.users.get(own).ok_or_else(|| dangling("user", own))?),
        };
        Ok(Entry {
            context: name,
            cluster_name: &context.cluster,
            cluster: cluster.ok_or_else(|| dangling("cluster", &context.cluster))?,
            user_name: &context.user,
            user,
            namespace: context.namespace.as_deref(),
        })
    }
}
