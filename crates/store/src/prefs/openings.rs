use super::Prefs;
use crate::StoreError;
use rusqlite::OptionalExtension as _;
use sallyport_model::{ClusterName, ProfileName, Scope, Ttl};

/// How a cluster was opened last: what one click does again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Under which profile.
    pub profile: ProfileName,
    /// Where.
    pub scope: Scope,
    /// For how long.
    pub duration: Ttl,
    /// When, in Unix seconds.
    pub at: i64,
}

impl Prefs {
    /// How the cluster was opened last, if ever.
    ///
    /// # Errors
    /// What the database said.
    pub async fn last_opening(&self, cluster: ClusterName) -> Result<Option<Opening>, StoreError> {
        self.with(move |db| {
            db.query_row(
                "SELECT profile, namespaces, seconds, at FROM opening WHERE cluster = ?",
                [cluster.as_str()],
                |row| {
                    Ok(read(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
                },
            )
            .optional()
            .map(Option::flatten)
        })
        .await
    }

    /// Remembers how the cluster was opened.
    ///
    /// # Errors
    /// What the database said.
    pub async fn remember_opening(&self, cluster: ClusterName, opening: Opening) -> Result<(), StoreError> {
        self.with(move |db| {
            let namespaces: Vec<String> = opening.scope.to_list().iter().map(|n| n.as_str().to_owned()).collect();
            let namespaces = serde_json::to_string(&namespaces).expect("names have a JSON text");
            db.execute(
                "INSERT OR REPLACE INTO opening (cluster, profile, namespaces, seconds, at) VALUES (?, ?, ?, ?, ?)",
                (
                    cluster.as_str(),
                    opening.profile.as_str(),
                    namespaces,
                    opening.duration.as_seconds() as i64,
                    opening.at,
                ),
            )
            .map(|_| ())
        })
        .await
    }
}

/// None for what does not parse: it is asked for anew. A list that lost a name must not shrink to "everywhere".
fn read(profile: &str, namespaces: &str, seconds: i64, at: i64) -> Option<Opening> {
    let names: Vec<String> = serde_json::from_str(namespaces).ok()?;
    let names = names.iter().map(|name| name.parse().ok()).collect::<Option<Vec<_>>>()?;
    Some(Opening {
        profile: profile.parse().ok()?,
        scope: Scope::from_list(names),
        duration: Ttl::seconds(u64::try_from(seconds).ok()?),
        at,
    })
}
