use std::time::Duration;

/// How much a scan takes in, and for how long.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// For each call, its body included.
    pub call: Duration,
    /// For all of it; what was not read by then is cut.
    pub whole: Duration,
    /// Objects to a page.
    pub page: u32,
    /// The most of one kind, in bytes of JSON.
    pub kind_bytes: u64,
    /// The most of all kinds, in bytes of JSON.
    pub all_bytes: u64,
    /// Kinds that are read beside each other.
    pub at_once: usize,
}

impl Default for Bounds {
    /// What a laptop can hold. What is larger or slower is cut, and says so.
    fn default() -> Self {
        Self {
            call: Duration::from_secs(30),
            whole: Duration::from_secs(600),
            page: 500,
            kind_bytes: 256 << 20,
            all_bytes: 512 << 20,
            at_once: 4,
        }
    }
}
