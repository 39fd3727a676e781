//! What a person should know about the provider and their sign-in: said once, where it can be read at leisure. Pure.

use super::Wishes;
use sallyport_oidc::{Drift, IdClaims};

/// What was learned of the provider and of the sign-in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learned {
    /// Scopes of the workspace file that the provider does not list.
    pub(crate) unlisted_scopes: Vec<String>,
    /// The host the person is sent to, where it is not the issuer's.
    pub(crate) other_host: Option<String>,
    /// The host that receives the code, where it is not the one that the person is sent to.
    pub(crate) code_host: Option<String>,
    /// The last sign-in did not say `auth_time`, though it was asked to.
    pub(crate) no_auth_time: bool,
    /// The provider left the groups out since there are too many.
    pub(crate) groups_left_out: bool,
    /// The hub took a request in another's name, as a dry run.
    pub(crate) takes_any_name: bool,
    /// The provider, after a sign-out, until the next sign-in: its session in the browser goes on.
    pub(crate) left_at: Option<String>,
}

impl Learned {
    /// What a sign-in adds to what the provider says of itself.
    pub(crate) fn and(self, claims: &IdClaims) -> Self {
        Self { no_auth_time: claims.auth_time.is_none(), groups_left_out: claims.groups_left_out, ..self }
    }
}

/// The sentences. `says_issued` is whether the hub says when tokens were issued; `None` while nobody is signed in.
pub(super) fn notes(
    learned: &Learned,
    drift: &Drift,
    wishes: &Wishes,
    says_issued: Option<bool>,
) -> Vec<String> {
    let mut notes = Vec::new();
    if !learned.unlisted_scopes.is_empty() {
        notes.push(format!(
            "The identity provider does not list {} among the scopes it knows (scopes_supported). If it refuses them, an \
             admin can assign them to this client there or take them out of the workspace file.",
            learned.unlisted_scopes.join(", ")
        ));
    }
    if let Some(issuer) = &learned.left_at {
        notes.push(format!(
            "You are signed out here. Your browser may still be signed in at {issuer}, so that the next sign-in asks for \
             nothing: end it in the provider's own pages if others use this browser."
        ));
    }
    let Some(says_issued) = says_issued else { return notes };
    if learned.takes_any_name {
        notes.push(
            "This hub let a request in another's name through (a dry run, as you signed in): its admission policies are not \
             in force, and what it says of requests and approvals can't be relied on. Tell an admin of the hub: deploy/hub is \
             what was shipped."
                .to_owned(),
        );
    }
    let aging = &wishes.aging;
    if learned.no_auth_time && !aging.is_empty() {
        notes.push(format!(
            "Your identity provider does not say when you signed in (auth_time), so these profiles are out of reach, and \
             signing in again does not help: {}. An admin can make the provider say it, or leave maxAge out of them.",
            aging.join(", ")
        ));
    }
    if learned.groups_left_out {
        notes.push(GROUPS_LEFT_OUT.to_owned());
    }
    notes.extend(vouching(drift, wishes, says_issued));
    if let Some((was, is)) = &drift.acr {
        notes.push(format!(
            "When it renewed your sign-in, the identity provider lowered its acr from {was} to {}: profiles that ask for \
             {was} will ask for a step-up again. Single sign-on from another application does this, mostly with the scope \
             offline_access, which an admin can leave out of the workspace file.",
            is.as_deref().unwrap_or("none")
        ));
    }
    if drift.auth_time_moved {
        notes.push(
            "When it renewed your sign-in, the identity provider moved the time of it (auth_time), though you did not \
             sign in here: acr and auth_time may be of different moments. Profiles that ask for amr too notice this."
                .to_owned(),
        );
    }
    notes
}

/// What keeps the provider's word for the person from the hub, where profiles want it again and again (`reaffirm`).
fn vouching(drift: &Drift, wishes: &Wishes, says_issued: bool) -> Option<String> {
    let profiles = wishes.vouching.join(", ");
    let closes = "what is open under these profiles is closed after their period and grace, whatever you do";
    match () {
        () if wishes.vouching.is_empty() => None,
        () if !says_issued => Some(format!(
            "This hub does not say when a token was issued (issued-at), so these profiles are out of reach: {profiles}. An \
             admin of the hub can add it to its authentication."
        )),
        () if drift.no_id_token => Some(format!(
            "Your identity provider renews your sign-in without an ID token, so {closes}: {profiles}. An admin can make the \
             provider give one on a refresh, or leave reaffirm out of them."
        )),
        () if drift.no_groups => Some(format!(
            "When it renewed your sign-in, the identity provider left your groups out, so {closes}: {profiles}. If you are \
             still in your groups, an admin can make the provider say them on a refresh too."
        )),
        () if drift.acr.is_some() => Some(format!(
            "When it renewed your sign-in, the identity provider lowered its acr, so {closes}: {profiles}."
        )),
        () => None,
    }
}

/// Why somebody in many groups seems to be in none, and the way out.
pub(crate) const GROUPS_LEFT_OUT: &str = "Your identity provider left your groups out of the token since you are in too \
     many (Entra ID: over 200), so you seem to be in none. An admin can make it send only the groups that are assigned to \
     this application.";

#[cfg(test)]
mod tests {
    use super::*;

    fn of(learned: &Learned, drift: &Drift) -> Vec<String> {
        let wishes = Wishes { aging: vec!["debug-prod".to_owned()], ..Wishes::default() };
        notes(learned, drift, &wishes, Some(true))
    }

    #[test]
    fn fault_b4_b5_b7_what_will_not_work_is_said_once_with_what_to_do() {
        let none = (Learned::default(), Drift::default());
        assert!(of(&none.0, &none.1).is_empty());
        let silent = Learned { no_auth_time: true, ..Learned::default() };
        let said = of(&silent, &none.1);
        assert!(
            said.len() == 1 && said[0].contains("auth_time") && said[0].contains("debug-prod"),
            "{said:?}"
        );
        assert!(notes(&silent, &none.1, &Wishes::default(), Some(true)).is_empty(), "no profile wants it");
        let many = Learned { groups_left_out: true, ..Learned::default() };
        assert!(of(&many, &none.1)[0].contains("too many"));
        let acr = Some(("mfa".into(), Some("1".into())));
        let drift = Drift { acr, auth_time_moved: true, ..Drift::default() };
        let said = of(&none.0, &drift);
        assert!(said[0].contains("from mfa to 1") && said[1].contains("auth_time"), "{said:?}");
        let left = Learned { left_at: Some("https://id.example".into()), ..Learned::default() };
        assert!(notes(&left, &none.1, &Wishes::default(), None)[0].contains("https://id.example"));
    }

    #[test]
    fn what_keeps_a_provider_from_vouching_is_said_where_a_profile_wants_it() {
        let wishes = Wishes { vouching: vec!["watched".to_owned()], ..Wishes::default() };
        let said = |drift: &Drift, says| notes(&Learned::default(), drift, &wishes, Some(says)).join(" ");
        assert_eq!(said(&Drift::default(), true), "");
        assert!(said(&Drift::default(), false).contains("issued-at"));
        let acr = Some(("mfa".to_owned(), None));
        for (drift, word) in [
            (Drift { no_id_token: true, ..Drift::default() }, "without an ID token"),
            (Drift { no_groups: true, ..Drift::default() }, "left your groups out"),
            (Drift { acr, ..Drift::default() }, "lowered its acr, so"),
        ] {
            let said = said(&drift, true);
            assert!(said.contains(word) && said.contains("watched"), "{said}");
            let unwanted = notes(&Learned::default(), &drift, &Wishes::default(), Some(false)).join(" ");
            assert!(!unwanted.contains("period and grace"), "{unwanted}");
        }
    }
}
