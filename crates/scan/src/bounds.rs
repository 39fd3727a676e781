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
    /// The most of one page, in bytes of JSON: so much is held as it was sent, for each kind that is being read.
    pub page_bytes: u64,
    /// The most that is sent in all, in bytes of JSON.
    pub all_bytes: u64,
    /// The most that is kept in all, in bytes of memory as far as they can be told.
    pub kept_bytes: u64,
    /// Questions beside each other, whatever they ask; a kind is one of them, page after page.
    pub at_once: usize,
}

impl Default for Bounds {
    /// What a laptop can hold. What is larger or slower is cut, and says so.
    fn default() -> Self {
        Self {
            call: Duration::from_secs(30),
            whole: Duration::from_secs(600),
            page: 500,
            page_bytes: 32 << 20,
            all_bytes: 2 << 30,
            kept_bytes: 512 << 20,
            at_once: 4,
        }
    }
}
