use super::Prefs;
use crate::StoreError;
use sallyport_model::ClusterName;

/// How many are kept.
const KEPT: i64 = 200;

impl Prefs {
    /// The clusters opened last, newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn recents(&self, limit: usize) -> Result<Vec<ClusterName>, StoreError> {
        self.with(move |db| {
            let mut statement =
                db.prepare_cached("SELECT cluster FROM recent ORDER BY at DESC, cluster LIMIT ?")?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            super::names(statement.query_map([limit], |row| row.get(0))?)
        })
        .await
    }

    /// Remembers that a cluster was opened at `at` (Unix seconds).
    ///
    /// # Errors
    /// What the database said.
    pub async fn visited(&self, cluster: ClusterName, at: i64) -> Result<(), StoreError> {
        self.with(move |db| {
            let tx = db.transaction()?;
            tx.execute(
                "INSERT INTO recent (cluster, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
                (cluster.as_str(), at),
            )?;
            tx.execute(
                "DELETE FROM recent WHERE cluster NOT IN (SELECT cluster FROM recent ORDER BY at DESC LIMIT ?)",
                [KEPT],
            )?;
            tx.commit()
        })
        .await
    }
}
