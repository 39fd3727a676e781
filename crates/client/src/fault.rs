use crate::{TokenError, connect::NoAnswer, dial::DialError};
use kube::core::Status;
use sallyport_model::{clip, visible};
use std::{error::Error, fmt, time::Duration};

/// What went wrong with a call, as far as anyone acts on it differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection: refused, no route, no such host, cut.
    Unreachable(String),
    /// Its certificate is not the one to believe.
    Untrusted(String),
    /// No answer within the deadline.
    TimedOut,
    /// There is no token to send: sign in.
    NoToken(String),
    /// 401: the token is not (or no longer) good.
    Unauthorized,
    /// 403, from RBAC or from a guardrail; the message is the API server's, whole.
    Forbidden(String),
    /// 404.
    NotFound,
    /// 409: someone else wrote in between.
    Conflict(String),
    /// 409 on create: it is there already.
    AlreadyExists,
    /// 400 or 422: the API server does not take it.
    Invalid(String),
    /// 410: a watch must begin anew.
    Gone,
    /// 429, 503, 504: later.
    Busy(String),
    /// Anything else.
    Other(String),
}

/// Messages of an API server are kept up to this many characters.
const MESSAGE_MOST: usize = 8 * 1024;

impl Fault {
    /// Whether the same call may succeed a little later without anybody doing anything.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TimedOut | Self::Busy(_) | Self::Conflict(_) | Self::Gone)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| clip(&visible(text), 500);
        match self {
            Self::Unreachable(why) => write!(f, "it can't be reached: {}", shown(why)),
            Self::Untrusted(why) => write!(f, "its certificate is not trusted: {}", shown(why)),
            Self::TimedOut => f.write_str("it did not answer in time"),
            Self::NoToken(why) => f.write_str(&shown(why)),
            Self::Unauthorized => f.write_str("it does not accept this sign-in"),
            Self::Forbidden(message) | Self::Invalid(message) | Self::Conflict(message) => {
                f.write_str(&shown(message))
            }
            Self::NotFound => f.write_str("there is no such object"),
            Self::AlreadyExists => f.write_str("there is such an object already"),
            Self::Gone => f.write_str("the watch has expired"),
            Self::Busy(message) => write!(f, "it is busy: {}", shown(message)),
            Self::Other(message) => f.write_str(&shown(message)),
        }
    }
}

impl Error for Fault {}

/// Sorts an error of `kube` into what can be done about it.
pub fn fault(error: &kube::Error) -> Fault {
    match error {
        kube::Error::Api(status) => of_status(status),
        kube::Error::SerdeError(e) => Fault::Other(format!("its answer can't be read: {e}")),
        other => of_chain(other),
    }
}

pub(crate) fn of_status(status: &Status) -> Fault {
    let message = || clip(&status.message, MESSAGE_MOST);
    match status.code {
        401 => Fault::Unauthorized,
        403 => Fault::Forbidden(message()),
        404 => Fault::NotFound,
        409 if status.is_already_exists() => Fault::AlreadyExists,
        409 => Fault::Conflict(message()),
        400 | 422 => Fault::Invalid(message()),
        410 => Fault::Gone,
        429 | 503 | 504 => Fault::Busy(message()),
        code => Fault::Other(format!("{code} {}", message())),
    }
}

/// Looks through the causes for one of ours; everything else below HTTP is a connection that broke.
pub(crate) fn of_chain(error: &(dyn Error + 'static)) -> Fault {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut last = error.to_string();
    while let Some(e) = cause {
        if let Some(found) = known(e) {
            return found;
        }
        last = e.to_string();
        cause = e.source();
    }
    Fault::Unreachable(clip(&last, MESSAGE_MOST))
}

fn known(e: &(dyn Error + 'static)) -> Option<Fault> {
    if let Some(e) = e.downcast_ref::<TokenError>() {
        return Some(Fault::NoToken(e.to_string()));
    }
    if e.is::<NoAnswer>() {
        return Some(Fault::TimedOut);
    }
    match e.downcast_ref::<DialError>()? {
        DialError::TimedOut(_) => Some(Fault::TimedOut),
        DialError::Tcp(_) => None,
        DialError::Tls(io) => {
            let tls = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match tls {
                Some(rustls::Error::InvalidCertificate(why)) => Some(Fault::Untrusted(why.to_string())),
                Some(why) => Some(Fault::Unreachable(format!("no TLS session: {why}"))),
                None => Some(Fault::Unreachable(format!("no TLS session: {io}"))),
            }
        }
    }
}

/// Runs a call to its end within `deadline`, body included.
///
/// # Errors
/// [`Fault::TimedOut`], or the call's own error sorted by [`fault`].
pub async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(deadline, call).await {
        Ok(done) => done.map_err(|e| fault(&e)),
        Err(_) => Err(Fault::TimedOut),
    }
}
