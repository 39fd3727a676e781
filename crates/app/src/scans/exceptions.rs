//! What somebody answers for: said, taken back, and what it was for judged anew.

use super::exception::{About, Entry, last_moment, parse};
use super::kept::Kept;
use super::{Beside, Known, Open, Scans, Since};
use crate::desk::{AppError, now_ms};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sallyport_audit::{Action, Draft};
use sallyport_ipc::{ExceptionInput, ExceptionView, Shown};
use sallyport_model::{ErrorCode, glob_matches};
use sallyport_posture::Ground;
use sallyport_posture::check::catalogue;
use std::sync::Arc;

/// All of them, for the window. `now`: Unix seconds.
pub(super) fn views(known: &Known, now: i64) -> Vec<ExceptionView> {
    let view = |entry: &Entry| {
        let id = entry.id();
        let until = last_moment(&entry.until).unwrap_or_default();
        let title = catalogue().iter().find(|check| check.id == entry.check).map_or("", |check| check.title);
        ExceptionView {
            check: entry.check.as_str().into(),
            title: title.into(),
            clusters: entry.cluster.as_str().into(),
            about: entry.subject.as_ref().or(entry.object.as_ref()).map(Shown::from),
            owner: entry.owner.as_str().into(),
            reason: entry.reason.as_str().into(),
            until: until.saturating_mul(1000),
            is_expired: until < now,
            matches: known.scanned.values().filter_map(|one| one.excepted.get(&id)).sum(),
            id,
        }
    };
    known.index.exceptions.iter().map(view).collect()
}

impl Scans {
    /// Says who answers for something that was found, why, and until when.
    ///
    /// # Errors
    /// When nobody is signed in, something of it is missing, or the finding is not there any more.
    pub(crate) async fn except(&self, exception: ExceptionInput) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        let day = Timestamp::from_millisecond(exception.until)
            .map_err(|_| bad("the end is no moment", "Choose a day within a year."))?
            .to_zoned(TimeZone::UTC)
            .date();
        let about = match &exception.finding {
            Some(finding) => self.about(&open, &exception.clusters, finding).await?,
            None => About::default(),
        };
        let entry = Entry {
            check: exception.check,
            cluster: exception.clusters,
            subject: about.subject,
            object: about.object,
            severity: about.severity,
            namespaces: about.namespaces,
            owner: exception.owner,
            reason: exception.reason,
            until: day.to_string(),
        };
        let now = now_ms() / 1000;
        let _one = open.keeping.lock().await;
        self.change_index(&open, |index| {
            let all = &mut index.exceptions;
            // The same once more takes the place of what was there: its end, its owner or its reason is another.
            all.retain(|one| one.id() != entry.id());
            all.push(entry.clone());
            parse(all, now).map(drop).map_err(|error| {
                AppError::new(ErrorCode::BadInput, format!("this is no exception: {}", error.what))
                    .hint("It takes an owner, a reason, and an end within a year.")
            })
        })
        .await?;
        let draft = Draft::new(Action::Excepted).user(&signed.who.user);
        let draft = draft.detail("check", &entry.check).detail("clusters", &entry.cluster);
        self.history.note(draft.detail("owner", &entry.owner).detail("until", &entry.until)).await;
        self.judge_anew(&open, &entry).await;
        Ok(())
    }

    /// Takes an exception back.
    ///
    /// # Errors
    /// When nobody is signed in, or there is none such.
    pub(crate) async fn except_remove(&self, exception: String) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        let _one = open.keeping.lock().await;
        let found = open.known().index.exceptions.iter().find(|one| one.id() == exception).cloned();
        let entry =
            found.ok_or_else(|| bad("there is no such exception", "It may have been removed already."))?;
        self.change_index(&open, |index| {
            index.exceptions.retain(|one| one.id() != exception);
            Ok(())
        })
        .await?;
        let draft = Draft::new(Action::Excepted).user(&signed.who.user).detail("removed", true);
        self.history.note(draft.detail("check", &entry.check).detail("clusters", &entry.cluster)).await;
        self.judge_anew(&open, &entry).await;
        Ok(())
    }

    /// Whom and what the finding is about, on a cluster that the glob covers.
    async fn about(&self, open: &Open, clusters: &str, finding: &str) -> Result<About, AppError> {
        let names: Vec<String> = {
            let known = open.known();
            let has =
                |one: &super::KeptScan| one.scanned.lines.iter().any(|line| line.fingerprint == finding);
            // Of one cluster that is named, also what is not among the worst that are kept of each.
            let is_named = |name: &String| name == clusters;
            let covered = known
                .scanned
                .iter()
                .filter(|(name, one)| is_named(name) || (glob_matches(clusters, name) && has(one)));
            covered.map(|(name, _)| name.clone()).collect()
        };
        for name in names {
            let (reading, finding) = (self.reading(open, &name).await?, finding.to_owned());
            let looked = tokio::task::spawn_blocking(move || {
                let snapshot = reading.snapshot();
                let report = Ground::new(&snapshot).report();
                let mut all = report.checks.iter().flat_map(|judged| &judged.findings);
                all.find(|one| one.fingerprint() == finding).map(About::of)
            });
            if let Ok(Some(about)) = looked.await {
                return Ok(about);
            }
        }
        Err(bad("the last scans do not find this on any of these clusters", "Look at it again."))
    }

    /// Counts anew what an exception is about, on every cluster that it names. Whoever calls holds `keeping`.
    async fn judge_anew(&self, open: &Open, entry: &Entry) {
        let of: Vec<String> = {
            let known = open.known();
            known.scanned.keys().filter(|name| glob_matches(&entry.cluster, name)).cloned().collect()
        };
        for cluster in of {
            // What stands stands: one that can't be judged keeps none of the others from it, and is told of.
            if let Err(error) = self.judge_again(open, &cluster).await {
                open.known().problems.push(format!("{cluster}: {}", error.message()));
            }
        }
        self.changed.notify_one();
    }

    /// Judges the last reading of a cluster anew. Whoever calls holds `keeping`.
    async fn judge_again(&self, open: &Open, cluster: &str) -> Result<(), AppError> {
        let Some(last) = open.known().scanned.get(cluster).cloned() else { return Ok(()) };
        let kept = Kept { shelf: &self.shelf, whose: &open.whose };
        let Some(reading) = kept.reading(cluster, super::kept::Which::Last).await? else { return Ok(()) };
        let beside = Beside {
            environment: last.environment.clone(),
            ours: last.ours.clone(),
            at: last.scanned.at.unwrap_or_default(),
        };
        let since = Since::AsItWas(last.drift.clone());
        let (judged, _) = self.judged(open, cluster, reading, beside, since).await?;
        self.keep_judged(open, cluster, judged).await
    }

    /// An exception that has ended hides nothing any more: what it was for is judged anew when somebody looks.
    pub(super) async fn judge_what_ended(&self, open: &Open) {
        let now = now_ms() / 1000;
        let ended = |known: &Known| {
            let over = |entry: &&Entry| last_moment(&entry.until).is_none_or(|until| until < now);
            let over: Vec<String> = known.index.exceptions.iter().filter(over).map(Entry::id).collect();
            let hidden = |one: &super::KeptScan| over.iter().any(|id| one.excepted.contains_key(id));
            let clusters = known.scanned.iter().filter(|(_, one)| hidden(one)).map(|(name, _)| name.clone());
            clusters.collect::<Vec<String>>()
        };
        if ended(&open.known()).is_empty() {
            return;
        }
        let _one = open.keeping.lock().await;
        let clusters = ended(&open.known());
        for cluster in clusters {
            let judged = self.judge_again(open, &cluster).await;
            let mut known = open.known();
            if let Err(error) = judged {
                known.problems.push(format!("{cluster}: {}", error.message()));
            }
            // What can't be judged is told once, and not tried at every look.
            if ended(&known).contains(&cluster)
                && let Some(one) = known.scanned.get_mut(&cluster)
            {
                Arc::make_mut(one).excepted.clear();
            }
        }
    }
}

fn bad(what: &str, next: &str) -> AppError {
    AppError::new(ErrorCode::BadInput, what).hint(next)
}
