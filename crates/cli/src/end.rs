use std::fmt;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing to fail on.
    Good,
    /// Something was found, or the answer is no.
    Found,
    /// It could not be answered.
    Unanswered,
    /// A change was made in part, or may have been made.
    InPart,
}

impl From<End> for std::process::ExitCode {
    fn from(end: End) -> Self {
        Self::from(match end {
            End::Good => 0,
            End::Found => 1,
            End::Unanswered => 2,
            End::InPart => 3,
        })
    }
}

/// Why there is no answer: a sentence for the person, its hidden characters visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop(pub(crate) String);

impl Stop {
    pub(crate) fn new(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}
