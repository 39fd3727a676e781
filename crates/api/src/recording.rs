use sallyport_model::Recording;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the desktop takes down of a session's terminals; the wire form of [`Recording`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RecordingField {
    /// What they show.
    Output,
    /// What they show, and what is typed while a terminal echoes it.
    OutputAndInput,
}

impl From<RecordingField> for Recording {
    fn from(field: RecordingField) -> Self {
        match field {
            RecordingField::Output => Self::Output,
            RecordingField::OutputAndInput => Self::OutputAndInput,
        }
    }
}

impl From<Recording> for RecordingField {
    fn from(recording: Recording) -> Self {
        match recording {
            Recording::Output => Self::Output,
            Recording::OutputAndInput => Self::OutputAndInput,
        }
    }
}
