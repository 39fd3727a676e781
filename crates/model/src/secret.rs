use std::fmt;
use zeroize::Zeroize;

/// A value that must never be printed: tokens, keys, passwords.
///
/// `Debug` shows `****`, there is no `Display` and no `Serialize`; the memory is wiped on drop. Reading it is a
/// visible act, [`Secret::expose`], so every use can be found with one search (promise P1).
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Whoever calls this takes over the duty not to print or store it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p1_debug_never_shows_the_value() {
        #[derive(Debug)]
        #[allow(dead_code)]
        struct Holder {
            token: Secret<String>,
        }
        let shown = format!("{:?}", Holder { token: Secret::new("eyJhbGciOi".to_owned()) });
        assert!(!shown.contains("eyJ"), "{shown}");
        assert!(shown.contains("****"));
    }
}
