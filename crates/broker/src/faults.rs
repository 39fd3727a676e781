//! Only for tests (feature `faults`): the process ends hard after its Nth write, as if killed between two writes.

use kube::{Client, client::Body};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// The number of writes after which the process is gone.
const VARIABLE: &str = "SALLYPORT_TEST_EXIT_AFTER_WRITES";

/// Counts down over all clients of the process.
#[derive(Clone)]
pub(crate) struct Countdown(Option<Arc<AtomicI64>>);

impl Countdown {
    pub(crate) fn from_environment() -> Self {
        let writes = std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok());
        Self(writes.map(|writes: i64| Arc::new(AtomicI64::new(writes))))
    }

    /// A client whose answered writes are counted.
    pub(crate) fn wrap(&self, client: Client) -> Client {
        let Some(left) = self.0.clone() else { return client };
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let (client, left) = (client.clone(), left.clone());
            async move {
                let counts = counts(&request);
                let answer = client.send(request).await;
                if counts && answer.is_ok() && left.fetch_sub(1, Ordering::SeqCst) <= 1 {
                    // No destructor runs and nothing is flushed.
                    std::process::abort();
                }
                answer
            }
        });
        Client::new(service, "default")
    }
}

/// Writes of a grant's life; not Leases, reports and dry runs, which come when they come.
fn counts(request: &http::Request<Body>) -> bool {
    let path = request.uri().path();
    let dry = request.uri().query().is_some_and(|query| query.contains("dryRun"));
    request.method() != http::Method::GET
        && !dry
        && !path.contains("/leases")
        && !path.contains("/accessclusters/")
        && !path.contains("/accesspreviews/")
        && !path.contains("/sallyport-brokers/")
}
