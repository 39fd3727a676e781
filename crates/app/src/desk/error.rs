use sallyport_ipc::{ErrorView, StepUp};
use sallyport_model::{ErrorCode, visible};
use std::fmt;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What a person gets to see when something went wrong: what happened, what to do next, and a code the window
/// branches on. The chain of causes goes to the log once and never to the window.
#[derive(Debug)]
pub struct AppError {
    code: ErrorCode,
    message: String,
    hint: Option<String>,
    retry: bool,
    step_up: Option<Box<StepUp>>,
    cause: Option<Cause>,
}

impl AppError {
    /// With a code; `message` is one sentence without a final dot.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, retry: false, step_up: None, cause: None }
    }

    /// With [`ErrorCode::Failed`].
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Failed, message)
    }

    /// The same as somebody was told.
    pub(crate) fn of_view(view: ErrorView) -> Self {
        let ErrorView { code, message, hint, retry, step_up } = view;
        let step_up = step_up.map(Box::new);
        Self { code, message: message.into(), hint: hint.map(Into::into), retry, step_up, cause: None }
    }

    /// What to do next, as a sentence.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Trying again may help.
    #[must_use]
    pub fn retry(mut self) -> Self {
        self.retry = true;
        self
    }

    /// What the sign-in must be like for this to work.
    #[must_use]
    pub(crate) fn step_up(mut self, wanted: StepUp) -> Self {
        self.step_up = Some(Box::new(wanted));
        self
    }

    /// What lies beneath; for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The code the window branches on.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The form that crosses to the window.
    pub fn view(&self) -> ErrorView {
        ErrorView {
            code: self.code,
            message: self.message.as_str().into(),
            hint: self.hint.as_deref().map(Into::into),
            retry: self.retry,
            step_up: self.step_up.as_deref().cloned(),
        }
    }

    /// The same at the very edge: the chain of causes is logged here, once.
    pub fn into_view(self) -> ErrorView {
        if self.code != ErrorCode::Cancelled {
            tracing::warn!(code = ?self.code, "{}", self.chain());
        }
        self.view()
    }

    /// The sentence and every cause beneath it.
    pub fn chain(&self) -> String {
        let mut out = self.message.clone();
        let mut next = self.cause.as_deref().map(|c| c as &dyn std::error::Error);
        while let Some(cause) = next {
            out.push_str(": ");
            out.push_str(&visible(&cause.to_string()));
            next = cause.source();
        }
        out
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AppError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|c| c as &(dyn std::error::Error + 'static))
    }
}
