use serde::{Deserialize, Serialize};
use std::fmt;

/// What the desktop takes down of a session's terminals, where a profile wants that. In order: the later takes down more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Recording {
    /// What they show.
    Output,
    /// What they show, and what is typed while a terminal echoes it.
    OutputAndInput,
}

impl Recording {
    /// Whether what is typed is taken down too.
    pub fn takes_input(self) -> bool {
        self == Self::OutputAndInput
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Output => "what its terminals show",
            Self::OutputAndInput => "what its terminals show and what is typed into them",
        })
    }
}
