//! From text to data.

use crate::error::{Fault, KubeconfigError, MOST};
use crate::fields::Fields;
use crate::{Cluster, Kubeconfig, User, entry::Context};
use serde_json::Value;
use serde_saphyr::Error as YamlError;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Deeper than any field of a kubeconfig; extensions of tools are nested too.
const DEEP: usize = 32;
/// Fields and entries, far beyond what [`MOST`] bytes of kubeconfig hold.
const NODES: usize = 500_000;

impl Kubeconfig {
    /// Reads the text of a kubeconfig, YAML or JSON. `file` is where it stood: errors name it, and relative paths are
    /// resolved against its folder. Fields that are not known are not kept.
    ///
    /// # Errors
    /// [`KubeconfigError`], with the entry and the field.
    pub fn parse(text: &str, file: &Path) -> Result<Self, KubeconfigError> {
        let told = |fault| KubeconfigError { file: file.to_owned(), fault };
        of_text(text, file).map_err(told)
    }

    /// Reads a kubeconfig from its file, and nothing else.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); the file can't be read or is larger than [`MOST`].
    pub fn load(file: &Path) -> Result<Self, KubeconfigError> {
        let told = |fault| KubeconfigError { file: file.to_owned(), fault };
        let unread = |error: std::io::Error| told(Fault::Unreadable(error.to_string()));
        let meta = std::fs::metadata(file).map_err(unread)?;
        let mut bytes = Vec::new();
        let most = MOST as u64 + 1;
        std::fs::File::open(file).map_err(unread)?.take(most).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() > MOST {
            let size = usize::try_from(meta.len()).unwrap_or(usize::MAX).max(bytes.len());
            return Err(told(Fault::Large(size / 1024)));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| told(Fault::Unreadable("it holds no text".to_owned())))?;
        Self::parse(&text, file)
    }

    /// Reads several, as kubectl does: the first to name something wins.
    ///
    /// # Errors
    /// As [`load`](Self::load): one that can't be read is not passed over.
    pub fn load_all<'f>(files: impl IntoIterator<Item = &'f Path>) -> Result<Self, KubeconfigError> {
        let mut files = files.into_iter();
        let first = match files.next() {
            Some(file) => Self::load(file)?,
            None => return Ok(Self::default()),
        };
        files.try_fold(first, |all, file| Ok(all.merge(Self::load(file)?)))
    }
}

fn of_text(text: &str, file: &Path) -> Result<Kubeconfig, Fault> {
    if text.len() > MOST {
        return Err(Fault::Large(text.len() / 1024));
    }
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        // `no` and `n` are names, too.
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_depth: DEEP, max_nodes: NODES },
    };
    let value: Value =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| not_yaml(&error))?;
    let mut top = Fields::of(value, "")?;
    let is_config = match top.text("kind")? {
        Some(kind) => kind == "Config",
        None => ["clusters", "users", "contexts"].iter().any(|field| top.has(field)),
    };
    if !is_config {
        return Err(Fault::OtherKind);
    }
    let folder = file.parent().map(PathBuf::from).unwrap_or_default();
    Ok(Kubeconfig {
        file: file.to_owned(),
        clusters: entries(&mut top, "clusters", "cluster", |fields| cluster_of(fields, &folder))?,
        users: entries(&mut top, "users", "user", |fields| User::of(fields, &folder))?,
        contexts: entries(&mut top, "contexts", "context", context_of)?,
        current: top.text("current-context")?,
    })
}

/// What is wrong, without what stands there.
fn not_yaml(error: &YamlError) -> Fault {
    let shown = error.without_snippet();
    if matches!(shown, YamlError::Budget { .. } | YamlError::MergeKeyNotAllowed { .. }) {
        return Fault::Unreasonable;
    }
    let place = error.location().map(|place| (place.line(), place.column())).filter(|place| place.0 > 0);
    Fault::NotYaml(place)
}

fn entries<T>(
    top: &mut Fields,
    list: &'static str,
    own: &str,
    read: impl Fn(Fields) -> Result<T, Fault>,
) -> Result<BTreeMap<String, T>, Fault> {
    let mut all = BTreeMap::new();
    for (at, value) in top.list(list)?.into_iter().enumerate() {
        let mut fields = Fields::of(value, &format!("{list}[{at}]"))?;
        let Some(name) = fields.text("name")? else {
            return Err(Fault::Type { field: fields.path("name"), wanted: "a name" });
        };
        // From here on it is known by its name.
        let named = Fields::of(fields.take(own), &format!("{list}[{name}].{own}"))?;
        if all.contains_key(&name) {
            return Err(Fault::Twice { list, name });
        }
        all.insert(name, read(named)?);
    }
    Ok(all)
}

fn cluster_of(mut fields: Fields, folder: &Path) -> Result<Cluster, Fault> {
    Ok(Cluster {
        server: fields.text("server")?.unwrap_or_default(),
        authority: fields.kept("certificate-authority", folder)?,
        tls_server_name: fields.text("tls-server-name")?,
        insecure: fields.flag("insecure-skip-tls-verify")?,
        proxy: fields.secret("proxy-url")?,
    })
}

fn context_of(mut fields: Fields) -> Result<Context, Fault> {
    Ok(Context {
        cluster: fields.text("cluster")?.unwrap_or_default(),
        user: fields.text("user")?.unwrap_or_default(),
        namespace: fields.text("namespace")?,
    })
}
