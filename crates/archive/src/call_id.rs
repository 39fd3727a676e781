//! Which call of an archive.

use std::fmt;

/// Which call of the archive; the later it came in, the larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

impl CallId {
    pub(crate) fn new(segment: u32, place: u64) -> Self {
        Self(u64::from(segment) << 32 | (place & u64::from(u32::MAX)))
    }

    /// As it was told before.
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// To be told to others.
    pub fn number(self) -> u64 {
        self.0
    }

    pub(crate) fn segment(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(crate) fn place(self) -> u64 {
        self.0 & u64::from(u32::MAX)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.segment(), self.place())
    }
}
