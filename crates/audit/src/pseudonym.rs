//! Names of people and clusters under other names: the same for the same name under the same key, and telling nobody else
//! which it was. A bare digest would: who guesses a name could look it up.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;

/// How many letters of its digest a pseudonym has: 40 bits.
const LETTERS: usize = 8;
/// The shortest text that is looked for.
const SHORTEST: usize = 2;

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person: `person-3kq7x2ab`.
    Person,
    /// A group of people: `group-3kq7x2ab`.
    Group,
    /// A cluster: `cluster-3kq7x2ab`.
    Cluster,
    /// What somebody wrote, which is left out: `[words]`.
    Words,
    /// The person's home directory: `~`.
    Home,
}

/// What is known by name, and what stands in its place.
pub struct Names {
    key: [u8; 32],
    known: BTreeMap<String, Kind>,
    hides_names: bool,
}

impl Names {
    /// Under a key. `hides_names`: whether people, groups and clusters get other names; words and the home directory do in any
    /// case.
    pub fn new(key: [u8; 32], hides_names: bool) -> Self {
        Self { key, known: BTreeMap::new(), hides_names }
    }

    /// Learns one. Of what is empty or a single letter nothing would be left of any text.
    pub fn learn(&mut self, kind: Kind, name: &str) {
        let name = name.trim();
        let is_hidden = self.hides_names || matches!(kind, Kind::Words | Kind::Home);
        if is_hidden && name.len() >= SHORTEST {
            self.known.entry(name.to_owned()).or_insert(kind);
        }
    }

    /// A name as it is told.
    pub fn told(&self, kind: Kind, name: &str) -> String {
        if self.hides_names { self.instead(kind, name) } else { name.to_owned() }
    }

    fn instead(&self, kind: Kind, name: &str) -> String {
        let word = match kind {
            Kind::Person => "person",
            Kind::Group => "group",
            Kind::Cluster => "cluster",
            Kind::Words => return "[words]".to_owned(),
            Kind::Home => return "~".to_owned(),
        };
        let mut digest =
            <Hmac<Sha256> as Mac>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        digest.update(word.as_bytes());
        digest.update(&[0]);
        digest.update(name.as_bytes());
        let digest = BASE32_NOPAD.encode(&digest.finalize().into_bytes()).to_ascii_lowercase();
        format!("{word}-{}", &digest[..LETTERS])
    }

    /// A text with everything that is known replaced, the longest first; and, where names are hidden, all that looks like an
    /// address of mail.
    pub fn applied(&self, text: &str) -> String {
        let mut known: Vec<(&String, &Kind)> =
            self.known.iter().filter(|(name, _)| text.contains(name.as_str())).collect();
        known.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let mut out = text.to_owned();
        for (name, kind) in known {
            out = replaced(&out, name, &self.instead(*kind, name));
        }
        if self.hides_names { self.without_addresses(&out) } else { out }
    }

    fn without_addresses(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('@') {
            let start = rest[..at]
                .rfind(|c| !is_of_address(c))
                .map_or(0, |p| p + rest[p..].chars().next().map_or(1, char::len_utf8));
            let end = rest[at + 1..].find(|c| !is_of_address(c)).map_or(rest.len(), |p| at + 1 + p);
            if start == at || end == at + 1 {
                out.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
                continue;
            }
            out.push_str(&rest[..start]);
            out.push_str(&self.instead(Kind::Person, &rest[start..end]));
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }
}

fn is_of_address(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | ':')
}

/// Whether two letters belong to one word.
fn joins(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// `name` as a word of its own, replaced wherever it stands.
fn replaced(text: &str, name: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, found) in text.match_indices(name) {
        let end = at + found.len();
        let inside = text[..at].chars().next_back().is_some_and(joins) && name.starts_with(joins)
            || text[end..].chars().next().is_some_and(joins) && name.ends_with(joins);
        if inside {
            continue;
        }
        out.push_str(&text[done..at]);
        out.push_str(by);
        done = end;
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(hides: bool) -> Names {
        let mut names = Names::new([7; 32], hides);
        names.learn(Kind::Person, "oidc:dana@example.test");
        names.learn(Kind::Cluster, "payments-eu-1");
        names.learn(Kind::Cluster, "payments");
        names.learn(Kind::Words, "laptop stolen");
        names.learn(Kind::Home, "/home/dana");
        names.learn(Kind::Cluster, "");
        names
    }

    #[test]
    fn the_same_name_is_the_same_pseudonym_and_another_key_makes_another() {
        let (names, text) =
            (names(true), "payments-eu-1 said no; payments-eu-1.k8s.example is payments, not payments-eu-10");
        let told = names.applied(text);
        let eu = names.told(Kind::Cluster, "payments-eu-1");
        assert!(eu.starts_with("cluster-") && eu.len() == "cluster-".len() + LETTERS, "{eu}");
        assert_eq!(told.matches(&eu).count(), 2, "{told}");
        assert!(
            told.contains(&names.told(Kind::Cluster, "payments")) && told.ends_with("not payments-eu-10"),
            "{told}"
        );
        assert_ne!(eu, Names::new([8; 32], true).told(Kind::Cluster, "payments-eu-1"));
        assert_ne!(
            names.told(Kind::Person, "a").split_once('-').unwrap().1,
            names.told(Kind::Cluster, "a").split_once('-').unwrap().1
        );
    }

    #[test]
    fn people_are_hidden_also_those_nobody_told_of() {
        let told =
            names(true).applied("approved by oidc:lee@example.test for oidc:dana@example.test (é@x) @ 12:00");
        assert!(!told.contains("lee") && !told.contains("dana") && told.ends_with("@ 12:00"), "{told}");
        assert_eq!(told.matches("person-").count(), 3, "{told}");
    }

    #[test]
    fn with_names_only_words_and_the_home_directory_are_hidden() {
        let told =
            names(false).applied("oidc:dana@example.test on payments-eu-1: laptop stolen, see /home/dana/x");
        assert_eq!(told, "oidc:dana@example.test on payments-eu-1: [words], see ~/x");
    }
}
