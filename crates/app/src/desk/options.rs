use super::log::LogTail;
use sallyport_vault::Keyring;
use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// What the app is told from outside, apart from its directories.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long one call to hub, provider or cluster may take: 10 s in the product, less in tests.
    pub deadline: Duration,
    /// How long after an ask that the hub did not answer it may still take it in: 75 s in the product (an API server gives
    /// a call up after 60 s, its `--request-timeout`; some more for what lies between), less in tests.
    pub may_come_in: Duration,
    /// How long a request that needs nobody's yes may wait for its broker: 30 s in the product.
    pub broker: Duration,
    /// Which keyring is used; without one refresh tokens are kept in memory only, and the window says so.
    pub keyring: Keyring,
    /// A workspace file of a demo fleet, which makes the demo door open.
    pub demo: Option<PathBuf>,
    /// The directory of a kubectl for the terminals, put before their `PATH`.
    pub kubectl_dir: Option<PathBuf>,
    /// The shell of the terminals; `None`: the person's own.
    pub shell: Option<PathBuf>,
    /// The last lines of the log; empty where nobody writes into it.
    pub log: LogTail,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            may_come_in: Duration::from_secs(75),
            broker: Duration::from_secs(30),
            keyring: Keyring::Os,
            demo: None,
            kubectl_dir: None,
            shell: None,
            log: LogTail::default(),
        }
    }
}

impl Options {
    /// `SALLYPORT_KEYRING=off` or the D-Bus address of another keyring than the session's, as the demo has,
    /// `SALLYPORT_DEMO=<workspace file>`, `SALLYPORT_KUBECTL_DIR=<directory>`.
    pub fn from_environment() -> Self {
        let path = |key: &str| env::var_os(key).filter(|v| !v.is_empty()).map(PathBuf::from);
        Self {
            keyring: keyring(&env::var_os("SALLYPORT_KEYRING").unwrap_or_default().to_string_lossy()),
            demo: path("SALLYPORT_DEMO"),
            kubectl_dir: path("SALLYPORT_KUBECTL_DIR"),
            ..Self::default()
        }
    }
}

/// Which keyring the environment names. An address where nobody answers is a keyring that does not: said, and in memory. So is
/// one of another machine, or of a program to start: the vault's key goes to a socket of this machine and nowhere else.
fn keyring(named: &str) -> Keyring {
    match named {
        "" => Keyring::Os,
        address if address.starts_with("unix:path=") || address.starts_with("unix:abstract=") => {
            Keyring::Bus(address.to_owned())
        }
        _ => Keyring::Off,
    }
}

#[cfg(test)]
mod tests {
    use super::{Keyring, keyring};

    #[test]
    fn p2_the_keyring_is_the_desktops_own_unless_another_or_none_is_named() {
        assert_eq!(keyring(""), Keyring::Os);
        assert_eq!(keyring("off"), Keyring::Off);
        assert_eq!(keyring("unix:path=/run/x/bus"), Keyring::Bus("unix:path=/run/x/bus".to_owned()));
        for elsewhere in
            ["OFF", "tcp:host=evil.example", "unixexec:path=/bin/sh", "unix:tmpdir=/tmp", "\u{fffd}"]
        {
            assert_eq!(keyring(elsewhere), Keyring::Off, "{elsewhere}");
        }
    }
}
