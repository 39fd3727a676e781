use serde::{Deserialize, Deserializer, Serialize};
use std::{borrow::Borrow, fmt, ops::Deref};
use ts_rs::TS;

/// Text that may have come from outside (a cluster, a request, an identity provider, a file), as a person may see it:
/// characters that hide or reorder others are visible. There is no other way to make one, so a shape that holds it keeps
/// promise P24 by its type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
pub struct Shown(String);

impl Shown {
    /// What has words of its own.
    pub fn of(value: &impl fmt::Display) -> Self {
        Self::from(value.to_string())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from)
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        Self(sallyport_model::visible(text))
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Shown {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Shown> for String {
    fn from(shown: Shown) -> Self {
        shown.0
    }
}

impl Deref for Shown {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Shown {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<Shown> for &str {
    fn eq(&self, other: &Shown) -> bool {
        *self == other.0
    }
}

impl PartialEq<str> for Shown {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Shown {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for Shown {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p24_there_is_no_way_to_make_one_that_hides_something() {
        let odd = "a\u{202e}b\u{0}";
        let made = [Shown::from(odd), Shown::from(odd.to_owned()), Shown::from(&odd.to_owned())];
        let read: Shown = serde_json::from_value(serde_json::json!(odd)).unwrap();
        for shown in made.iter().chain([&read]) {
            assert!(!shown.contains('\u{202e}') && !shown.contains('\u{0}'), "{shown}");
            assert_eq!(Shown::from(shown.as_str()), *shown, "what is visible stays as it is");
        }
        assert_eq!(serde_json::to_value(&made[0]).unwrap(), serde_json::json!(made[0].as_str()));
    }
}
