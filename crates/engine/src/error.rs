use std::time::Duration;

/// Why a log store could not be asked, or what it answered can't be used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is nobody to believe that it is the store.
    #[error("no certificate authority to believe: {why}")]
    NoTrust {
        /// Why.
        why: String,
    },
    /// A file that says how to get in can't be used.
    #[error("{what}: {why}")]
    Access {
        /// Which.
        what: String,
        /// Why. Nothing of its content.
        why: String,
    },
    /// It can't be reached.
    #[error("{host} can't be reached: {why}")]
    Unreachable {
        /// Where.
        host: String,
        /// What the network said.
        why: String,
    },
    /// It did not answer in time.
    #[error("{host} did not answer within {} s", .after.as_secs_f32())]
    Slow {
        /// Where.
        host: String,
        /// After how long.
        after: Duration,
    },
    /// It said no.
    #[error("{host} answered {status}{}", said_as(.said))]
    Refused {
        /// Where.
        host: String,
        /// The HTTP status.
        status: u16,
        /// How its answer begins, its hidden characters visible.
        said: String,
        /// When it wants to be asked again.
        again: Option<Duration>,
    },
    /// It said yes, and that it takes nothing of what it was sent.
    #[error("{host} rejected all that it was sent")]
    Rejected {
        /// Where.
        host: String,
    },
    /// What it answered is not what it should be.
    #[error("{host} answered with {why}")]
    Unfit {
        /// Where.
        host: String,
        /// What instead.
        why: String,
    },
    /// It answers with more than is read.
    #[error("{host} answered with more than {most} bytes")]
    TooLarge {
        /// Where.
        host: String,
        /// How many are read.
        most: u64,
    },
    /// What takes OTLP can't be asked.
    #[error("OTLP is a way to hand events on, and nothing can be read that way: name the store itself")]
    NoReading,
    /// It does not count in place.
    #[error("this kind of store is not asked for counts over time")]
    NoCounting,
}

impl EngineError {
    /// Whether it may go better later, with nothing changed here.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Slow { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether it may be said of some of the records that were handed on, so that others would be taken.
    pub fn is_about_records(&self) -> bool {
        matches!(self, Self::Refused { status: 400 | 413 | 422, .. } | Self::Rejected { .. })
    }

    /// Whether the store itself said no to what it was sent, as the one that it was before: not what stands before it, nor
    /// one that was started again.
    pub fn is_its_word(&self) -> bool {
        self.is_about_records() || matches!(self, Self::Refused { status: 401 | 403 | 429, .. })
    }

    /// When it wants to be asked again, if it said so.
    pub fn again(&self) -> Option<Duration> {
        match self {
            Self::Refused { again, .. } => *again,
            _ => None,
        }
    }
}

fn said_as(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}
