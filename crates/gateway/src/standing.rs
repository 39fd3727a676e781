//! Whose calls a session makes now, and with which token.

use crate::upstream::Bearer;
use sallyport_model::{ClusterName, GrantUid, Jti, RequestUid, SessionId, UserName};
use sallyport_policy::SessionPermit;

/// Under which names, and with which token, calls are made now. Extending a session replaces it.
pub(crate) struct Standing {
    pub(crate) session: SessionId,
    pub(crate) request: RequestUid,
    pub(crate) grant: GrantUid,
    pub(crate) cluster: ClusterName,
    pub(crate) user: UserName,
    pub(crate) jti: Jti,
    pub(crate) bearer: Bearer,
}

impl Standing {
    pub(crate) fn new(permit: &SessionPermit, jti: Jti, bearer: Bearer) -> Self {
        Self {
            session: permit.session().clone(),
            request: permit.request().clone(),
            grant: permit.grant().clone(),
            cluster: permit.cluster().clone(),
            user: permit.user().clone(),
            jti,
            bearer,
        }
    }
}
