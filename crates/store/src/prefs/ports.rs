use super::Prefs;
use crate::StoreError;
use sallyport_model::ClusterName;

/// A cluster's loopback ports, and everybody else's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterPorts {
    /// Those the cluster had, the newest first.
    pub own: Vec<u16>,
    /// Those other clusters had, also ones that are gone: tools keep what they discovered by host and port, so a port
    /// is one cluster's for good.
    pub others: Vec<u16>,
}

impl Prefs {
    /// The loopback ports of a cluster of the hub at `hub`, and those of all others.
    ///
    /// # Errors
    /// What the database said.
    pub async fn cluster_ports(&self, hub: &str, cluster: ClusterName) -> Result<ClusterPorts, StoreError> {
        let hub = hub.to_owned();
        self.with(move |db| {
            let mut statement = db.prepare_cached(
                "SELECT port, hub = ? AND cluster = ? FROM cluster_port ORDER BY at DESC, port",
            )?;
            let mut ports = ClusterPorts::default();
            let rows = statement.query_map((hub, cluster.as_str()), |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                let (port, is_own) = row?;
                if is_own { ports.own.push(port) } else { ports.others.push(port) }
            }
            Ok(ports)
        })
        .await
    }

    /// Remembers that the cluster was served on that port at `at` (Unix seconds). One that is another cluster's stays
    /// the other's.
    ///
    /// # Errors
    /// What the database said; port 0 is none.
    pub async fn keep_cluster_port(
        &self,
        hub: &str,
        cluster: ClusterName,
        port: u16,
        at: i64,
    ) -> Result<(), StoreError> {
        let hub = hub.to_owned();
        self.with(move |db| {
            db.execute(
                "INSERT INTO cluster_port (port, hub, cluster, at) VALUES (?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET at = excluded.at
                 WHERE hub = excluded.hub AND cluster = excluded.cluster",
                (port, hub, cluster.as_str(), at),
            )
            .map(|_| ())
        })
        .await
    }
}
