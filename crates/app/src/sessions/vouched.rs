//! The provider's word for whoever asked, as a session knows of it. Pure.

use sallyport_api::AccessRequest;
use sallyport_ipc::{Shown, VouchingView};
use sallyport_model::Reaffirm;

/// The provider's word for whoever asked: how often it is wanted, and of when the last one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) wanted: Reaffirm,
    /// Unix seconds, the provider's clock.
    pub(super) issued: Option<i64>,
    /// Why the one that is due has not come.
    pub(super) overdue: Option<String>,
}

impl Word {
    /// What a request says of it; `None` where its offer wants none, or there is no offer yet.
    pub(super) fn of(request: &AccessRequest) -> Option<Self> {
        let wanted = request.reaffirm().ok().flatten()?;
        Some(Self { wanted, issued: request.vouched_at(), overdue: None })
    }

    /// Takes over what the request says by now; whether that is news. What is overdue stays so until a newer word.
    pub(super) fn heard(known: &mut Option<Self>, said: Self) -> bool {
        match known {
            Some(known) if known.issued >= said.issued => false,
            known => {
                *known = Some(said);
                true
            }
        }
    }

    /// As the window shows it.
    pub(super) fn view(&self) -> VouchingView {
        let ms = |seconds: i64| seconds.saturating_mul(1000);
        VouchingView {
            every_seconds: self.wanted.every().as_seconds_u32(),
            grace_seconds: self.wanted.grace().as_seconds_u32(),
            vouched_at: self.issued.map(ms),
            closes_at: self.issued.map(|issued| ms(self.wanted.over_at(issued))),
            overdue: self.overdue.as_deref().map(Shown::from),
        }
    }
}

#[cfg(test)]
mod tests;
