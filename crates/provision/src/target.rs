use crate::ProvisionError;
use std::{future::Future, time::Duration};

/// A target's API, with a deadline for every call.
#[derive(Clone)]
pub struct Target {
    client: kube::Client,
    deadline: Duration,
}

impl Target {
    /// `client` must not retry by itself: a create that is sent twice answers AlreadyExists to its own doing.
    #[must_use]
    pub fn new(client: kube::Client, deadline: Duration) -> Self {
        Self { client, deadline }
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &kube::Client {
        &self.client
    }

    /// The deadline of each call.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The call's outcome, sorted, within the deadline.
    pub(crate) async fn within<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ProvisionError> {
        self.timed(what, async { call.await.map_err(|error| ProvisionError::sort(what, error)) }).await
    }

    /// The same for a call that is sorted already.
    pub(crate) async fn timed<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, ProvisionError>>,
    ) -> Result<T, ProvisionError> {
        tokio::time::timeout(self.deadline, call).await.unwrap_or_else(|_| {
            Err(ProvisionError::TimedOut { what: what.to_owned(), seconds: self.deadline.as_secs() })
        })
    }
}
