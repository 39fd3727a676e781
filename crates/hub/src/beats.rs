//! Brokers' signs of life: a Lease for each, named as its cluster, as nodes keep them. Few bytes to renew and to list, so that
//! nobody has to watch them. Nothing but the broker's being alive stands there.

use crate::Hub;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
    client::Body,
    core::Status,
};
use sallyport_api::BROKERS_NAMESPACE;
use sallyport_client::{Fault, fault, http_date, within};
use sallyport_model::{ClusterName, clip, visible};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::time::Duration;

/// Who wants to know which brokers are alive looks this often.
const LOOKED_EVERY: Duration = Duration::from_secs(120);
/// Nobody is called silent before: clocks differ by up to 30 s, and two beats may be lost.
const SILENT_AT_LEAST: Duration = Duration::from_secs(90);
/// Nobody is called alive for longer, whatever their Lease says.
const SILENT_AT_MOST: Duration = Duration::from_secs(900);
/// Leases on one page: about 300 bytes each.
const PAGE: u32 = 500;

/// A broker's last sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Its cluster.
    pub cluster: String,
    /// How old it was when the hub was asked: by the hub's clock, so neither our own clock nor the age of what we heard of it
    /// makes anybody silent.
    pub age: Duration,
    /// How long after one the broker may be silent, in its own words.
    pub lasts: Duration,
}

impl Beat {
    /// Whether it was too long ago, at the moment the hub was asked, to hope for an answer.
    pub fn is_silent(&self) -> bool {
        self.age > self.lasts.clamp(SILENT_AT_LEAST, SILENT_AT_MOST)
    }
}

/// How long to wait until brokers' signs of life are listed again: two minutes, spread by a fifth so that many desktops do not
/// ask at one moment.
pub fn until_next_look() -> Duration {
    LOOKED_EVERY.mul_f64(rand::random_range(0.8..1.2))
}

/// About as long, from a half to one and a half: for what many desktops would do at one moment.
pub fn spread(about: Duration) -> Duration {
    about.mul_f64(rand::random_range(0.5..1.5))
}

impl Hub {
    /// Every broker's last sign of life. A broker that never gave one is left out.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn beats(&self) -> Result<Vec<Beat>, Fault> {
        let (mut beats, mut next) = (Vec::new(), None::<String>);
        loop {
            let more = next.map(|token| format!("&continue={}", percent(&token))).unwrap_or_default();
            let (page, now): (Page, _) = self.dated(&format!("{}?limit={PAGE}{more}", leases())).await?;
            beats.extend(page.items.into_iter().filter_map(|lease| beat_of(lease, now)));
            next = page.metadata.next.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(beats);
            }
        }
    }

    /// One broker's last sign of life; `None` when it never gave one.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn beat_of(&self, cluster: &ClusterName) -> Result<Option<Beat>, Fault> {
        match self.dated(&format!("{}/{cluster}", leases())).await {
            Ok((lease, now)) => Ok(beat_of(lease, now)),
            Err(Fault::NotFound) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Gives a sign of life, as the cluster's broker.
    ///
    /// `instance` is the leader, `lasts` how long it may be silent afterwards, `now` the hub's time as the broker reckons it.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn beat(
        &self,
        cluster: &ClusterName,
        instance: &str,
        lasts: Duration,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let api: Api<Lease> = Api::namespaced(self.client.clone(), BROKERS_NAMESPACE);
        let spec = json!({
            "holderIdentity": instance, "leaseDurationSeconds": lasts.as_secs(),
            // MicroTime takes nothing but six digits.
            "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        });
        // An empty entry takes the record of who wrote which field away, and it stays away: it would be half of the Lease.
        let change = json!({"metadata": {"managedFields": [{}]}, "spec": spec});
        let (none, merge) = (PatchParams::default(), Patch::Merge(&change));
        match within(self.deadline, api.patch(cluster.as_str(), &none, &merge)).await {
            Err(Fault::NotFound) => {}
            other => return other.map(drop),
        }
        // By its name and not by POST, so that RBAC can bound which one.
        let whole =
            json!({"metadata": {"name": cluster.as_str(), "namespace": BROKERS_NAMESPACE}, "spec": spec});
        let lease = serde_json::from_value(whole).map_err(|e| Fault::Other(e.to_string()))?;
        let made = within(self.deadline, api.replace(cluster.as_str(), &PostParams::default(), &lease)).await;
        made.map(drop)
    }

    /// What is at `path`, and the hub's clock when it answered.
    async fn dated<T: DeserializeOwned>(&self, path: &str) -> Result<(T, Timestamp), Fault> {
        let request =
            http::Request::get(path).body(Body::empty()).map_err(|e| Fault::Invalid(e.to_string()))?;
        let asked = async {
            let answer = self.client.send(request).await?;
            let (status, date) = (answer.status(), http_date(answer.headers()));
            Ok((status, date, answer.into_body().collect_bytes().await?))
        };
        let (status, date, body) = within(self.deadline, asked).await?;
        if !status.is_success() {
            let said = serde_json::from_slice::<Status>(&body).unwrap_or_default();
            let said = Status { code: status.as_u16(), ..said };
            return Err(fault(&kube::Error::Api(Box::new(said))));
        }
        let unreadable = |e: serde_json::Error| {
            Fault::Other(format!("its answer can't be read: {}", clip(&visible(&e.to_string()), 200)))
        };
        // Without a Date it is as good as our own clock can say.
        let now = date.and_then(|at| Timestamp::from_second(at).ok()).unwrap_or_else(Timestamp::now);
        Ok((serde_json::from_slice(&body).map_err(unreadable)?, now))
    }
}

/// A page of a list; each Lease is read by itself, so that one that makes no sense hides no other.
#[derive(Deserialize)]
struct Page {
    metadata: PageMeta,
    #[serde(default)]
    items: Vec<Value>,
}

#[derive(Deserialize)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

fn leases() -> String {
    format!("/apis/coordination.k8s.io/v1/namespaces/{BROKERS_NAMESPACE}/leases")
}

/// A continue token in a query.
fn percent(token: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    token.bytes().map(one).collect()
}

/// The sign of life a Lease is. A date in the future is as good as the present, as far as clocks and lost beats explain it; one
/// further ahead is none, or a single beat could be dated so that its broker looks alive for ever.
fn beat_of(lease: Value, now: Timestamp) -> Option<Beat> {
    let lease: Lease = serde_json::from_value(lease).ok()?;
    let spec = lease.spec?;
    let age = now.duration_since(spec.renew_time?.0);
    let ahead = Duration::try_from(-age).unwrap_or_default();
    if ahead > SILENT_AT_LEAST {
        return None;
    }
    let lasts = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0);
    Some(Beat {
        cluster: lease.metadata.name?,
        age: Duration::try_from(age).unwrap_or_default(),
        lasts: Duration::from_secs(lasts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(renewed: &str, lasts: i64) -> Value {
        json!({"metadata": {"name": "eu-1"}, "spec": {"renewTime": renewed, "leaseDurationSeconds": lasts}})
    }

    fn read(renewed: &str, lasts: i64) -> Beat {
        let now = "2026-11-24T14:30:00Z".parse().expect("a time");
        beat_of(lease(renewed, lasts), now).expect("a beat")
    }

    #[test]
    fn silence_is_judged_by_the_hubs_clock_and_within_bounds() {
        let silent = |renewed: &str, lasts| read(renewed, lasts).is_silent();
        assert_eq!(read("2026-11-24T14:29:30.000000Z", 90).age, Duration::from_secs(30));
        assert!(!silent("2026-11-24T14:28:30.000000Z", 90));
        assert!(silent("2026-11-24T14:28:29.000000Z", 90));
        // One that beats each second is not called silent after three, one that beats each 5 min not after two.
        assert!(!silent("2026-11-24T14:28:31.000000Z", 3));
        assert!(!silent("2026-11-24T14:20:00.000000Z", 900));
        assert!(silent("2026-11-24T14:14:59.000000Z", i64::from(i32::MAX)));
        // A clock that runs ahead.
        assert_eq!(read("2026-11-24T14:31:30.000000Z", 90).age, Duration::ZERO);
    }

    #[test]
    fn one_beat_makes_nobody_alive_for_ever() {
        let now = "2026-11-24T14:30:00Z".parse().expect("a time");
        for ahead in
            ["2026-11-24T14:31:30.000001Z", "2026-11-24T15:00:00.000000Z", "2099-01-01T00:00:00.000000Z"]
        {
            assert_eq!(beat_of(lease(ahead, 90), now), None, "{ahead}");
        }
    }

    #[test]
    fn what_is_no_sign_of_life_is_none() {
        let now = Timestamp::now();
        for odd in [
            json!({}),
            json!({"metadata": {"name": "a"}}),
            json!({"metadata": {"name": "a"}, "spec": {}}),
            json!(7),
        ] {
            assert_eq!(beat_of(odd, now), None);
        }
    }

    #[test]
    fn many_desktops_look_at_different_moments() {
        let looks: Vec<Duration> = (0..50).map(|_| until_next_look()).collect();
        assert!(looks.iter().all(|look| (96..=144).contains(&look.as_secs())), "{looks:?}");
        assert!(looks.iter().any(|look| *look != looks[0]));
    }

    #[test]
    fn a_continue_token_survives_the_query() {
        assert_eq!(percent("eyJ2+/=="), "eyJ2%2B%2F%3D%3D");
    }
}
