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
    /// The namespace is on its way out: nothing is made in it any more, and it is no matter of rights.
    #[error("namespace {namespace} is being deleted on the cluster")]
    NamespaceEnding {
        /// Which.
        namespace: String,
    },
    /// A ResourceQuota of the namespace leaves no room for it.
    #[error("a quota on the cluster leaves no room for {what}: {message}")]
    Quota {
        /// What was tried, on which object.
        what: String,
        /// Whose quota.
        namespace: String,
        /// The API server's own sentence, with the quota's name.
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
            Self::Refused { .. }
                | Self::NamespaceEnding { .. }
                | Self::Quota { .. }
                | Self::Missing { .. }
                | Self::Foreign { .. }
                | Self::Unusable { .. }
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

    /// As [`sort`](Self::sort) for a creation in `namespace`: what can't be made there now is told from what may not be.
    pub(crate) fn sort_creation(what: &str, namespace: Option<&str>, error: kube::Error) -> Self {
        if let (kube::Error::Api(status), Some(namespace)) = (&error, namespace)
            && status.code == 403
        {
            let namespace = namespace.to_owned();
            let causes = status.details.iter().flat_map(|details| &details.causes);
            if causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating") {
                return Self::NamespaceEnding { namespace };
            }
            // The quota's controller has not counted yet, which takes it seconds.
            if status.message.contains(" is forbidden: status unknown for quota") {
                return Self::Busy { what: what.to_owned(), message: shown(&status.message) };
            }
            // ResourceQuota admission has no cause of its own, only these words, before anything of the object's.
            if status.message.contains(" is forbidden: exceeded quota: ") {
                let message = shown(&status.message);
                return Self::Quota { what: what.to_owned(), namespace, message };
            }
        }
        Self::sort(what, error)
    }

    fn from_status(what: String, status: Status) -> Self {
        let message = shown(&status.message);
        match status.code {
            404 => Self::Missing { what, message },
            409 => Self::Changed { what },
            // 401: our own token was just replaced; the client reads the file again.
            401 | 408 | 429 | 500.. => Self::Busy { what, message },
            _ => Self::Refused { what, message },
        }
    }
}

fn shown(message: &str) -> String {
    sallyport_model::clip(&sallyport_model::visible(message), 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sorted(message: &str, causes: serde_json::Value) -> ProvisionError {
        let status = json!({"status": "Failure", "code": 403, "reason": "Forbidden", "message": message,
            "details": {"causes": causes}});
        let status: Status = serde_json::from_value(status).expect("a status");
        ProvisionError::sort_creation(
            "RoleBinding payments/g-a-0",
            Some("payments"),
            kube::Error::Api(status.boxed()),
        )
    }

    #[test]
    fn fault_c11_a_namespace_on_its_way_out_and_a_quota_are_told_from_a_no() {
        let ending = json!([{"reason": "NamespaceTerminating", "field": "metadata.namespace",
            "message": "namespace payments is being terminated"}]);
        let said =
            sorted("rolebindings \"x\" is forbidden: unable to create new content", ending).to_string();
        assert_eq!(said, "namespace payments is being deleted on the cluster");
        let full = "rolebindings.rbac.authorization.k8s.io \"g-a-0\" is forbidden: exceeded quota: few, requested: \
            count/rolebindings=1, used: 2, limited: 2";
        let full = sorted(full, json!([]));
        assert!(
            full.is_final()
                && matches!(&full, ProvisionError::Quota { namespace, .. } if namespace == "payments")
        );
        assert!(full.to_string().contains("exceeded quota: few"), "{full}");
        for no in ["rolebindings \"x\" is forbidden: no quota for you", "denied request: is being terminated"]
        {
            assert!(matches!(sorted(no, json!([])), ProvisionError::Refused { .. }), "{no}");
        }
    }

    #[test]
    fn fault_c11_a_quota_that_was_not_counted_yet_is_no_last_word() {
        let early = "rolebindings.rbac.authorization.k8s.io \"g-a-0\" is forbidden: status unknown for quota: few, \
            resources: count/rolebindings.rbac.authorization.k8s.io";
        let early = sorted(early, json!([]));
        assert!(!early.is_final() && matches!(early, ProvisionError::Busy { .. }), "{early}");
    }
}
