//! Where clusters' audit events come from, and filters of the Audit view that are kept.

use super::Prefs;
use crate::StoreError;
use rusqlite::params;
use sallyport_model::ClusterName;
use std::path::PathBuf;

/// Where one cluster's audit events come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSource {
    /// What it is called in the archive; never given to another source.
    pub id: String,
    /// The cluster whose API servers wrote there.
    pub cluster: ClusterName,
    /// A file, or a folder with all below it.
    pub path: PathBuf,
}

/// A log store that is asked in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditStore {
    /// What it is called; never given to another one.
    pub id: String,
    /// The cluster whose events are asked for; without it those of every cluster that the store names.
    pub cluster: Option<ClusterName>,
    /// What it speaks and where it is: `victorialogs:https://…`. No credential is in it.
    pub address: String,
    /// The tenant; may be empty.
    pub tenant: String,
    /// Which records, in the store's own language; empty for those that name the cluster.
    pub filter: String,
    /// The file that holds what is sent as `Authorization`.
    pub credential: Option<PathBuf>,
    /// A file with authorities to believe beside the system's.
    pub ca: Option<PathBuf>,
}

/// How long clusters' audit events are kept; what was never said is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditKeep {
    /// For how many days.
    pub days: Option<u32>,
    /// In how many bytes.
    pub bytes: Option<u64>,
}

impl Prefs {
    /// How long clusters' audit events are kept.
    ///
    /// # Errors
    /// What the database said.
    pub async fn audit_keep(&self) -> Result<AuditKeep, StoreError> {
        let (days, bytes): (Option<i64>, Option<i64>) = self
            .with(|db| {
                let sql = "SELECT audit_keep_days, audit_keep_bytes FROM setting";
                db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            })
            .await?;
        Ok(AuditKeep {
            days: days.and_then(|days| u32::try_from(days).ok()),
            bytes: bytes.and_then(|bytes| u64::try_from(bytes).ok()),
        })
    }

    /// Says how long.
    ///
    /// # Errors
    /// What the database said.
    pub async fn set_audit_keep(&self, keep: AuditKeep) -> Result<(), StoreError> {
        let bytes = keep.bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        self.with(move |db| {
            let sql = "UPDATE setting SET audit_keep_days = ?, audit_keep_bytes = ?";
            db.execute(sql, params![keep.days, bytes]).map(drop)
        })
        .await
    }

    /// The log stores, by address and cluster.
    ///
    /// # Errors
    /// What the database said.
    pub async fn audit_stores(&self) -> Result<Vec<AuditStore>, StoreError> {
        self.with(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, cluster, address, tenant, filter, credential, ca FROM audit_store ORDER BY address, cluster",
            )?;
            let rows = statement.query_map([], |row| {
                let cluster: String = row.get(1)?;
                let path = |column| row.get::<_, Option<String>>(column).map(|path| path.map(PathBuf::from));
                let store = AuditStore {
                    id: row.get(0)?,
                    cluster: cluster.parse().ok(),
                    address: row.get(2)?,
                    tenant: row.get(3)?,
                    filter: row.get(4)?,
                    credential: path(5)?,
                    ca: path(6)?,
                };
                // A name that was valid once and is not any more does not become every cluster.
                Ok((cluster.is_empty() || store.cluster.is_some()).then_some(store))
            })?;
            rows.filter_map(Result::transpose).collect()
        })
        .await
    }

    /// Keeps a log store; false where it is there already for that cluster.
    ///
    /// # Errors
    /// What the database said.
    pub async fn add_audit_store(&self, store: AuditStore) -> Result<bool, StoreError> {
        self.with(move |db| {
            let text = |path: Option<PathBuf>| path.map(|path| path.to_string_lossy().into_owned());
            let cluster = store.cluster.as_ref().map_or("", ClusterName::as_str);
            let sql =
                "INSERT OR IGNORE INTO audit_store (id, cluster, address, tenant, filter, credential, ca)
                       VALUES (?, ?, ?, ?, ?, ?, ?)";
            let (credential, ca) = (text(store.credential), text(store.ca));
            let row = params![store.id, cluster, store.address, store.tenant, store.filter, credential, ca];
            Ok(db.execute(sql, row)? > 0)
        })
        .await
    }

    /// Forgets a log store; false where there is none of this id.
    ///
    /// # Errors
    /// What the database said.
    pub async fn remove_audit_store(&self, id: String) -> Result<bool, StoreError> {
        self.with(move |db| Ok(db.execute("DELETE FROM audit_store WHERE id = ?", [id])? > 0)).await
    }

    /// The sources, by cluster and path.
    ///
    /// # Errors
    /// What the database said.
    pub async fn audit_sources(&self) -> Result<Vec<AuditSource>, StoreError> {
        self.with(|db| {
            let mut statement =
                db.prepare_cached("SELECT id, cluster, path FROM audit_source ORDER BY cluster, path")?;
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })?;
            let mut out = Vec::new();
            for row in rows {
                let (id, cluster, path) = row?;
                // A name that was valid once and is not any more is no reason to forget the others.
                let cluster = cluster.parse().ok();
                out.extend(cluster.map(|cluster| AuditSource { id, cluster, path: path.into() }));
            }
            Ok(out)
        })
        .await
    }

    /// Keeps a source; false where the same path is one of that cluster already.
    ///
    /// # Errors
    /// What the database said.
    pub async fn add_audit_source(&self, source: AuditSource) -> Result<bool, StoreError> {
        self.with(move |db| {
            let path = source.path.to_string_lossy();
            let sql = "INSERT OR IGNORE INTO audit_source (id, cluster, path) VALUES (?, ?, ?)";
            Ok(db.execute(sql, params![source.id, source.cluster.as_str(), path])? > 0)
        })
        .await
    }

    /// Forgets a source; false where there is none of this id.
    ///
    /// # Errors
    /// What the database said.
    pub async fn remove_audit_source(&self, id: String) -> Result<bool, StoreError> {
        self.with(move |db| Ok(db.execute("DELETE FROM audit_source WHERE id = ?", [id])? > 0)).await
    }

    /// The filters that are kept, each with its name, by their names; what they say is the window's.
    ///
    /// # Errors
    /// What the database said.
    pub async fn audit_filters(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.with(|db| {
            let mut statement =
                db.prepare_cached("SELECT name, filter FROM audit_filter ORDER BY lower(name), name")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
        .await
    }

    /// Keeps a filter, in place of the one of that name; false where there are `most` others.
    ///
    /// # Errors
    /// What the database said.
    pub async fn keep_audit_filter(
        &self,
        name: String,
        filter: String,
        most: usize,
    ) -> Result<bool, StoreError> {
        self.with(move |db| {
            let sql = "INSERT INTO audit_filter (name, filter) SELECT ?1, ?2
                       WHERE (SELECT count(*) FROM audit_filter WHERE name <> ?1) < ?3
                       ON CONFLICT (name) DO UPDATE SET filter = ?2";
            Ok(db.execute(sql, params![name, filter, i64::try_from(most).unwrap_or(i64::MAX)])? > 0)
        })
        .await
    }

    /// Forgets it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget_audit_filter(&self, name: String) -> Result<(), StoreError> {
        self.with(move |db| db.execute("DELETE FROM audit_filter WHERE name = ?", [name]).map(|_| ())).await
    }
}
