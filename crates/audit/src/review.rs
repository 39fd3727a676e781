//! An access review, as an entry says it: whose access somebody looked at, over which time, and what came of it.

use crate::{Action, Draft, Entry, Outcome};
use sallyport_model::{ClusterName, UserName};

/// The most characters of what somebody says beside it.
pub const NOTE_MOST: usize = 1000;

/// What was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reviewed {
    /// What one person did, by their name.
    Person(UserName),
    /// What was done on one cluster.
    Cluster(ClusterName),
    /// What people hold on one cluster whatever anybody asks for.
    Standing(ClusterName),
}

impl Reviewed {
    /// `person`, `cluster`, `standing`: the stable word in an entry.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Cluster(_) => "cluster",
            Self::Standing(_) => "standing",
        }
    }

    /// Of whom, or of where.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(name) => name.as_str(),
            Self::Cluster(name) | Self::Standing(name) => name.as_str(),
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It is right as it is.
    Kept,
    /// Something of it is to go. Nothing is removed by the word.
    ToBeRemoved,
}

impl Ruling {
    /// The stable word in an entry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::ToBeRemoved => "to_be_removed",
        }
    }
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Of what.
    pub of: Reviewed,
    /// From when on, in microseconds of Unix time; none: from the beginning of what is kept.
    pub from: Option<i64>,
    /// Before when.
    pub to: i64,
    /// What came of it.
    pub ruling: Ruling,
    /// What the reviewer says beside it, redacted as it was kept; may be empty.
    pub note: String,
}

impl Review {
    /// The entry of it, by whoever reviewed.
    pub fn draft(&self, by: &UserName) -> Draft {
        let draft = Draft::new(Action::AccessReviewed).user(by).detail("reviewed", self.of.kind());
        let draft = match &self.of {
            Reviewed::Person(name) => draft.detail("for", name.as_str()),
            Reviewed::Cluster(cluster) | Reviewed::Standing(cluster) => draft.cluster(cluster),
        };
        let draft = match self.from {
            Some(from) => draft.detail("from", from),
            None => draft,
        };
        let draft = draft.detail("to", self.to).detail("ruling", self.ruling.as_str());
        if self.note.is_empty() { draft } else { draft.detail("note", &self.note) }
    }

    /// What an entry says; none where it is no review, was refused, or says of less than a review needs.
    pub fn of(entry: &Entry) -> Option<Self> {
        if entry.action != Action::AccessReviewed || entry.outcome != Outcome::Ok {
            return None;
        }
        let text = |key: &str| entry.detail.text(key);
        let moment = |key: &str| entry.detail.get(key).and_then(serde_json::Value::as_i64);
        let cluster = || entry.cluster.clone();
        let of = match text("reviewed")? {
            "person" => Reviewed::Person(text("for")?.parse().ok()?),
            "cluster" => Reviewed::Cluster(cluster()?),
            "standing" => Reviewed::Standing(cluster()?),
            _ => return None,
        };
        let ruling = match text("ruling")? {
            "kept" => Ruling::Kept,
            "to_be_removed" => Ruling::ToBeRemoved,
            _ => return None,
        };
        let note = text("note").unwrap_or_default().to_owned();
        Some(Self { of, from: moment("from"), to: moment("to")?, ruling, note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(of: Reviewed) -> Review {
        Review {
            of,
            from: Some(5),
            to: 9,
            ruling: Ruling::ToBeRemoved,
            note: "moved to another team".to_owned(),
        }
    }

    #[test]
    fn a_review_is_read_back_from_its_entry() {
        let by: UserName = "oidc:lee".parse().unwrap();
        for of in [
            Reviewed::Person("oidc:dana".parse().unwrap()),
            Reviewed::Cluster("eu-1".parse().unwrap()),
            Reviewed::Standing("eu-1".parse().unwrap()),
        ] {
            let said = review(of);
            let entry = said.draft(&by).place(1, 20);
            assert_eq!(Review::of(&entry), Some(said.clone()));
            assert_eq!(entry.user.as_ref(), Some(&by));
            let plain = Review { from: None, note: String::new(), ruling: Ruling::Kept, ..said };
            assert_eq!(Review::of(&plain.draft(&by).place(1, 20)), Some(plain));
        }
    }

    #[test]
    fn p20_a_note_is_kept_without_its_secrets_and_a_name_as_it_is() {
        let of = Reviewed::Person("oidc:dana".parse().unwrap());
        let note = "Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkYW5hIn0.c2lnbmF0dXJlc2lnbmF0dXJl";
        let entry =
            Review { note: note.to_owned(), ..review(of.clone()) }.draft(&"lee".parse().unwrap()).place(1, 1);
        assert!(!entry.detail.to_json().contains("eyJzdWIi"), "{}", entry.detail.to_json());
        assert!(entry.redactions > 0);
        assert_eq!(Review::of(&entry).map(|one| one.of), Some(of));
    }

    #[test]
    fn what_says_less_than_a_review_is_none() {
        let by: UserName = "lee".parse().unwrap();
        let good = || review(Reviewed::Person("dana".parse().unwrap())).draft(&by);
        let refused = good().outcome(Outcome::Refused).place(1, 1);
        let of = |draft: Draft| Review::of(&draft.place(1, 1));
        assert!(of(good()).is_some());
        assert_eq!(Review::of(&refused), None);
        assert_eq!(of(Draft::new(Action::AccessReviewed)), None);
        for (key, bad) in
            [("reviewed", "all"), ("reviewed", "cluster"), ("ruling", "maybe"), ("for", ""), ("to", "9")]
        {
            assert_eq!(of(good().detail(key, bad)), None, "{key} {bad}");
        }
    }
}
