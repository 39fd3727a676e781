//! A Kubernetes audit policy (`audit.k8s.io/v1`, `Policy`), as far as it takes to say whether an API server that runs it
//! tells of a session's call. Rules are matched as API servers match them (`ruleMatches` in kubernetes/apiserver's
//! `pkg/audit/policy/checker.go`): the first that fits decides, and without one nothing is told.

mod decide;

pub use decide::PolicyCall;

use crate::read::place::{Place, place};
use crate::{KnownCall, Level, Stage, Stages};
use sallyport_model::{SESSIONS_NAMESPACE, clip, visible};
use serde_json::{Map, Value};

/// Rules of a policy that are read.
const RULES_MOST: usize = 10_000;

/// Why a text is not a policy by which anything can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError(String);

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

/// What a cluster's API servers tell of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
    omits: Stages,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rule {
    level: Option<Level>,
    users: Vec<String>,
    groups: Vec<String>,
    verbs: Vec<String>,
    resources: Vec<Resources>,
    namespaces: Vec<String>,
    paths: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Resources {
    group: String,
    resources: Vec<String>,
    names: Vec<String>,
}

/// What an API server asks its rules about.
enum About {
    Resource(Place),
    Path(String),
}

impl Policy {
    /// From the policy's YAML or JSON, read. What is in it and is not known makes it one by which nothing can be said.
    ///
    /// # Errors
    /// With the place in it and what is wrong there.
    pub fn of(policy: &Value) -> Result<Self, PolicyError> {
        let fields = object(policy, "the file")?;
        let is = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
        if is("kind") != "Policy" || is("apiVersion") != "audit.k8s.io/v1" {
            return Err(PolicyError(format!(
                "it is no audit policy: that has `apiVersion: audit.k8s.io/v1` and `kind: Policy`, this has `{}` and `{}`",
                shown(is("apiVersion")),
                shown(is("kind"))
            )));
        }
        known(fields, "it", &["apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields"])?;
        let mut read = Self { omits: stages(fields, "it")?, ..Self::default() };
        let rules = match fields.get("rules") {
            Some(Value::Array(rules)) if !rules.is_empty() && rules.len() <= RULES_MOST => rules,
            _ => return Err(PolicyError(format!("it has no list of 1 to {RULES_MOST} rules"))),
        };
        for (at, rule) in rules.iter().enumerate() {
            let (rule, omits) = Rule::of(rule, &format!("rules[{at}]"))?;
            read.rules.push(rule);
            // What one rule leaves out may be left out.
            read.omits = read.omits.with(omits);
        }
        Ok(read)
    }

    /// Stages that it leaves out, of all calls or of some.
    pub fn omits(&self) -> Stages {
        self.omits
    }

    /// At what level it tells of a session's call; `None` where that can't be said, as of an address that the history
    /// has in part, or of a rule about one account by its whole name.
    pub fn level(&self, call: &KnownCall) -> Option<Level> {
        let (about, verb) = asked(call)?;
        for rule in &self.rules {
            if rule.fits(&about, &verb, &call.uri)? {
                return rule.level;
            }
        }
        Some(Level::None)
    }
}

impl Rule {
    fn of(rule: &Value, at: &str) -> Result<(Self, Stages), PolicyError> {
        let fields = object(rule, at)?;
        let all = [
            "level",
            "users",
            "userGroups",
            "verbs",
            "resources",
            "namespaces",
            "nonResourceURLs",
            "omitStages",
            "omitManagedFields",
        ];
        known(fields, at, &all)?;
        let level = fields.get("level").and_then(Value::as_str).and_then(Level::of).ok_or_else(|| {
            PolicyError(format!("{at}.level is none of {}", Level::ALL.map(Level::name).join(", ")))
        })?;
        let mut resources = Vec::new();
        for (n, one) in list(fields, at, "resources")?.iter().enumerate() {
            let at = format!("{at}.resources[{n}]");
            let one = object(one, &at)?;
            known(one, &at, &["group", "resources", "resourceNames"])?;
            let group = match one.get("group") {
                None => "",
                Some(group) => group.as_str().ok_or_else(|| PolicyError(format!("{at}.group is no text")))?,
            };
            resources.push(Resources {
                group: group.to_owned(),
                resources: texts(one, &at, "resources")?,
                names: texts(one, &at, "resourceNames")?,
            });
        }
        let read = Self {
            level: Some(level),
            users: texts(fields, at, "users")?,
            groups: texts(fields, at, "userGroups")?,
            verbs: texts(fields, at, "verbs")?,
            resources,
            namespaces: texts(fields, at, "namespaces")?,
            paths: texts(fields, at, "nonResourceURLs")?,
        };
        Ok((read, stages(fields, at)?))
    }

    /// Whether it is about a session's call; `None` where that can't be said.
    fn fits(&self, about: &About, verb: &str, uri: &str) -> Option<bool> {
        let account = format!("system:serviceaccount:{SESSIONS_NAMESPACE}:");
        if !self.users.is_empty() {
            // An account's name has its end in it, which the history does not.
            return if self.users.iter().any(|user| user.starts_with(&account)) { None } else { Some(false) };
        }
        let of_accounts = format!("system:serviceaccounts:{SESSIONS_NAMESPACE}");
        let groups = ["system:serviceaccounts", "system:authenticated", &of_accounts];
        if !self.groups.is_empty() && !self.groups.iter().any(|group| groups.contains(&group.as_str())) {
            return Some(false);
        }
        if !self.verbs.is_empty() && !self.verbs.iter().any(|one| one == verb) {
            return Some(false);
        }
        match about {
            About::Resource(place) if !self.namespaces.is_empty() || !self.resources.is_empty() => {
                if !self.namespaces.is_empty() && !self.namespaces.contains(&place.namespace) {
                    return Some(false);
                }
                if self.resources.is_empty() {
                    return Some(true);
                }
                let mut is_unsure = false;
                for one in &self.resources {
                    if one.fits(place) {
                        // A list of one object by its name has that in its query.
                        let names_one = one.names.is_empty() || one.names.contains(&place.name);
                        if names_one {
                            return Some(true);
                        }
                        is_unsure |= place.name.is_empty() && uri.contains("fieldSelector=");
                    }
                }
                if is_unsure { None } else { Some(false) }
            }
            About::Path(_) if !self.namespaces.is_empty() || !self.resources.is_empty() => Some(false),
            About::Path(path) if !self.paths.is_empty() => {
                Some(self.paths.iter().any(|one| match one.strip_suffix('*') {
                    Some(begin) => path.starts_with(begin),
                    None => path == one,
                }))
            }
            About::Resource(_) if !self.paths.is_empty() => Some(false),
            _ => Some(true),
        }
    }
}

impl Resources {
    fn fits(&self, place: &Place) -> bool {
        if self.group != place.group {
            return false;
        }
        let whole = match &*place.subresource {
            "" => place.resource.clone(),
            sub => format!("{}/{sub}", place.resource),
        };
        let is = |one: &String| {
            *one == whole
                || one == "*"
                || one.strip_prefix("*/").is_some_and(|sub| !sub.is_empty() && sub == place.subresource)
                || one.strip_suffix("/*").is_some_and(|resource| resource == place.resource)
        };
        self.resources.is_empty() || self.resources.iter().any(is)
    }
}

/// What a call was about and with which verb, as API servers read method and address.
fn asked(call: &KnownCall) -> Option<(About, String)> {
    let (path, query) = call.uri.split_once('?').unwrap_or((&call.uri, ""));
    if call.method.is_empty() || !path.starts_with('/') || path.contains("characters left out") {
        return None;
    }
    let parts = path.trim_matches('/').split('/').count();
    let is_resource = path.starts_with("/api/") && parts >= 3 || path.starts_with("/apis/") && parts >= 4;
    if !is_resource {
        return Some((About::Path(path.to_owned()), call.method.to_ascii_lowercase()));
    }
    let place = place(path, false)?;
    let is_watch = || {
        let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs
            .any(|(key, value)| key == "watch" && matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"))
    };
    let verb = match (&*call.method, place.name.is_empty()) {
        _ if place.is_watch => "watch",
        ("GET" | "HEAD", false) => "get",
        // Of a query that was cut nobody knows what else it says.
        ("GET" | "HEAD", true) if is_watch() => "watch",
        ("GET" | "HEAD", true) if query.contains("characters left out") => return None,
        ("GET" | "HEAD", true) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", false) => "delete",
        ("DELETE", true) => "deletecollection",
        _ => return None,
    };
    Some((About::Resource(place), verb.to_owned()))
}

fn shown(text: &str) -> String {
    clip(&visible(text), 80)
}

fn object<'v>(value: &'v Value, at: &str) -> Result<&'v Map<String, Value>, PolicyError> {
    value.as_object().ok_or_else(|| PolicyError(format!("{at} is no object")))
}

fn known(fields: &Map<String, Value>, at: &str, all: &[&str]) -> Result<(), PolicyError> {
    match fields.keys().find(|key| !all.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(PolicyError(format!(
            "{at} has a field `{}` that is not known here, so that nothing can be said by it",
            shown(key)
        ))),
    }
}

fn list<'v>(fields: &'v Map<String, Value>, at: &str, key: &str) -> Result<&'v [Value], PolicyError> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(PolicyError(format!("{at}.{key} is no list"))),
    }
}

fn texts(fields: &Map<String, Value>, at: &str, key: &str) -> Result<Vec<String>, PolicyError> {
    let text = |value: &Value| {
        let text = value.as_str().map(str::to_owned);
        text.ok_or_else(|| PolicyError(format!("{at}.{key} holds something that is no text")))
    };
    list(fields, at, key)?.iter().map(text).collect()
}

fn stages(fields: &Map<String, Value>, at: &str) -> Result<Stages, PolicyError> {
    let mut omits = Stages::default();
    for stage in texts(fields, at, "omitStages")? {
        let known = Stage::of(&stage).ok_or_else(|| {
            PolicyError(format!("{at}.omitStages names `{}`, which is no stage", shown(&stage)))
        })?;
        omits = omits.with(Stages::one(known));
    }
    Ok(omits)
}

#[cfg(test)]
mod tests;
