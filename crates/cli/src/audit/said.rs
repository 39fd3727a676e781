//! Errors with what is behind them, in one line.

use super::stop;
use crate::end::Stop;
use sallyport_store::StoreError;
use std::error::Error;

/// With its causes.
fn caused(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Why a desktop's history could not be read, and what to do.
pub(super) fn said(error: StoreError) -> Stop {
    let hint = match &error {
        StoreError::NoHistory { .. } => {
            ": name Sallyport's data folder (~/.local/share/sallyport unless set otherwise)"
        }
        StoreError::Newer { .. } => ": use the command line of that version",
        _ => "",
    };
    stop(format!("{}{hint}", caused(&error)))
}
