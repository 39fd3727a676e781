use sallyport_model::{
    ClusterName, EndReason, Ending, GrantUid, RequestUid, Scope, SessionId, Ttl, UserName, clip, visible,
};

/// What the desktop knows when a seal was opened. Three sources must agree: what was asked, what the hub recorded,
/// and what the broker sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionFacts {
    /// The session to open.
    pub session: SessionId,
    /// Who is signed in.
    pub signed_in: UserName,
    /// Who asked.
    pub user: UserName,
    /// For which cluster.
    pub cluster: ClusterName,
    /// By which request.
    pub request: RequestUid,
    /// Where.
    pub scope: Scope,
    /// How long.
    pub duration: Ttl,
    /// The grant the hub recorded.
    pub grant: GrantUid,
    /// The end the hub recorded, Unix seconds by the target's clock.
    pub recorded_end: i64,
    /// The end inside the seal.
    pub sealed_end: i64,
    /// The endpoint inside the seal.
    pub endpoint: String,
    /// Now, Unix seconds by the hub's clock.
    pub now: i64,
}

/// Proof that this session may be served until its end. Only [`admit_session`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPermit {
    session: SessionId,
    user: UserName,
    cluster: ClusterName,
    request: RequestUid,
    grant: GrantUid,
    scope: Scope,
    endpoint: String,
    end: i64,
}

impl SessionPermit {
    /// The session.
    pub fn session(&self) -> &SessionId {
        &self.session
    }
    /// Whose it is.
    pub fn user(&self) -> &UserName {
        &self.user
    }
    /// On which cluster.
    pub fn cluster(&self) -> &ClusterName {
        &self.cluster
    }
    /// By which request.
    pub fn request(&self) -> &RequestUid {
        &self.request
    }
    /// By which grant.
    pub fn grant(&self) -> &GrantUid {
        &self.grant
    }
    /// Where its rights hold.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
    /// The only endpoint it may be served from.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
    /// When it ends, Unix seconds by the target's clock.
    pub fn end(&self) -> i64 {
        self.end
    }
}

/// Seconds by which hub and target may differ and a grant may have been made before or after the hub knew.
const SKEW: i64 = 60;

/// Whether the desktop may serve this session.
///
/// # Errors
/// An [`Ending`] when it is someone else's, over, longer than asked, sealed with another end than recorded, or for an
/// endpoint that is not a plain https address.
pub fn admit_session(facts: SessionFacts) -> Result<SessionPermit, Ending> {
    let failed = |message: String| Err(Ending::new(EndReason::Failed, message));
    if facts.signed_in != facts.user {
        return failed(format!("the session is {}'s and {} is signed in", facts.user, facts.signed_in));
    }
    if facts.sealed_end != facts.recorded_end {
        return failed("the sealed end is not the one the hub recorded".to_owned());
    }
    if facts.sealed_end <= facts.now {
        return Err(Ending::new(EndReason::Expired, "the session is over already"));
    }
    let longest = facts.duration.min(Ttl::LONGEST).as_seconds_i64();
    if facts.sealed_end.saturating_sub(facts.now) > longest.saturating_add(SKEW) {
        return failed(format!("the session would last longer than the {} asked for", facts.duration));
    }
    if !plain_https(&facts.endpoint) {
        return failed(format!("`{}` is not an https address", clip(&visible(&facts.endpoint), 120)));
    }
    Ok(SessionPermit {
        session: facts.session,
        user: facts.user,
        cluster: facts.cluster,
        request: facts.request,
        grant: facts.grant,
        scope: facts.scope,
        endpoint: facts.endpoint,
        end: facts.sealed_end,
    })
}

/// `https://host…` without anything that could carry credentials, a query or a fragment.
fn plain_https(endpoint: &str) -> bool {
    let Some(rest) = endpoint.strip_prefix("https://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '?' | '#' | '\\');
    !host.is_empty() && endpoint.len() <= 1024 && endpoint.is_ascii() && !endpoint.contains(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> SessionFacts {
        SessionFacts {
            session: SessionId::new("s1"),
            signed_in: "oidc:ada".parse().unwrap(),
            user: "oidc:ada".parse().unwrap(),
            cluster: "c".parse().unwrap(),
            request: RequestUid::new("r"),
            scope: Scope::ClusterWide,
            duration: Ttl::minutes(60),
            grant: GrantUid::new("g"),
            recorded_end: 10_000,
            sealed_end: 10_000,
            endpoint: "https://10.0.0.1:6443".into(),
            now: 7_000,
        }
    }

    #[test]
    fn p7_a_session_is_served_to_its_requester_until_its_end() {
        let permit = admit_session(facts()).unwrap();
        assert_eq!((permit.end(), permit.endpoint()), (10_000, "https://10.0.0.1:6443"));
    }

    #[test]
    fn p7_a_session_that_does_not_add_up_is_not_served() {
        type Change = fn(&mut SessionFacts);
        let changes: [(Change, EndReason); 9] = [
            (|f| f.signed_in = "oidc:bob".parse().unwrap(), EndReason::Failed),
            (|f| f.recorded_end += 1, EndReason::Failed),
            (|f| f.now = 10_000, EndReason::Expired),
            (|f| f.now = 6_000, EndReason::Failed),
            (|f| f.endpoint = "http://10.0.0.1".into(), EndReason::Failed),
            (|f| f.endpoint = "https://u:p@10.0.0.1".into(), EndReason::Failed),
            (|f| f.endpoint = "https://".into(), EndReason::Failed),
            (|f| f.endpoint = "https://a?b".into(), EndReason::Failed),
            (|f| f.endpoint = "https://a\r\nb".into(), EndReason::Failed),
        ];
        for (change, reason) in changes {
            let mut given = facts();
            change(&mut given);
            assert_eq!(admit_session(given.clone()).unwrap_err().reason, reason, "{given:?}");
        }
    }
}
