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
    /// The loopback ports of a cluster of the hub at `hub`, and those of all others. A cluster of the same name whose
    /// API server answers elsewhere (`endpoint`) is another.
    ///
    /// # Errors
    /// What the database said.
    pub async fn cluster_ports(
        &self,
        hub: &str,
        cluster: ClusterName,
        endpoint: &str,
    ) -> Result<ClusterPorts, StoreError> {
        let (hub, endpoint) = (hub.to_owned(), endpoint.to_owned());
        self.with(move |db| {
            let mut statement = db.prepare_cached(
                "SELECT port, hub = ? AND cluster = ? AND endpoint = ? FROM cluster_port ORDER BY at DESC, port",
            )?;
            let mut ports = ClusterPorts::default();
            let rows = statement
                .query_map((hub, cluster.as_str(), endpoint), |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                let (port, is_own) = row?;
                if is_own { ports.own.push(port) } else { ports.others.push(port) }
            }
            Ok(ports)
        })
        .await
    }

    /// Remembers that the cluster was served on that port at `at` (Unix seconds).
    ///
    /// # Errors
    /// What the database said; port 0 is none, and one that is another cluster's stays the other's.
    pub async fn keep_cluster_port(
        &self,
        hub: &str,
        cluster: ClusterName,
        endpoint: &str,
        port: u16,
        at: i64,
    ) -> Result<(), StoreError> {
        let (hub, endpoint) = (hub.to_owned(), endpoint.to_owned());
        self.with(move |db| {
            let kept = db.execute(
                "INSERT INTO cluster_port (port, hub, cluster, endpoint, at) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET at = excluded.at
                 WHERE hub = excluded.hub AND cluster = excluded.cluster AND endpoint = excluded.endpoint",
                (port, hub, cluster.as_str(), endpoint, at),
            )?;
            if kept == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(kept)) }
        })
        .await
    }
}
