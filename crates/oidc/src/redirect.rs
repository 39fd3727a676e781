use sha2::{Digest as _, Sha256};

/// Where the browser brings the answer back to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirect {
    /// The host in the redirect address.
    pub host: RedirectHost,
    /// The ports it may have, for providers that compare redirect addresses to the letter; the first free one is used.
    /// Empty: any free one, as RFC 8252 §7.3 wants providers to allow.
    pub ports: Vec<u16>,
}

/// How the redirect address names this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedirectHost {
    /// `127.0.0.1`, as RFC 8252 §8.3 recommends.
    #[default]
    Address,
    /// `localhost`, which some providers demand.
    Localhost,
}

impl RedirectHost {
    /// As it is written in an address.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "127.0.0.1",
            Self::Localhost => "localhost",
        }
    }
}

impl Redirect {
    /// What has to be registered at the provider, exactly: one address for each port, or one without.
    ///
    /// The path belongs to the issuer (RFC 9700 §4.4.2.2): whoever gets a sign-in started under another issuer at this
    /// provider's pages is sent away there, since the address is not a registered one.
    #[must_use]
    pub fn addresses(&self, issuer: &str) -> Vec<String> {
        let (host, path) = (self.host.name(), callback_path(issuer));
        if self.ports.is_empty() {
            return vec![format!("http://{host}{path}")];
        }
        self.ports.iter().map(|port| format!("http://{host}:{port}{path}")).collect()
    }
}

/// How many bytes of an issuer's hash are in its path. Whoever writes a workspace file chooses the issuer, and is after
/// one whose path is a registered one: 128 bits of it are out of reach, 32 would be found in minutes.
const BYTES: usize = 16;

/// `/callback/` and the first 32 hexadecimal digits of the SHA-256 of the issuer as configured.
pub(crate) fn callback_path(issuer: &str) -> String {
    let hash = Sha256::digest(issuer.as_bytes());
    let hex: String = hash.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("/callback/{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two that 32 bits do not tell apart; `printf %s … | sha256sum` shows it.
    #[test]
    fn fault_b1_an_issuer_that_was_ground_has_another_address() {
        let (one, other) =
            (callback_path("https://id-33639.example"), callback_path("https://id-35261.example"));
        assert_eq!(one[..18], other[..18], "the first eight digits are the same");
        assert_ne!(one, other);
    }

    #[test]
    fn fault_b1_each_issuer_has_an_address_of_its_own() {
        // printf %s https://id.example | sha256sum
        let any = Redirect::default();
        let one = any.addresses("https://id.example");
        assert_eq!(one, ["http://127.0.0.1/callback/20a69b77c18109782ebd19432534d036"]);
        assert_ne!(one, any.addresses("https://id.example/"));
        let fixed = Redirect { host: RedirectHost::Localhost, ports: vec![8400, 8401] };
        let addresses = fixed.addresses("https://id.example");
        assert_eq!(
            addresses,
            [
                "http://localhost:8400/callback/20a69b77c18109782ebd19432534d036",
                "http://localhost:8401/callback/20a69b77c18109782ebd19432534d036"
            ]
        );
    }
}
