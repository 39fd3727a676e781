use kube::core::Status;

/// Why a step on the target did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The API server said no (RBAC, a guardrail or validation); the same ask will be refused again.
    #[error("the target refused {what}: {message}")]
    Refused {
        /// What was tried, on which object.
        what: String,
        /// The API server's own sentence.
        message: String,
    },
    /// Something the step needs does not exist, e.g. the namespace.
    #[error("{what} is not possible: {message}")]
    Missing {
        /// What was tried, on which object.
        what: String,
        /// The API server's own sentence.
        message: String,
    },
    /// An object of that name exists and is not what would have been made.
    #[error("{what} exists already with other content: {difference}")]
    Foreign {
        /// The object.
        what: String,
        /// What differs.
        difference: String,
    },
    /// It changed or went away in between: observe again.
    #[error("{what} changed in between")]
    Changed {
        /// The object.
        what: String,
    },
    /// The API server answers, but not now (429, 5xx).
    #[error("the target's API server can't do {what} now: {message}")]
    Busy {
        /// What was tried, on which object.
        what: String,
        /// The API server's own sentence.
        message: String,
    },
    /// No answer at all.
    #[error("the target's API server can't be reached for {what}")]
    Unreachable {
        /// What was tried, on which object.
        what: String,
        /// Why, from the connection.
        #[source]
        source: Box<kube::Error>,
    },
    /// No answer within the deadline.
    #[error("the target's API server did not answer {what} within {seconds} s")]
    TimedOut {
        /// What was tried, on which object.
        what: String,
        /// The deadline.
        seconds: u64,
    },
    /// The answer is not what the API promises.
    #[error("the target's answer to {what} is not usable: {why}")]
    Unusable {
        /// What was tried, on which object.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ProvisionError {
    /// Whether trying the same again can't help.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. } | Self::Missing { .. } | Self::Foreign { .. } | Self::Unusable { .. }
        )
    }

    /// Sorts what kube reports while doing `what`.
    pub(crate) fn sort(what: &str, error: kube::Error) -> Self {
        let what = what.to_owned();
        match error {
            kube::Error::Api(status) => Self::from_status(what, *status),
            other => Self::Unreachable { what, source: Box::new(other) },
        }
    }

    fn from_status(what: String, status: Status) -> Self {
        let message = sallyport_model::clip(&sallyport_model::visible(&status.message), 1024);
        match status.code {
            404 => Self::Missing { what, message },
            409 => Self::Changed { what },
            // 401: our own token was just replaced; the client reads the file again.
            401 | 408 | 429 | 500.. => Self::Busy { what, message },
            _ => Self::Refused { what, message },
        }
    }
}
