//! What the person is told on their desktop, outside the window: somebody asks them, what became of their own requests,
//! and how their sessions end. What is news is decided here and is pure ([`news`], [`gathered`], [`words`]); it is handed
//! on by [`post`], which no desktop can hold up.

mod below;
mod gathered;
mod news;
mod ports;
mod post;
mod words;

use crate::approvals::Approvals;
use crate::desk::Desk;
use crate::sessions::Sessions;
use below::Parts;
use gathered::Gathered;
use news::Watched;
use ports::Below;
use post::Post;
use sallyport_ipc::Shown;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at what has changed.
const LOOKS: Duration = Duration::from_millis(250);

/// Who tells.
pub(crate) struct Told {
    desk: Arc<Desk>,
    below: Box<dyn Below>,
    post: Post,
}

impl Told {
    /// Nothing was told yet.
    pub(crate) fn new(desk: Arc<Desk>, sessions: Arc<Sessions>, approvals: Arc<Approvals>) -> Self {
        Self::of(desk, Box::new(Parts { sessions, approvals }))
    }

    /// The same, of other parts than the product's.
    fn of(desk: Arc<Desk>, below: Box<dyn Below>) -> Self {
        let post = Post::new(desk.host.clone(), desk.stop.clone(), post::WITHIN);
        Self { desk, below, post }
    }

    /// Why nothing can be shown at the moment, where that is so.
    pub(crate) async fn trouble(&self) -> Option<Shown> {
        self.post.trouble().await
    }

    /// Hands on what is to be told, until the app ends.
    pub(crate) async fn deliver(self: Arc<Self>) {
        self.post.deliver().await;
    }

    /// Looks at what changes, until the app ends.
    pub(crate) async fn follow(self: Arc<Self>) {
        let (mut requests, mut sessions) = self.below.moves();
        let (mut watched, mut gathered) = (Watched::default(), Gathered::default());
        let mut asked = true;
        loop {
            let now = Instant::now().into_std();
            if asked {
                gathered.asks(now, self.below.asks());
            }
            let standings = self.below.standings();
            gathered.news(now, watched.news(&standings));
            let looked_at = self.desk.host.is_looked_at();
            let told = gathered.take(now, looked_at, self.desk.notifications());
            told.into_iter().for_each(|one| self.post.put(one));
            let warning = Watched::next(&standings).map(|left| now + left);
            let next = gathered.due().into_iter().chain(warning).min();
            asked = tokio::select! {
                Ok(()) = requests.changed() => true,
                Ok(()) = sessions.changed() => false,
                () = until(next.map(Instant::from_std)) => false,
                () = self.desk.stop.cancelled() => return,
            };
            // A busy session changes with every call.
            tokio::time::sleep(LOOKS).await;
        }
    }
}

async fn until(next: Option<Instant>) {
    match next {
        Some(next) => tokio::time::sleep_until(next).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
