use sallyport_model::{clip, visible};
use std::path::PathBuf;

/// The largest kubeconfig, in bytes: thousands of clusters with certificates of their own.
pub const MOST: usize = 8 << 20;

/// Why a kubeconfig, or a context of it, can't be used. No text of it ever holds what stands in a secret's place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {fault}", shown_path(.file))]
pub struct KubeconfigError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is larger than any.
    #[error("this is {0} kB, and no kubeconfig is larger than {max} kB: is it the right file?", max = MOST / 1024)]
    Large(usize),
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(String),
    /// It is no YAML. What stands there is not repeated: it may be a token.
    #[error("it is no YAML {place}; kubectl config view --kubeconfig FILE says more", place = at(*.0))]
    NotYaml(Option<(u64, u64)>),
    /// It has anchors or aliases, or is nested as no kubeconfig is.
    #[error("it has anchors or aliases, or more in it than any kubeconfig; write out what they stand for")]
    Unreasonable,
    /// It is YAML and no kubeconfig.
    #[error("it is no kubeconfig: it has neither `kind: Config` nor clusters, users or contexts")]
    OtherKind,
    /// A field is of another type.
    #[error("{} must be {wanted}", shown(.field))]
    Type {
        /// Which field, as `users[alice].user.token`.
        field: String,
        /// What it must be, e.g. `a text`.
        wanted: &'static str,
    },
    /// Two entries of a list have one name: which is meant can't be known.
    #[error("{list} has two entries named {}; rename one", shown(.name))]
    Twice {
        /// `clusters`, `users` or `contexts`.
        list: &'static str,
        /// Their name.
        name: String,
    },
    /// A field ending in `-data` holds no base64, or no text.
    #[error("{} holds no base64 of a PEM text", shown(.0))]
    NotBase64(String),
    /// No context was named and none is the current one.
    #[error("it has no current-context; name one of its contexts: {}", names(.0))]
    NoCurrent(Vec<String>),
    /// There is no context of this name.
    #[error("it has no context {}; it has {}", shown(.name), names(.known))]
    NoContext {
        /// The name.
        name: String,
        /// Those it has.
        known: Vec<String>,
    },
    /// A context names a cluster or a user that is not there.
    #[error("context {} names the {what} {}, and there is none of that name", shown(.context), shown(.name))]
    Dangling {
        /// The context.
        context: String,
        /// `cluster` or `user`.
        what: &'static str,
        /// The name.
        name: String,
    },
}

fn at(place: Option<(u64, u64)>) -> String {
    place.map_or_else(String::new, |(line, column)| format!("at line {line}, column {column}"))
}

pub(crate) fn shown(text: &str) -> String {
    clip(&visible(text), 160)
}

pub(crate) fn shown_path(path: &std::path::Path) -> String {
    clip(&visible(&path.display().to_string()), 400)
}

fn names(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut list: Vec<String> = names.iter().take(10).map(|name| shown(name)).collect();
    if names.len() > 10 {
        list.push(format!("and {} more", names.len() - 10));
    }
    list.join(", ")
}
