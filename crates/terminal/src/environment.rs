//! What a terminal's shell gets to know of the environment the desktop was started in.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Variables that pass. Everything else stays out, so that a credential nobody thought of does too: KUBE*, HELM_*,
/// AWS_*, GOOGLE_*, AZURE_*, VAULT_*, *_TOKEN, *_PASSWORD, LD_*, PYTHON*, NODE_*, GTK_*, WEBKIT_*, D-Bus…
///
/// DISPLAY, WAYLAND_DISPLAY, XAUTHORITY: a pager, editor or browser may need them, and whatever runs as the person
/// can find the display anyway. SSH_AUTH_SOCK: git over SSH belongs to an incident; it is a socket, not a secret.
/// ZDOTDIR: where a person's zsh files are. DBUS_SESSION_BUS_ADDRESS does not pass: a shell needs no keyring.
const PASS: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "LESS",
    "MANPATH",
    "INFOPATH",
    "LS_COLORS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_TYPE",
    "NO_PROXY",
    "no_proxy",
    "ZDOTDIR",
];
/// Proxies pass unless they carry a password.
const PROXIES: &[&str] =
    &["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

/// Variables for a child process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// What may pass of the given variables.
    pub fn scrubbed(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let all: BTreeMap<OsString, OsString> = variables.into_iter().collect();
        let bundle = all.get(OsStr::new("APPDIR")).cloned();
        let mut kept: BTreeMap<OsString, OsString> =
            all.into_iter().filter(|(name, value)| passes(name, value)).collect();
        for list in ["PATH", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS"] {
            if let Some(value) = kept.get_mut(OsStr::new(list)) {
                *value = without(value, bundle.as_deref());
            }
        }
        Self(kept)
    }

    /// What may pass of this process's own.
    pub fn of_this_process() -> Self {
        Self::scrubbed(std::env::vars_os())
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.0.insert(name.into(), value.into());
    }

    /// A variable's value.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// Adds an entry to a comma-separated list, unless it is there.
    pub(crate) fn add_to_list(&mut self, name: &str, entry: &str) {
        let old = self.get(name).map(|v| v.to_string_lossy().into_owned()).unwrap_or_default();
        if !old.split(',').any(|found| found.trim() == entry) {
            let joined = if old.is_empty() { entry.to_owned() } else { format!("{old},{entry}") };
            self.set(name, joined);
        }
    }

    /// Puts directories first in PATH.
    pub(crate) fn prepend_path(&mut self, dirs: &[&Path]) {
        let old = self.get("PATH").unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin")).to_owned();
        let mut path = OsString::new();
        for dir in dirs {
            path.push(dir);
            path.push(":");
        }
        path.push(old);
        self.set("PATH", path);
    }
}

fn passes(name: &OsStr, value: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    if PROXIES.contains(&name) {
        return !value.as_bytes().contains(&b'@');
    }
    PASS.contains(&name) || name.starts_with("LC_")
}

/// A search path without entries of the AppImage's bundle and without relative ones, which mean whatever directory
/// the shell is in.
fn without(list: &OsStr, bundle: Option<&OsStr>) -> OsString {
    let kept: Vec<&[u8]> = list
        .as_bytes()
        .split(|b| *b == b':')
        .filter(|entry| entry.first() == Some(&b'/'))
        .filter(|entry| bundle.is_none_or(|bundle| !Path::new(OsStr::from_bytes(entry)).starts_with(bundle)))
        .collect();
    OsStr::from_bytes(&kept.join(&b':')).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(variables: &[(&str, &str)]) -> Environment {
        Environment::scrubbed(variables.iter().map(|(n, v)| (OsString::from(n), OsString::from(v))))
    }

    #[test]
    fn p1_only_what_is_known_to_be_harmless_passes() {
        let passed =
            [("HOME", "/home/ada"), ("LC_TIME", "C"), ("TZ", "UTC"), ("http_proxy", "http://proxy:3128")];
        for (name, value) in passed {
            assert_eq!(scrubbed(&[(name, value)]).get(name), Some(OsStr::new(value)), "{name}");
        }
        let kept_out = [
            "KUBECONFIG",
            "KUBERNETES_SERVICE_HOST",
            "HELM_KUBETOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "AZURE_CLIENT_SECRET",
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "GTK_MODULES",
            "WEBKIT_DISABLE_COMPOSITING_MODE",
            "DB_PASSWORD",
            "BASH_ENV",
            "ENV",
            "PROMPT_COMMAND",
            "PS4",
            "BASH_FUNC_kubectl%%",
            "PYTHONPATH",
            "DBUS_SESSION_BUS_ADDRESS",
            "SALLYPORT_HOME",
            "IFS",
            "",
        ];
        for name in kept_out {
            assert_eq!(scrubbed(&[(name, "x")]).iter().count(), 0, "{name}");
        }
        assert_eq!(scrubbed(&[("https_proxy", "http://ada:pw@proxy:3128")]).iter().count(), 0);
    }

    #[test]
    fn a_bundles_own_programs_and_relative_directories_leave_the_path() {
        let seen =
            scrubbed(&[("APPDIR", "/tmp/.mount_x"), ("PATH", "/tmp/.mount_x/usr/bin:.::bin:/usr/bin:/bin")]);
        assert_eq!(seen.get("PATH"), Some(OsStr::new("/usr/bin:/bin")));
        assert_eq!(seen.get("APPDIR"), None);
    }

    #[test]
    fn lists_grow_by_what_is_missing() {
        let mut seen = scrubbed(&[("NO_PROXY", "10.0.0.0/8, 127.0.0.1")]);
        seen.add_to_list("NO_PROXY", "127.0.0.1");
        seen.add_to_list("no_proxy", "127.0.0.1");
        assert_eq!(seen.get("NO_PROXY"), Some(OsStr::new("10.0.0.0/8, 127.0.0.1")));
        assert_eq!(seen.get("no_proxy"), Some(OsStr::new("127.0.0.1")));
    }
}
