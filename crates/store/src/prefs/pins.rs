use super::Prefs;
use crate::StoreError;
use sallyport_model::ClusterName;

impl Prefs {
    /// The pinned clusters, in the order they were put.
    ///
    /// # Errors
    /// What the database said.
    pub async fn pins(&self) -> Result<Vec<ClusterName>, StoreError> {
        self.with(|db| {
            let mut statement = db.prepare_cached("SELECT cluster FROM pin ORDER BY place, cluster")?;
            super::names(statement.query_map([], |row| row.get(0))?)
        })
        .await
    }

    /// Pins a cluster after the others; a pinned one keeps its place.
    ///
    /// # Errors
    /// What the database said.
    pub async fn pin(&self, cluster: ClusterName) -> Result<(), StoreError> {
        self.with(move |db| {
            db.execute(
                "INSERT INTO pin (cluster, place) SELECT ?, coalesce(max(place), 0) + 1 FROM pin WHERE 1
                 ON CONFLICT DO NOTHING",
                [cluster.as_str()],
            )
            .map(|_| ())
        })
        .await
    }

    /// Unpins a cluster, if it is pinned.
    ///
    /// # Errors
    /// What the database said.
    pub async fn unpin(&self, cluster: ClusterName) -> Result<(), StoreError> {
        self.with(move |db| db.execute("DELETE FROM pin WHERE cluster = ?", [cluster.as_str()]).map(|_| ()))
            .await
    }
}
