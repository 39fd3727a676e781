//! What is kept of scans, sealed on this computer, and only for whoever scanned: the last two readings of each cluster, what
//! the last one came to, and the list of all of it.

use super::exception::Entry;
use crate::desk::AppError;
use crate::person::Signed;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use sallyport_ipc::PostureDrift;
use sallyport_posture::fleet::Scanned;
use sallyport_posture::practice::Ours;
use sallyport_posture::trend::{POINTS_MOST, Point};
use sallyport_scan::Reading;
use sallyport_vault::{Error as VaultError, Shelf};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

/// What one reading may be, unpacked, in bytes.
const UNPACKED: u64 = 512 << 20;

/// Whose it is: nobody else's scans are shown to whoever signs in at the same hub.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Whose {
    hub: String,
    user: String,
}

impl Whose {
    pub(super) fn of(signed: &Signed) -> Self {
        Self { hub: signed.workspace.as_str().to_owned(), user: signed.who.user.to_string() }
    }

    #[cfg(test)]
    pub(super) fn named(hub: &str, user: &str) -> Self {
        Self { hub: hub.to_owned(), user: user.to_owned() }
    }

    /// A name that no other combination has: no part of one holds a line's end.
    fn name(&self, what: &str, cluster: &str) -> String {
        [self.hub.as_str(), &self.user, what, cluster].join("\n")
    }
}

/// The list of what is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Index {
    /// The clusters, with how each did over time, oldest first.
    pub(super) clusters: BTreeMap<String, Vec<Point>>,
    /// What somebody answers for.
    pub(super) exceptions: Vec<Entry>,
    /// What was begun last: a run that was cut off is gone on with.
    pub(super) run: Option<Begun>,
}

impl Index {
    /// These are to be scanned, beside what is left of a run before; `now` in Unix milliseconds.
    pub(super) fn begin(&mut self, clusters: &[String], now: i64) {
        let run = self.run.get_or_insert_default();
        run.at = now;
        run.left.extend(clusters.iter().cloned());
        run.left.sort();
        run.left.dedup();
    }

    /// One was read and kept, and came to this. Only then is it done: what failed or was given up is left.
    pub(super) fn is_done(&mut self, cluster: &str, point: Point) {
        let points = self.clusters.entry(cluster.to_owned()).or_default();
        points.push(point);
        let over = points.len().saturating_sub(POINTS_MOST);
        points.drain(..over);
        if let Some(run) = &mut self.run {
            run.left.retain(|left| left != cluster);
        }
    }

    /// Nothing is kept of these any more, nor left of them to do.
    pub(super) fn forget(&mut self, clusters: &[String]) {
        self.clusters.retain(|name, _| !clusters.contains(name));
        if let Some(run) = &mut self.run {
            run.left.retain(|left| !clusters.contains(left));
        }
    }
}

/// What the last reading of a cluster came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeptScan {
    pub(super) scanned: Scanned,
    /// How many of its findings each exception is for, by its id.
    pub(super) excepted: BTreeMap<String, u32>,
    /// The team's word for its environment.
    #[serde(default)]
    pub(super) environment: String,
    /// What Sallyport had shown of the cluster by then.
    pub(super) ours: Ours,
    /// What changed since the reading before.
    pub(super) drift: Option<PostureDrift>,
}

/// A run of scans that was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Begun {
    /// When, Unix milliseconds.
    pub(super) at: i64,
    /// Which clusters are not done yet.
    pub(super) left: Vec<String>,
}

/// The shelf, for one person at one hub.
pub(super) struct Kept<'s> {
    pub(super) shelf: &'s Shelf,
    pub(super) whose: &'s Whose,
}

/// Which of the readings of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Last,
    /// The one before.
    Before,
}

impl Which {
    fn word(self) -> &'static str {
        match self {
            Self::Last => "reading",
            Self::Before => "before",
        }
    }
}

impl Kept<'_> {
    /// The list; `None`: there was one that can't be read, which is put aside.
    ///
    /// # Errors
    /// When the disk does not give it now: what is there is not touched.
    pub(super) async fn index(&self) -> Result<Option<Index>, AppError> {
        let name = self.whose.name("index", "");
        match self.shelf.get(&name).await {
            Ok(None) => return Ok(Some(Index::default())),
            Ok(Some(packed)) => {
                if let Ok(index) = unpack(&packed)
                    .and_then(|text| serde_json::from_str(&text).map_err(|e| damaged().because(e)))
                {
                    return Ok(Some(index));
                }
            }
            Err(VaultError::Damaged { .. }) => {}
            Err(error) => {
                return Err(AppError::failed("what is kept of scans can't be read now")
                    .hint("Check the disk, then look again.")
                    .because(error));
            }
        }
        if let Err(error) = self.shelf.set_aside(&name).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a list that can't be read was not put aside"
            );
        }
        Ok(None)
    }

    pub(super) async fn keep_index(&self, index: &Index) -> Result<(), AppError> {
        self.store("index", "", index).await
    }

    pub(super) async fn scanned(&self, cluster: &str) -> Result<Option<KeptScan>, AppError> {
        self.load("scanned", cluster).await
    }

    pub(super) async fn keep_scanned(&self, cluster: &str, scanned: &KeptScan) -> Result<(), AppError> {
        self.store("scanned", cluster, scanned).await
    }

    /// A reading, as it was taken.
    pub(super) async fn reading(&self, cluster: &str, which: Which) -> Result<Option<Reading>, AppError> {
        let Some(packed) = self.get(which.word(), cluster).await? else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || {
            let text = unpack(&packed)?;
            Reading::from_json(&text).map_err(|e| damaged().because(e))
        });
        read.await.map_err(|e| damaged().because(e))?.map(Some)
    }

    /// Keeps a reading as the last one; what was that is the one before.
    pub(super) async fn keep_reading(&self, cluster: &str, reading: &Reading) -> Result<(), AppError> {
        let text = reading.to_json().map_err(|why| not_kept().because(why))?;
        let packed = tokio::task::spawn_blocking(move || pack(text.as_bytes()));
        let packed = packed.await.map_err(|e| not_kept().because(e))?.map_err(|e| not_kept().because(e))?;
        // What can't be read any more is nothing to compare with.
        if let Ok(Some(last)) = self.get(Which::Last.word(), cluster).await {
            self.put(Which::Before.word(), cluster, last).await?;
        }
        self.put(Which::Last.word(), cluster, packed).await
    }

    #[cfg(test)]
    pub(super) async fn damage_reading(&self, cluster: &str) {
        self.put(Which::Last.word(), cluster, b"damaged".to_vec()).await.unwrap();
    }

    /// Deletes all of a cluster.
    pub(super) async fn forget(&self, cluster: &str) -> Result<(), AppError> {
        for what in [Which::Last.word(), Which::Before.word(), "scanned"] {
            self.shelf.remove(&self.whose.name(what, cluster)).await.map_err(|e| {
                AppError::failed(format!("what is kept of {cluster} could not be deleted"))
                    .hint("Check the data directory, then try again.")
                    .because(e)
            })?;
        }
        Ok(())
    }

    async fn load<T: DeserializeOwned>(&self, what: &str, cluster: &str) -> Result<Option<T>, AppError> {
        let Some(packed) = self.get(what, cluster).await? else { return Ok(None) };
        serde_json::from_str(&unpack(&packed)?).map(Some).map_err(|e| damaged().because(e))
    }

    async fn store<T: Serialize>(&self, what: &str, cluster: &str, value: &T) -> Result<(), AppError> {
        let text = serde_json::to_vec(value).map_err(|e| not_kept().because(e))?;
        let packed = pack(&text).map_err(|e| not_kept().because(e))?;
        self.put(what, cluster, packed).await
    }

    async fn get(&self, what: &str, cluster: &str) -> Result<Option<Vec<u8>>, AppError> {
        self.shelf.get(&self.whose.name(what, cluster)).await.map_err(|e| damaged().because(e))
    }

    async fn put(&self, what: &str, cluster: &str, packed: Vec<u8>) -> Result<(), AppError> {
        self.shelf.put(&self.whose.name(what, cluster), packed).await.map_err(|e| not_kept().because(e))
    }
}

fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packing = ZlibEncoder::new(Vec::new(), Compression::fast());
    packing.write_all(bytes)?;
    packing.finish()
}

fn unpack(packed: &[u8]) -> Result<String, AppError> {
    let mut text = String::new();
    let mut unpacking = ZlibDecoder::new(packed).take(UNPACKED);
    unpacking.read_to_string(&mut text).map_err(|e| damaged().because(e))?;
    Ok(text)
}

fn not_kept() -> AppError {
    AppError::failed("what was read could not be kept")
        .hint("Check that the disk is not full, then scan again.")
}

fn damaged() -> AppError {
    AppError::failed("what is kept of a scan was changed or is of another version, so it is not shown")
        .hint("Scan the cluster again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_anything_else_is_an_error() {
        let text = "x".repeat(100_000);
        let packed = pack(text.as_bytes()).unwrap();
        assert!(packed.len() < 1_000);
        assert_eq!(unpack(&packed).unwrap(), text);
        for bad in [&packed[..packed.len() / 2], b"", b"{}", &[0xff; 64]] {
            assert!(unpack(bad).is_err(), "{} bytes", bad.len());
        }
        assert!(unpack(&pack(&[0xff, 0xfe]).unwrap()).is_err(), "no text");
    }

    #[test]
    fn two_people_at_one_hub_have_names_of_their_own() {
        let (dana, lee) = (Whose::named("https://hub", "oidc:dana"), Whose::named("https://hub", "oidc:lee"));
        assert_ne!(dana.name("reading", "c"), lee.name("reading", "c"));
        assert_ne!(dana.name("reading", "c"), dana.name("before", "c"));
    }
}
