//! Log stores as sources: named, tried, and counted in place.

use super::super::Evidence;
use super::super::filter::{Both, bad};
use super::super::saved::unkept;
use super::super::sources::{MOST, place as path_of};
use super::seen::{Question, engine};
use super::{For, Said, host, wanted};
use crate::desk::AppError;
use sallyport_archive::{Column, Filter};
use sallyport_audit::{Action, Draft};
use sallyport_engine::{EngineError, Kind, Steps, Target};
use sallyport_ipc::{Event, HistogramView, Shown, StoreDraft, StoreLacks, TimelineFilter};
use sallyport_model::{ClusterName, visible};
use sallyport_store::AuditStore;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The longest address, tenant or filter, in bytes.
const TEXT_MOST: usize = 2000;
/// How long counts may take.
const COUNTS: Duration = Duration::from_secs(3);
/// What each event that ends a call says.
const ENDS: [&str; 2] = ["ResponseComplete", "Panic"];

impl Evidence {
    pub(crate) async fn store_add(self: &Arc<Self>, store: StoreDraft) -> Result<(), AppError> {
        let store = parsed(store)?;
        // Files are read and the way there is made ready; nobody is asked yet.
        let (tried, asked) = (store.clone(), tokio::task::spawn_blocking);
        let ready = asked(move || engine(&tried).map(|_| ())).await;
        let ready = ready.map_err(|e| AppError::failed("the store was not looked at").because(e))?;
        ready.map_err(|error| {
            bad(error.to_string()).hint(
                "A credential is a file with one line: a bearer token, or `Basic …`; authorities are PEM.",
            )
        })?;
        if self.desk.prefs.audit_stores().await.map_err(unkept)?.len() >= MOST {
            return Err(bad(format!("{MOST} log stores are kept already")));
        }
        if !self.desk.prefs.add_audit_store(store.clone()).await.map_err(unkept)? {
            return Err(bad("this store is named already"));
        }
        let draft = Draft::new(Action::SettingsChanged).detail("setting", "audit log store");
        let draft = draft.detail("address", &store.address).detail("source", &store.id);
        let draft = store.cluster.iter().fold(draft, |draft, cluster| draft.cluster(cluster));
        self.history.note(draft).await;
        self.desk.host.tell(Event::EvidenceChanged);
        tokio::spawn(self.clone().try_store(store));
        Ok(())
    }

    /// Asks a store for its newest records, so that its state is known; what was seen of it before is forgotten.
    pub(in crate::evidence) async fn try_store(self: Arc<Self>, store: AuditStore) {
        self.stores.forget(&store.id);
        let Some(words) = wanted(&store, &TimelineFilter::default(), &[]) else { return };
        let question = Question { store, wanted: words, from: None, to: None };
        let place = self.stores.place(For::Timeline, question);
        let asked = self.clone().ask_store(place, |seen| {
            let page = seen.page(&Filter::default().ended(), None, 1)?;
            Ok(Said { what: (), failed: page.why.filter(|_| page.has_failed) })
        });
        // What became of it is its state.
        let _ = asked.await;
        self.desk.host.tell(Event::EvidenceChanged);
    }

    /// Adds what stores count themselves to what is counted here. What both have is counted once where it is known to be
    /// the same cluster's: the larger number stands.
    pub(in crate::evidence) async fn stores_counted(
        &self,
        both: &Both,
        filter: &TimelineFilter,
        accounts: &[String],
        out: &mut HistogramView,
    ) -> Result<(), AppError> {
        let Some(calls) = &both.calls else { return Ok(()) };
        for store in self.desk.prefs.audit_stores().await.map_err(unkept)? {
            let Some(mut words) = wanted(&store, filter, accounts) else { continue };
            words.also.push(ENDS.map(str::to_owned).to_vec());
            let name = Shown::from(host(&store));
            let steps = Steps {
                from: out.from_us.saturating_mul(1000),
                step: out.step_us.max(1).saturating_mul(1000),
                many: out.bins.len(),
            };
            let cluster = store.cluster.clone();
            let counting = async {
                let made = tokio::task::spawn_blocking(move || engine(&store)).await;
                let engine = made.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
                match engine.counts(&steps, &words).await {
                    Ok(counts) => Ok(counts),
                    Err(EngineError::NoCounting) => Err("is not asked for numbers over time".to_owned()),
                    Err(error) => Err(error.to_string()),
                }
            };
            let counted = tokio::time::timeout(COUNTS, counting).await;
            let counts = match counted.unwrap_or_else(|_| Err("took too long to count".to_owned())) {
                Ok(counts) => counts,
                Err(why) => {
                    let why = Shown::from(sallyport_model::clip(&why, 500));
                    out.lacks.stores.push(StoreLacks {
                        store: name,
                        why,
                        before_us: None,
                        is_pending: false,
                        has_failed: false,
                    });
                    continue;
                }
            };
            let here = match cluster {
                Some(cluster) => calls.clone().only(Column::Cluster, cluster.as_str()),
                None => calls.clone(),
            };
            let (from, step, bins) = (out.from_us, out.step_us, out.bins.len());
            let asked = self
                .ask("counted", move |archive, bounds| archive.histogram(&here, from, step, bins, bounds));
            let here = asked.await.ok().flatten().map(|answer| answer.value.calls).unwrap_or_default();
            for (place, (bin, count)) in out.bins.iter_mut().zip(counts).enumerate() {
                let more = count.saturating_sub(here.get(place).copied().unwrap_or(0));
                bin.calls = bin.calls.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
            }
        }
        Ok(())
    }
}

/// A store as a person names it.
fn parsed(draft: StoreDraft) -> Result<AuditStore, AppError> {
    let text = |what: &str, text: Option<String>| {
        let text = text.unwrap_or_default().trim().to_owned();
        match visible(&text) == text && text.len() <= TEXT_MOST {
            true => Ok(text),
            false => Err(bad(format!("the {what} holds characters that are not seen, or is too long"))),
        }
    };
    let address = text("address", Some(draft.address))?;
    let target: Target = address.parse().map_err(|e: sallyport_engine::TargetError| bad(e.to_string()))?;
    if target.kind() == Kind::Otlp {
        return Err(bad("OTLP is a way to hand events on, and can't be asked")
            .hint("Name the store itself: victorialogs:https://… or loki:https://…"));
    }
    let cluster = text("cluster", draft.cluster)?;
    let cluster = match cluster.as_str() {
        "" => None,
        name => Some(name.parse::<ClusterName>().map_err(|e| bad(e.to_string()))?),
    };
    let file = |what: &str, path: Option<String>| -> Result<Option<PathBuf>, AppError> {
        let path = text(what, path)?;
        match path.is_empty() {
            true => Ok(None),
            false => path_of(&path, std::env::home_dir().as_deref()).map(Some),
        }
    };
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(|e| AppError::failed("no id could be drawn").because(e))?;
    Ok(AuditStore {
        id: format!("logs-{:08x}", u32::from_be_bytes(random)),
        cluster,
        // As it is written from now on, so that the same one is known again.
        address: target.to_string(),
        tenant: text("tenant", draft.tenant)?,
        filter: text("filter", draft.filter)?,
        credential: file("path of the credential's file", draft.authorization_file)?,
        ca: file("path of the authorities' file", draft.ca_file)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut StoreDraft)) -> String {
        let mut draft = StoreDraft { address: "loki:https://logs.example".into(), ..StoreDraft::default() };
        change(&mut draft);
        parsed(draft).unwrap_err().message().to_owned()
    }

    #[test]
    fn p1_a_store_is_named_without_a_credential_and_by_characters_that_are_seen() {
        assert!(
            refused(|d| d.address = "loki:https://dana:secret@logs.example".into()).contains("credential")
        );
        assert!(refused(|d| d.address = "loki:http://logs.example".into()).contains("https"));
        assert!(refused(|d| d.address = "otlp:https://logs.example".into()).contains("OTLP"));
        assert!(refused(|d| d.address = format!("loki:https://{}", "x".repeat(3000))).contains("too long"));
        assert!(refused(|d| d.filter = Some("{a=\"\u{202e}\"}".into())).contains("not seen"));
        assert!(refused(|d| d.cluster = Some("Not A Name".into())).len() > 3);
        assert!(refused(|d| d.authorization_file = Some("token".into())).contains("whole path"));
        let store = parsed(StoreDraft {
            address: " victorialogs:https://logs.example:9428 ".into(),
            authorization_file: Some("/etc/token".into()),
            ..StoreDraft::default()
        })
        .unwrap();
        assert_eq!(
            (store.cluster, store.address.as_str()),
            (None, "victorialogs:https://logs.example:9428/")
        );
    }
}
