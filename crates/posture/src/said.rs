//! Sentences for people.

use sallyport_model::{clip, visible};

/// With a capital letter at its beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// A name from outside: its hidden characters visible, and not without end.
pub(crate) fn shown(name: &str) -> String {
    clip(&visible(name), 80)
}

/// `1 cluster`, `2 clusters`.
pub(crate) fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
