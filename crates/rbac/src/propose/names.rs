//! Which names are worth a limit: those that somebody gave, and that will be the same tomorrow.

/// The letters of which API servers make names up (`k8s.io/apimachinery/pkg/util/rand`): no vowel, and nothing that
/// looks like another.
const MADE_UP: &str = "bcdfghjklmnpqrstvwxz2456789";

/// The longest name of an object, in bytes.
const NAME_MOST: usize = 253;

/// Whether a part of a name looks made up by a machine: the five letters of a `generateName`, the hash of a template, a
/// moment, a UUID. Nor does anybody give a name that no object can have.
pub(super) fn looks_generated(name: &str) -> bool {
    if name.len() > NAME_MOST {
        return true;
    }
    name.split(['-', '.', ':', '_']).any(|part| {
        let has_digit = part.bytes().any(|byte| byte.is_ascii_digit());
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        let is_made_up = part.chars().all(|c| MADE_UP.contains(c));
        let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        // A session's id, and whatever else encodes bytes.
        let is_base32 = part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
        match part.len() {
            5 => is_made_up,
            8.. => is_number || (has_digit && (is_made_up || is_hex || (is_base32 && part.len() >= 12))),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_machines_make_are_told_from_those_that_people_give() {
        for made in [
            "checkout-x7k2p",
            "checkout-6d4cf56db6",
            "checkout-6d4cf56db6-x7k2p",
            "backup-29338560",
            "0f3c1a52-7d0b-4b52-9f9e-2b0d3a4c5e6f",
            "s-mfrggzdfmztwq2lk-1796000000",
            "node-20261129",
        ] {
            assert!(looks_generated(made), "{made}");
        }
        assert!(looks_generated(&"a".repeat(254)));
        for given in [
            "checkout",
            "kube-root-ca.crt",
            "payments-db-2",
            "my-leader-election",
            "cert-manager-webhook",
            "v1.metrics.k8s.io",
            "redis-0",
            "team-a-2026",
            "",
        ] {
            assert!(!looks_generated(given), "{given}");
        }
    }
}
