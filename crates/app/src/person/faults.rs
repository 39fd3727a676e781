//! The sentences of the adapters' errors: what happened, what to do next.

use super::notes::GROUPS_LEFT_OUT;
use crate::desk::AppError;
use sallyport_client::Fault;
use sallyport_hub::Refused;
use sallyport_ipc::StepUp;
use sallyport_model::{ErrorCode, UserName, visible};
use sallyport_oidc::{Error as OidcError, IdClaims, may_be_refused};

/// An error of the sign-in.
pub(crate) fn of_oidc(error: OidcError) -> AppError {
    let code = error.code();
    let hint = match &error {
        OidcError::ProviderUnreachable { .. } | OidcError::Timeout { .. } => {
            "Check the network, then try again."
        }
        OidcError::ClockSkew { .. } => "Set this computer's clock, then sign in again.",
        OidcError::MfaTooWeak { .. } | OidcError::TooOld { .. } => {
            "The identity provider was asked for it and did not do it, so repeating this will not help. Ask your admin \
             which acr and amr the provider gives, and what makes it ask for a second factor."
        }
        OidcError::Setting { change, .. } => change.as_str(),
        OidcError::PortsTaken { .. } => {
            "Close the program that holds one of them, or ask your admin for a workspace file with other ports."
        }
        OidcError::SignInAgain { .. } => "Sign in again.",
        OidcError::EarlierSignIn { .. } => "End it in the provider's own pages to be sure.",
        OidcError::Cancelled => "",
        OidcError::BadIssuer { .. } | OidcError::NoTrust { .. } | OidcError::ProviderUnfit { .. } => {
            "Ask your admin: the workspace file and the provider do not fit."
        }
        OidcError::BadToken { .. } => {
            "Try again; if it stays so, tell your admin: someone may be in between."
        }
        OidcError::Denied { .. } | OidcError::Refused { .. } => {
            "Ask your admin whether your account may use Sallyport, and whether the provider knows this client."
        }
        OidcError::OtherPerson { .. } => {
            "Sign out first if you want to be someone else, or choose your own account in the browser."
        }
        OidcError::Loopback { .. } => "Close programs that hold many ports, then try again.",
    };
    let retry = code == ErrorCode::Unreachable;
    let hint = hint.to_owned();
    let out = AppError::new(code, error.to_string()).because(error);
    let out = if hint.is_empty() { out } else { out.hint(hint) };
    if retry { out.retry() } else { out }
}

/// Whether doing the same sign-in again can't end otherwise.
pub(crate) fn is_for_good(error: &AppError) -> bool {
    matches!(error.code(), ErrorCode::StepUpNeeded | ErrorCode::BadInput | ErrorCode::Forbidden)
}

/// The hub does not take an ID token that was found in order here: what its claims say about it.
pub(crate) fn unauthorized(claims: Option<&IdClaims>, issuer: &str, client_id: &str) -> AppError {
    let why = claims.map(may_be_refused).unwrap_or_default();
    let said = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
    let error = AppError::new(
        ErrorCode::Forbidden,
        format!("the hub does not accept this sign-in, though it is in order{said}"),
    );
    if why.is_empty() {
        error.hint(format!(
            "Signing in again helps only if the hub has just started. Else ask your admin whether its API server trusts \
             {issuer} for {client_id}; its log says why it refuses."
        ))
    } else {
        error.hint("Signing in again will not help until an admin has changed this at the identity provider.")
    }
}

/// Signed in, and nothing to ask for: with the groups the hub sees, so that the one that is missing can be found.
pub(crate) fn no_team(user: &UserName, groups: &[String], left_out: bool) -> AppError {
    let user = visible(user.as_str());
    let error = AppError::new(ErrorCode::Forbidden, format!("{user} is in no team of this hub"));
    if left_out {
        return error.hint(GROUPS_LEFT_OUT);
    }
    // The API server's own are everybody's.
    let own: Vec<String> = groups.iter().filter(|g| !g.starts_with("system:")).map(|g| visible(g)).collect();
    let has = match own.len() {
        0 => "The hub sees you in no group.".to_owned(),
        1..=12 => format!("The hub sees you in {}.", own.join(", ")),
        all => format!("The hub sees you in {} and {} more.", own[..12].join(", "), all - 12),
    };
    error.hint(format!(
        "{has} Ask your admin which group you need, and whether it is spelled the same at the identity provider \
         (Keycloak writes a slash before it unless told otherwise)."
    ))
}

/// A step-up that is in vain: the time it is for will not be said.
pub(crate) fn no_auth_time() -> AppError {
    let what = "your identity provider does not say when you signed in (auth_time), which this profile wants to know";
    AppError::new(ErrorCode::BadInput, what).hint(
        "Signing in again will not help. Ask your admin to make the provider say it, or to leave maxAge out of this \
         profile.",
    )
}

/// A call to the hub that failed.
pub(crate) fn of_hub(fault: Fault) -> AppError {
    let (code, hint) = match &fault {
        Fault::Unreachable(_) => (ErrorCode::Unreachable, "Check the network or VPN, then try again."),
        Fault::Busy(_) => (ErrorCode::Unreachable, "Try again in half a minute."),
        Fault::TimedOut => (ErrorCode::Unreachable, "The hub is slow or does not answer; try again."),
        Fault::Untrusted(_) => (
            ErrorCode::Unreachable,
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
                message: step.message.as_str().into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: OidcError) -> String {
        let view = of_oidc(error).view();
        format!("{} {}", view.message, view.hint.unwrap_or_default())
    }

    #[test]
    fn fault_b7_no_setting_is_taken_for_someone_in_between() {
        let setting = OidcError::Setting { why: "its acr".into(), change: "An admin can.".into() };
        let weak = OidcError::MfaTooWeak { claim: "acr", wanted: vec!["mfa".into()], got: vec!["1".into()] };
        for error in [setting, weak.clone()] {
            let said = said(error);
            assert!(!said.contains("in between") && said.to_lowercase().contains("admin"), "{said}");
        }
        assert!(said(weak).contains("will not help"));
        assert!(said(OidcError::PortsTaken { ports: vec![8400] }).contains("8400"));
    }

    #[test]
    fn fault_b7_someone_in_no_team_sees_the_groups_they_have() {
        let user: UserName = "oidc:ana@x".parse().unwrap();
        let hint = |groups: &[&str], left_out| {
            let groups: Vec<String> = groups.iter().map(|g| (*g).to_owned()).collect();
            no_team(&user, &groups, left_out).view().hint.unwrap()
        };
        let said = hint(&["oidc:/payments", "system:authenticated"], false);
        assert!(said.contains("oidc:/payments") && !said.contains("system:"), "{said}");
        assert!(hint(&["system:authenticated"], false).contains("no group"));
        assert!(hint(&[], true).contains("too many"), "fault_b5");
    }
}
