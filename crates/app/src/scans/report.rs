//! The report of everything that is kept, as one HTML file: the command line's page, of the same readings as the grid.

use super::kept::{Kept, Which};
use super::{Open, Scans};
use crate::desk::{AppError, FileKind, parse_place};
use crate::person::Signed;
use jiff::Timestamp;
use sallyport_audit::{Action, Draft};
use sallyport_ipc::Shown;
use sallyport_model::{ErrorCode, visible};
use sallyport_report::access;
use sallyport_report::exceptions::Excepting;
use sallyport_report::gather::{Beside, Gathered};
use sallyport_report::view::ReportView;
use sallyport_store::{NewFile, PlaceError};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const PAGE: FileKind = FileKind { what: "a page", ending: ".html", example: "posture.html" };

impl Scans {
    /// Writes it to a new file, readable by its owner alone, and answers with its path. Nothing is scanned for it.
    ///
    /// # Errors
    /// When nobody is signed in, the place can't be used or something is there, nothing is kept, what is kept of a cluster can't
    /// be read, and what the disk said.
    pub(crate) async fn report(&self, place: String) -> Result<Shown, AppError> {
        let signed = self.person.signed()?;
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let path = parse_place(&place, home.as_deref(), PAGE)?;
        // Said before all is worked out; what comes there meanwhile is found when it is written.
        if path.symlink_metadata().is_ok() {
            return Err(taken(&path));
        }
        let open = self.open(&signed).await?;
        let (gathered, never) = self.gather(&signed, &open).await?;
        let clusters = gathered.len() as u64;
        let to = path.clone();
        let written = tokio::task::spawn_blocking(move || write(&gathered.html(&never), &to));
        written.await.map_err(|e| unmade().because(e))??;
        let draft = Draft::new(Action::ScanReport).user(&signed.who.user);
        self.history.note(draft.detail("clusters", clusters)).await;
        Ok(Shown::from(&path.display().to_string()))
    }

    /// What the last scan of each cluster says of standing access and of the practices, for an access report; none where nobody is
    /// signed in. One reading is held at a time.
    ///
    /// # Errors
    /// When what is kept of a cluster can't be read: a report without it would look as if there were nothing to say of it.
    pub(crate) async fn access_readings(&self) -> Result<Vec<access::Reading>, AppError> {
        let Some(signed) = self.person.is_signed_in() else { return Ok(Vec::new()) };
        let open = self.open(&signed).await?;
        let clusters: Vec<String> = open.known().index.clusters.keys().cloned().collect();
        let mut readings = Vec::new();
        for cluster in clusters {
            let kept = self.kept(&open).reading(&cluster, Which::Last).await;
            let Some(reading) = kept.map_err(|error| unread(&cluster, error))? else { continue };
            let told = tokio::task::spawn_blocking(move || {
                let judged = ReportView::judge(&reading, &Excepting::none());
                let taken = judged.read.taken.as_deref()?;
                Some(access::Reading::of(&cluster, taken, &reading.snapshot(), &judged.practices))
            });
            readings.extend(told.await.map_err(|e| unmade().because(e))?);
        }
        Ok(readings)
    }

    /// All that is kept, and the clusters that no scan is kept of.
    async fn gather(&self, signed: &Signed, open: &Open) -> Result<(Gathered, Vec<String>), AppError> {
        let now = Timestamp::now();
        let (clusters, excepting) = {
            let known = open.known();
            let clusters: Vec<String> = known.index.clusters.keys().cloned().collect();
            (clusters, super::exception::excepting(&known.index.exceptions, now.as_second()))
        };
        let inventory = self.inventory.scannable(&signed.workspace);
        let mut never: BTreeSet<String> = inventory.into_iter().map(|one| one.name).collect();
        let mut gathered = Gathered::new(excepting, clusters.len(), now);
        for cluster in clusters {
            if signed.stop.is_cancelled() {
                return Err(AppError::new(
                    ErrorCode::Cancelled,
                    "the sign-in ended before the report was made",
                ));
            }
            let kept = open.known().scanned.get(&cluster).cloned();
            let beside = kept.map(|one| Beside {
                ours: one.ours.clone(),
                environment: one.environment.clone(),
                at: one.scanned.at,
            });
            let is_told;
            (gathered, is_told) =
                take_in(&self.kept(open), gathered, &cluster, beside.unwrap_or_default()).await?;
            match is_told {
                true => drop(never.remove(&cluster)),
                false => drop(never.insert(cluster)),
            }
        }
        if gathered.is_empty() {
            return Err(AppError::new(ErrorCode::BadInput, "no scan is kept that could be reported on")
                .hint("Scan a cluster first."));
        }
        Ok((gathered, never.into_iter().collect()))
    }
}

/// Takes a cluster in, and lets go of what was read of it before the next. Answers with whether a reading of it is kept.
async fn take_in(
    kept: &Kept<'_>,
    mut gathered: Gathered,
    cluster: &str,
    beside: Beside,
) -> Result<(Gathered, bool), AppError> {
    let read = kept.reading(cluster, Which::Last).await;
    let Some(reading) = read.map_err(|error| unread(cluster, error))? else {
        return Ok((gathered, false));
    };
    let name = cluster.to_owned();
    let added = tokio::task::spawn_blocking(move || {
        gathered.add(&name, &reading, &beside);
        gathered
    });
    Ok((added.await.map_err(|e| unmade().because(e))?, true))
}

/// A page without it would look as if there were nothing to say of it.
fn unread(cluster: &str, error: AppError) -> AppError {
    AppError::failed(format!("the report can't be made whole: {cluster}: {}", error.message()))
        .hint("Scan that cluster again, or delete what is kept of it.")
        .because(error.message().to_owned())
}

/// Whole or not at all, over nothing that is there, and readable by its owner alone; on disk when this returns.
fn write(text: &str, path: &Path) -> Result<(), AppError> {
    let failed = |error: PlaceError| match error {
        PlaceError::Exists => taken(path),
        PlaceError::Io(error) => {
            AppError::failed(format!("the report could not be written to {}", shown(path)))
                .hint("Check that its folder exists and is yours, and that the disk is not full.")
                .because(error)
        }
    };
    let mut file = NewFile::begin(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(|error| failed(PlaceError::Io(error)))?;
    file.place().map_err(failed)
}

fn shown(path: &Path) -> String {
    visible(&path.display().to_string())
}

fn taken(path: &Path) -> AppError {
    AppError::new(ErrorCode::BadInput, format!("there is something at {} already", shown(path)))
        .hint("Name another file; nothing is written over.")
}

fn unmade() -> AppError {
    AppError::failed("Sallyport failed over what is kept").hint("Try again; if it fails again, report it.")
}

#[cfg(test)]
mod tests {
    use super::super::kept::Whose;
    use super::*;
    use sallyport_scan::{Reading, Whole};
    use sallyport_vault::Shelf;
    use std::os::unix::fs::PermissionsExt as _;

    /// A cluster in which a role with a hostile name gives everything to a group.
    fn reading() -> Reading {
        let dir = tempfile::tempdir().unwrap();
        let name = serde_json::Value::from("<script>alert(1)</script>\u{202e}'\"").to_string();
        let yaml = format!(
            r#"apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {name}}}
rules:
- {{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {name}}}
subjects:
- {{apiGroup: rbac.authorization.k8s.io, kind: Group, name: devs}}
"#
        );
        std::fs::write(dir.path().join("all.yaml"), yaml).unwrap();
        sallyport_scan::folder(dir.path(), &Whole::default()).unwrap()
    }

    #[tokio::test]
    async fn p24_a_page_of_what_is_kept_tells_every_cluster_and_lets_no_name_be_markup() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::in_memory(dir.path());
        let (whose, other) =
            (Whose::named("https://hub", "oidc:dana"), Whose::named("https://hub", "oidc:lee"));
        let kept = Kept { shelf: &shelf, whose: &whose };
        let hostile = "b<img src=x onerror=alert(2)>";
        for cluster in ["payments-prod", hostile] {
            kept.keep_reading(cluster, &reading()).await.unwrap();
        }
        let others = Kept { shelf: &shelf, whose: &other };
        let gathered = Gathered::new(Excepting::none(), 2, Timestamp::now());
        let (gathered, is_told) =
            take_in(&others, gathered, "payments-prod", Beside::default()).await.unwrap();
        assert!(!is_told && gathered.is_empty(), "what somebody else keeps is not told");
        let mut gathered = gathered;
        for cluster in ["payments-prod", hostile] {
            let is_told;
            (gathered, is_told) = take_in(&kept, gathered, cluster, Beside::default()).await.unwrap();
            assert!(is_told);
        }
        let page = gathered.html(&["stage".to_owned()]);
        assert!(page.contains("1 cluster was never scanned."), "what nobody looked at is told");
        for text in ["payments-prod", "b&lt;img", "&lt;script&gt;alert(1)", "group devs"] {
            assert!(page.contains(text), "{text}");
        }
        for text in ["<script", "<img", "\u{202e}"] {
            assert!(!page.contains(text), "{text:?}");
        }
    }

    #[tokio::test]
    async fn p21_a_cluster_whose_reading_is_damaged_is_named_and_no_page_is_made_without_it() {
        let dir = tempfile::tempdir().unwrap();
        let (shelf, whose) = (Shelf::in_memory(dir.path()), Whose::named("https://hub", "oidc:dana"));
        let kept = Kept { shelf: &shelf, whose: &whose };
        kept.damage_reading("payments-prod").await;
        let gathered = Gathered::new(Excepting::none(), 1, Timestamp::now());
        let error = take_in(&kept, gathered, "payments-prod", Beside::default()).await.unwrap_err();
        assert!(error.message().contains("payments-prod"), "{}", error.message());
    }

    #[test]
    fn a_report_is_its_owners_alone_and_is_written_over_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("posture.html");
        write("<p>", &path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "<p>");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let link = dir.path().join("link.html");
        std::os::unix::fs::symlink(dir.path().join("nowhere"), &link).unwrap();
        for there in [&path, &link, &dir.path().to_owned()] {
            let error = write("another", there).unwrap_err();
            assert_eq!(error.code(), ErrorCode::BadInput, "{}", error.message());
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "<p>", "what was there is there still");
        assert!(!dir.path().join("nowhere").exists());
        let error = write("x", &dir.path().join("no-folder/a.html")).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Failed);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing half is left");
    }
}
