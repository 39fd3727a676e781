//! The sentences of the adapters' errors: what happened, what to do next.

use crate::error::AppError;
use sallyport_client::Fault;
use sallyport_hub::Refused;
use sallyport_ipc::StepUp;
use sallyport_model::ErrorCode;
use sallyport_oidc::Error as OidcError;

/// An error of the sign-in.
pub(crate) fn of_oidc(error: OidcError) -> AppError {
    let code = error.code();
    let hint = match &error {
        OidcError::ProviderUnreachable { .. } | OidcError::Timeout { .. } => {
            "Check the network, then try again."
        }
        OidcError::ClockSkew { .. } => "Set this computer's clock, then sign in again.",
        OidcError::MfaTooWeak { .. } | OidcError::TooOld { .. } => "Sign in again with your second factor.",
        OidcError::SignInAgain { .. } => "Sign in again.",
        OidcError::Cancelled => "",
        OidcError::BadIssuer { .. } | OidcError::NoTrust { .. } | OidcError::ProviderUnfit { .. } => {
            "Ask your admin: the workspace file and the provider do not fit."
        }
        OidcError::BadToken { .. } => {
            "Try again; if it stays so, tell your admin: someone may be in between."
        }
        OidcError::Denied { .. } | OidcError::Refused { .. } => {
            "Ask your admin whether your account may use Sallyport."
        }
        OidcError::OtherPerson { .. } => "Sign out first if you want to be someone else.",
        OidcError::Loopback { .. } => "Close programs that hold many ports, then try again.",
    };
    let retry = matches!(code, ErrorCode::ProviderUnreachable | ErrorCode::TimedOut);
    let out = AppError::new(code, error.to_string()).because(error);
    let out = if hint.is_empty() { out } else { out.hint(hint) };
    if retry { out.retry() } else { out }
}

/// A call to the hub that failed.
pub(crate) fn of_hub(fault: Fault) -> AppError {
    let (code, hint) = match &fault {
        Fault::Unreachable(_) => (ErrorCode::HubUnreachable, "Check the network or VPN, then try again."),
        Fault::Busy(_) => (ErrorCode::HubUnreachable, "Try again in half a minute."),
        Fault::TimedOut => (ErrorCode::TimedOut, "The hub is slow or does not answer; try again."),
        Fault::Untrusted(_) => (
            ErrorCode::HubUnreachable,
            "Its certificate is not of the CA in your workspace file. Do not go on; ask your admin.",
        ),
        Fault::NoToken(_) | Fault::Unauthorized => (ErrorCode::SignInNeeded, "Sign in again."),
        Fault::Forbidden(_) => (ErrorCode::Forbidden, "Your groups do not allow this; ask your admin."),
        _ => (ErrorCode::Failed, "Try again; the log has the details."),
    };
    let retry = fault.may_pass();
    let error = AppError::new(code, format!("the hub: {fault}")).hint(hint).because(fault);
    if retry { error.retry() } else { error }
}

/// The hub did not take a write.
pub(crate) fn of_refused(refused: Refused) -> AppError {
    match refused {
        Refused::StepUp(step) => {
            let wanted = StepUp {
                acr: step.acr,
                amr: step.amr,
                max_age_seconds: step.max_age.and_then(|s| u32::try_from(s).ok()),
                message: step.message.clone(),
            };
            AppError::new(ErrorCode::StepUpNeeded, step.message)
                .hint("Confirm with your second factor.")
                .step_up(wanted)
        }
        Refused::ProfileChanged { message, .. } => AppError::new(ErrorCode::ProfileChanged, message)
            .hint("Look at what it allows now, then open again.")
            .retry(),
        Refused::Forbidden { message } => {
            AppError::new(ErrorCode::Forbidden, message).hint("Choose another profile, or ask your admin.")
        }
        Refused::Fault(fault) => of_hub(fault),
    }
}
