//! Where connections wait that have shown no certificate yet: apart from those that have, so that no number of strangers keeps
//! an API server out.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot::{Receiver, Sender, channel};

/// Handshakes at once.
const ALL: usize = 512;
/// Those of one address, behind which many API servers may be. Theirs take milliseconds.
const EACH: usize = 64;

/// Who is in it, the longest there first.
#[derive(Debug, Default)]
pub(crate) struct Hall(Mutex<VecDeque<Guest>>);

#[derive(Debug)]
struct Guest {
    from: IpAddr,
    /// Dropped, it has to go.
    stays: Sender<()>,
}

/// A place in it, until it is dropped.
#[derive(Debug)]
pub(crate) struct Stay {
    hall: Arc<Hall>,
    leaves: Receiver<()>,
}

impl Hall {
    /// Lets somebody in. Where there are as many as may be, whoever is there longest goes: of the same address first, since
    /// who shows a certificate does so at once.
    pub(crate) fn enter(self: &Arc<Self>, from: IpAddr) -> Stay {
        let mut guests = self.guests();
        let own = guests.iter().filter(|guest| guest.from == from).count();
        let leaves = if own >= EACH {
            guests.iter().position(|guest| guest.from == from)
        } else {
            (guests.len() >= ALL).then_some(0)
        };
        if let Some(at) = leaves {
            guests.remove(at);
        }
        let (stays, leaves) = channel();
        guests.push_back(Guest { from, stays });
        drop(guests);
        Stay { hall: self.clone(), leaves }
    }

    fn guests(&self) -> MutexGuard<'_, VecDeque<Guest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stay {
    /// What it does there, unless it has to go before that is done.
    pub(crate) async fn during<T>(mut self, what: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            _ = &mut self.leaves => None,
            done = what => Some(done),
        }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.leaves.close();
        self.hall.guests().retain(|guest| !guest.stays.is_closed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::sync::oneshot::error::TryRecvError;

    fn ip(n: u32) -> IpAddr {
        Ipv4Addr::from(0x0a00_0000 + n).into()
    }

    #[test]
    fn nobody_keeps_others_out_by_staying() {
        let hall = Arc::new(Hall::default());
        // Nobody was ever told anything: it is there, or it has to go.
        let is_in = |stay: &mut Stay| stay.leaves.try_recv() == Err(TryRecvError::Empty);
        let mut server = hall.enter(ip(0));
        let mut strangers: Vec<Stay> = (0..1000).map(|_| hall.enter(ip(1))).collect();
        assert_eq!(hall.guests().len(), 1 + EACH, "of one address so many");
        assert!(is_in(&mut server));
        let there: Vec<bool> = strangers.iter_mut().map(is_in).collect();
        assert!(there[..1000 - EACH].iter().all(|there| !there), "the newest");
        assert!(there[1000 - EACH..].iter().all(|there| *there));
        strangers.clear();
        assert_eq!(hall.guests().len(), 1);
        // From many addresses: whoever comes is let in, whoever stays longest goes.
        strangers.extend((0..5000).map(|n| hall.enter(ip(1 + n))));
        assert_eq!(hall.guests().len(), ALL);
        let mut late = hall.enter(ip(0));
        assert!(is_in(&mut late) && !is_in(&mut server));
        drop((server, late, strangers));
        assert_eq!(hall.guests().len(), 0);
    }
}
