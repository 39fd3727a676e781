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

impl Prefs {
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
