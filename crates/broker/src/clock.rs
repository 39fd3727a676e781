//! Two clocks besides our own: the target's decides when access ends, the hub's when a request was made.

use crate::failure::Failure;
use kube::client::Body;
use sallyport_client::{clock_difference, fault, http_date};
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// Their clocks minus ours, in seconds, as last seen.
#[derive(Default)]
pub(crate) struct Clock {
    hub: AtomicI64,
    target: AtomicI64,
}

impl Clock {
    /// Takes a reading of the hub.
    pub(crate) fn set_hub(&self, difference: i64) {
        self.hub.store(difference, Ordering::Relaxed);
    }

    /// Takes a reading of the target.
    pub(crate) fn set_target(&self, difference: i64) {
        self.target.store(difference, Ordering::Relaxed);
    }

    /// Unix seconds on the hub.
    pub(crate) fn hub_now(&self) -> i64 {
        jiff::Timestamp::now().as_second() + self.hub.load(Ordering::Relaxed)
    }

    /// The present on the hub, as far as its clock can be read: to the second.
    pub(crate) fn hub_instant(&self) -> jiff::Timestamp {
        let now = jiff::Timestamp::now();
        let difference = jiff::SignedDuration::from_secs(self.hub.load(Ordering::Relaxed));
        now.checked_add(difference).unwrap_or(now)
    }

    /// Unix seconds on the target.
    pub(crate) fn target_now(&self) -> i64 {
        jiff::Timestamp::now().as_second() + self.target.load(Ordering::Relaxed)
    }

    /// How long until `at` (Unix seconds) on the target; at least zero.
    pub(crate) fn until_target(&self, at: i64) -> Duration {
        let now = jiff::Timestamp::now().as_millisecond() + self.target.load(Ordering::Relaxed) * 1000;
        // 20 ms late rather than early: looked at early it would only be put off again.
        Duration::from_millis(u64::try_from(at * 1000 - now).unwrap_or(0) + 20)
    }

    /// Target's clock minus hub's.
    pub(crate) fn apart(&self) -> i64 {
        self.target.load(Ordering::Relaxed) - self.hub.load(Ordering::Relaxed)
    }
}

/// What an API server says about itself.
pub(crate) struct Hello {
    /// Its clock minus ours, seconds.
    pub(crate) difference: i64,
    /// `gitVersion`.
    pub(crate) version: String,
}

/// Asks for `path`, for its answer and for its `Date`; anything but 200 is no answer.
pub(crate) async fn hello(client: &kube::Client, path: &str, deadline: Duration) -> Result<Hello, Failure> {
    let unusable = |why: &str| Failure::Target(format!("GET {path}: {why}"));
    let request = http::Request::get(path).body(Body::empty()).map_err(|e| unusable(&e.to_string()))?;
    let sent = jiff::Timestamp::now().as_millisecond();
    let exchange = async {
        let answer = client.send(request).await?;
        let received = jiff::Timestamp::now().as_millisecond();
        let (status, date) = (answer.status(), http_date(answer.headers()));
        let body = answer.into_body().collect_bytes().await?;
        Ok::<_, kube::Error>((status, date, received, body))
    };
    let answered =
        tokio::time::timeout(deadline, exchange).await.map_err(|_| unusable("no answer in time"))?;
    let (status, date, received, body) = answered.map_err(|e| unusable(&fault(&e).to_string()))?;
    if status != http::StatusCode::OK {
        return Err(unusable(&format!("it answered {}", status.as_u16())));
    }
    let date = date.ok_or_else(|| unusable("no Date"))?;
    let version = serde_json::from_slice::<serde_json::Value>(&body).ok();
    let version = version.as_ref().and_then(|v| v["gitVersion"].as_str()).unwrap_or("unknown");
    Ok(Hello {
        difference: clock_difference(date, sent, received),
        version: sallyport_model::clip(&sallyport_model::visible(version), 64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_22_the_difference_is_between_hub_and_target_not_between_them_and_us() {
        let clock = Clock::default();
        clock.set_hub(-100);
        clock.set_target(-95);
        assert_eq!(clock.apart(), 5);
        clock.set_target(40);
        assert_eq!(clock.apart(), 140);
    }

    #[test]
    fn p10_a_moment_gone_by_is_due_at_once() {
        let clock = Clock::default();
        assert!(clock.until_target(0) < Duration::from_millis(50));
        assert!(clock.until_target(clock.target_now() + 10) > Duration::from_secs(8));
    }
}
