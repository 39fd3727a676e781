use super::Prefs;
use crate::StoreError;
use rusqlite::Row;
use sallyport_model::{ClusterName, NamespaceName, RequestUid};
use std::path::PathBuf;

/// A session that was opened and not yet proven closed. What the next start finds here it withdraws, removes and
/// reports (P14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// The request on the hub; in solo mode the id the desktop made for it.
    pub request: RequestUid,
    /// The hub's address; empty in solo mode and in notes of versions before this field.
    pub hub: String,
    /// The request's namespace on the hub; in solo mode the namespace of the ServiceAccount.
    pub namespace: NamespaceName,
    /// The request's name; in solo mode the ServiceAccount's.
    pub name: String,
    /// The target.
    pub cluster: ClusterName,
    /// Its private kubeconfig.
    pub kubeconfig: PathBuf,
    /// Whether it was made without a hub.
    pub solo: bool,
    /// When the rights end (Unix seconds, the target's clock), once that is known.
    pub end: Option<i64>,
    /// When it was opened, in Unix seconds.
    pub opened_at: i64,
}

impl Prefs {
    /// Notes a session before anything is made for it; the same request again replaces what was noted. On disk when
    /// this returns.
    ///
    /// # Errors
    /// What the database said: then nothing may be made, as nobody would clean it up.
    pub async fn note_session(&self, session: OpenSession) -> Result<(), StoreError> {
        self.with(move |db| {
            db.execute(
                "INSERT OR REPLACE INTO open_session
                 (request, namespace, name, cluster, kubeconfig, solo, end, opened_at, hub) VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    session.request.as_str(),
                    session.namespace.as_str(),
                    &session.name,
                    session.cluster.as_str(),
                    session.kubeconfig.to_string_lossy(),
                    session.solo,
                    session.end,
                    session.opened_at,
                    session.hub,
                ),
            )
            .map(|_| ())
        })
        .await
    }

    /// Forgets a session that is proven closed.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget_session(&self, request: RequestUid) -> Result<(), StoreError> {
        self.with(move |db| {
            db.execute("DELETE FROM open_session WHERE request = ?", [request.as_str()]).map(|_| ())
        })
        .await
    }

    /// What an earlier run left open, oldest first.
    ///
    /// # Errors
    /// What the database said; a row that does not parse is an error too, as it would stay open unseen.
    pub async fn open_sessions(&self) -> Result<Vec<OpenSession>, StoreError> {
        self.with(|db| {
            let mut statement = db.prepare_cached(
                "SELECT request, namespace, name, cluster, kubeconfig, solo, end, opened_at, hub
                 FROM open_session ORDER BY opened_at, request",
            )?;
            statement.query_map([], read)?.collect()
        })
        .await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<OpenSession> {
    Ok(OpenSession {
        request: RequestUid::new(row.get::<_, String>(0)?),
        namespace: parsed(row, 1)?,
        name: row.get(2)?,
        cluster: parsed(row, 3)?,
        kubeconfig: PathBuf::from(row.get::<_, String>(4)?),
        hub: row.get(8)?,
        solo: row.get(5)?,
        end: row.get(6)?,
        opened_at: row.get(7)?,
    })
}

fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get::<_, String>(column)?.parse().map_err(|error: T::Err| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}
