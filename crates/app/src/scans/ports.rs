//! What a scan asks of the world. The product answers with [`super::visit`], the tests of this part with fakes.

use crate::desk::AppError;
use futures::future::BoxFuture;
use sallyport_model::ClusterName;
use sallyport_posture::Review;
use sallyport_scan::Reading;

/// The ways into clusters, by one person's sign-in.
pub(super) trait Ways: Send + Sync + 'static {
    /// Begins to open a cluster.
    ///
    /// # Errors
    /// When nothing can be asked for there.
    fn begin(&self, cluster: &ClusterName) -> Result<Box<dyn Visit>, AppError>;
}

/// One cluster that is visited. Whoever has begun one leaves it.
pub(super) trait Visit: Send + 'static {
    /// The session by which it is.
    fn session(&self) -> String;
    /// Waits until it is open.
    ///
    /// # Errors
    /// When it does not open.
    fn opened(&mut self) -> BoxFuture<'_, Result<(), AppError>>;
    /// Reads it, and tells how many kinds of all were read.
    ///
    /// # Errors
    /// When it was not read, or the session ended before the end.
    fn read<'a>(
        &'a mut self,
        told: &'a (dyn Fn(u32, u32) + Sync),
    ) -> BoxFuture<'a, Result<Reading, AppError>>;
    /// Puts questions to the API server: what it says to each, in their order.
    ///
    /// # Errors
    /// When the session ended before the end.
    fn ask(&mut self, reviews: Vec<Review>) -> BoxFuture<'_, Result<Vec<Answer>, AppError>>;
    /// Leaves, whatever came of it; returns when its rights are seen to be refused, or that takes too long.
    fn leave(&mut self) -> BoxFuture<'_, ()>;
    /// Waits for the rest of the proof, which takes longer: whether the end of everything that was made was shown.
    fn proven(self: Box<Self>) -> BoxFuture<'static, Left>;
}

/// What the API server said to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Whether it would allow that; `None`: it gave no answer.
    pub(super) allowed: Option<bool>,
    /// In its words, or why there is none.
    pub(super) reason: String,
}

/// How a session was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Everything that was made for it is gone, and that was shown.
    Proven,
    /// Something of that was not shown: its closing report says what.
    Unproven,
}
