//! A support bundle: what somebody hands on when they ask for help. It is made of what the window shows anyway, which holds
//! no secret (promise P1), and of the last lines of the log; everything passes the stricter redaction of what leaves this
//! machine, and names of people and clusters are replaced. What was shown is what is written, byte for byte.

mod facts;
mod files;
mod place;

pub(crate) use facts::Facts;

use crate::desk::{AppError, Desk, parse_place};
use sallyport_audit::Names;
use sallyport_ipc::{BundleFile, BundleView, Shown};
use sallyport_model::{ErrorCode, visible};
use sallyport_store::{PlaceError, write_bundle};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Who makes it.
pub(crate) struct Support {
    desk: Arc<Desk>,
    /// The one that was shown last.
    shown: Mutex<Option<BundleView>>,
}

impl Support {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        Self { desk, shown: Mutex::default() }
    }

    /// Makes one and keeps it until the next is made. `names`: with the names of people, groups and clusters.
    ///
    /// # Errors
    /// When the key of the pseudonyms can't be read or kept.
    pub(crate) async fn prepare(&self, facts: &Facts, names: bool) -> Result<BundleView, AppError> {
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(|e| unmade().because(e))?;
        let key = self.desk.prefs.pseudonym_key(fresh).await.map_err(|e| unmade().because(e))?;
        let mut known = Names::new(key, !names);
        facts.name_all(&mut known);
        let (files, redactions) = files::of(facts, &known, names);
        let view = BundleView {
            id: uuid::Uuid::new_v4().to_string(),
            files,
            place: Shown::from(&place::usual(facts.home.as_deref(), facts.at).display().to_string()),
            redactions,
        };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(view.clone());
        Ok(view)
    }

    /// Writes the one that was shown. Answers with its place and how many files it holds.
    ///
    /// # Errors
    /// When another one was shown since, when the place can't be used or something is there, and what the disk said.
    pub(crate) async fn write(&self, bundle: &str, place: &str) -> Result<(PathBuf, usize), AppError> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let view = shown.filter(|view| view.id == bundle).ok_or_else(|| {
            AppError::new(ErrorCode::BadInput, "this bundle is not the one that was shown last")
                .hint("Look at the new one; what you see is what is written.")
        })?;
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let path = parse_place(place, home.as_deref(), place::BUNDLE)?;
        let files: Vec<_> = view.files.iter().map(|file| (file.name.clone(), text(file))).collect();
        let count = files.len();
        write_bundle(&path, files).await.map_err(|error| refused(error, &path))?;
        Ok((path, count))
    }
}

/// The bytes of a file: its lines as they were shown.
fn text(file: &BundleFile) -> String {
    file.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

fn unmade() -> AppError {
    AppError::failed("the support bundle could not be made")
        .hint("Check that the disk is not full, then try again.")
        .retry()
}

fn refused(error: PlaceError, path: &std::path::Path) -> AppError {
    let shown = visible(&path.display().to_string());
    match error {
        PlaceError::Exists => {
            AppError::new(ErrorCode::BadInput, format!("there is something at {shown} already"))
                .hint("Name another file; nothing is written over.")
        }
        PlaceError::Io(_) => AppError::failed(format!("the support bundle could not be written to {shown}"))
            .hint("Check that its folder exists and is yours, and that the disk is not full.")
            .because(error),
    }
}

#[cfg(test)]
mod tests;
