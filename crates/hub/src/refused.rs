use sallyport_client::Fault;
use sallyport_model::{ProfileRevision, clip, visible};
use std::fmt;

/// Why the hub did not take a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A guardrail wants a stronger or fresher sign-in: start the step-up and write again.
    StepUp(StepUp),
    /// The profile is not the one that was read: read it and ask again.
    ProfileChanged {
        /// The live revision, where the hub said it readably.
        revision: Option<ProfileRevision>,
        /// The guardrail's sentence.
        message: String,
    },
    /// A guardrail or RBAC says no.
    Forbidden {
        /// Its sentence.
        message: String,
    },
    /// The call itself failed.
    Fault(Fault),
}

/// What a sign-in must be like (attack 14: every list that is not empty must hold).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// One of these `acr` values; empty: any.
    pub acr: Vec<String>,
    /// One of these `amr` values; empty: any.
    pub amr: Vec<String>,
    /// Its greatest age in seconds.
    pub max_age: Option<u64>,
    /// The guardrail's sentence.
    pub message: String,
}

const STEP_UP: &str = "insufficient_user_authentication";
const PROFILE_CHANGED: &str = "profile_changed";
/// How an API server begins a refusal of its own when a policy's parameter kind is not in its discovery cache, which it
/// renews every 30 s: nobody was judged, and nothing is taken while it lasts.
const BLIND: &str = "failed to configure policy: failed to find resource referenced by paramKind";
/// No more values than a profile can name are believed.
const VALUES_MOST: usize = 16;

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        let text = match &fault {
            Fault::Forbidden(text) | Fault::Invalid(text) => text,
            _ => return Self::Fault(fault),
        };
        let said = spoken(text);
        if said.starts_with(BLIND) {
            let why = "its guardrails can't read their profiles yet; an API server looks for them up to 30 s after it started";
            return Self::Fault(Fault::Busy(why.to_owned()));
        }
        if let Some((words, message)) = marked(said, STEP_UP) {
            return Self::StepUp(step_up(words, message));
        }
        if let Some((words, message)) = marked(said, PROFILE_CHANGED) {
            let revision = words.split(' ').find_map(|w| w.strip_prefix("revision="));
            return Self::ProfileChanged {
                revision: revision.and_then(|r| r.parse().ok()),
                message: shown(message),
            };
        }
        match fault {
            Fault::Forbidden(_) => Self::Forbidden { message: shown(said) },
            other => Self::Fault(other),
        }
    }
}

/// A policy's own words, without what the API server puts before them.
pub(crate) fn spoken(text: &str) -> &str {
    const BEFORE: &str = " denied request: ";
    text.find(BEFORE).map_or(text, |at| &text[at + BEFORE.len()..])
}

/// `<marker> key=value … :: sentence`: the words in between and the sentence. Only at the very beginning, so that a
/// reason or name quoted in another message is never taken for a marker.
fn marked<'a>(said: &'a str, marker: &str) -> Option<(&'a str, &'a str)> {
    let rest = said.strip_prefix(marker)?;
    let (words, sentence) = rest.split_once("::")?;
    (words.is_empty() || words.starts_with(' ')).then(|| (words.trim(), sentence.trim()))
}

fn step_up(words: &str, message: &str) -> StepUp {
    let mut out = StepUp { message: shown(message), ..StepUp::default() };
    let values = |list: &str| {
        let kept = |v: &&str| !v.is_empty() && v.len() <= 256 && v.bytes().all(|b| b.is_ascii_graphic());
        list.split(',').filter(kept).take(VALUES_MOST).map(str::to_owned).collect()
    };
    for word in words.split(' ') {
        match word.split_once('=') {
            Some(("acr", list)) => out.acr = values(list),
            Some(("amr", list)) => out.amr = values(list),
            Some(("max_age", seconds)) => out.max_age = seconds.parse().ok(),
            _ => {}
        }
    }
    out
}

fn shown(text: &str) -> String {
    clip(&visible(text), 500)
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StepUp(StepUp { message, .. })
            | Self::ProfileChanged { message, .. }
            | Self::Forbidden { message } => f.write_str(message),
            Self::Fault(fault) => write!(f, "the hub did not take it: {fault}"),
        }
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(sentence: &str) -> Refused {
        Refused::from(Fault::Forbidden(format!(
            "accessrequests.access.sallyport.dev \"ask-1\" is forbidden: ValidatingAdmissionPolicy \
             'requests-mfa.sallyport.dev' with binding 'requests-mfa.sallyport.dev' denied request: {sentence}"
        )))
    }

    #[test]
    fn a_step_up_is_read_from_its_marker() {
        let said =
            "insufficient_user_authentication acr=urn:mfa,phr amr=hwk max_age=900 :: profile debug needs MFA";
        let wanted = StepUp {
            acr: vec!["urn:mfa".into(), "phr".into()],
            amr: vec!["hwk".into()],
            max_age: Some(900),
            message: "profile debug needs MFA".into(),
        };
        assert_eq!(denied(said), Refused::StepUp(wanted));
        let bare = denied("insufficient_user_authentication acr= amr= max_age= :: sign in again");
        assert_eq!(bare, Refused::StepUp(StepUp { message: "sign in again".into(), ..StepUp::default() }));
    }

    #[test]
    fn a_changed_profile_is_read_from_its_marker() {
        let Refused::ProfileChanged { revision, message } =
            denied("profile_changed revision=6f1c/8 :: it changed")
        else {
            panic!()
        };
        assert_eq!((revision.unwrap().to_string().as_str(), message.as_str()), ("6f1c/8", "it changed"));
        assert!(matches!(
            denied("profile_changed revision=% :: x"),
            Refused::ProfileChanged { revision: None, .. }
        ));
    }

    #[test]
    fn everything_else_is_a_plain_no() {
        for said in [
            "nobody asks in another's name",
            "reason says insufficient_user_authentication acr=x :: y",
            "insufficient_user_authenticationX :: y",
            "insufficient_user_authentication without its end",
        ] {
            assert_eq!(denied(said), Refused::Forbidden { message: said.to_owned() }, "{said}");
        }
        assert_eq!(Refused::from(Fault::TimedOut), Refused::Fault(Fault::TimedOut));
        assert_eq!(Refused::from(Fault::Invalid("x".into())), Refused::Fault(Fault::Invalid("x".into())));
    }

    #[test]
    fn a_policy_that_can_not_read_its_profiles_yet_judged_nobody() {
        let said = "failed to configure policy: failed to find resource referenced by paramKind: \
                    'access.sallyport.dev/v1alpha1, Kind=AccessProfile'";
        let Refused::Fault(fault) = denied(said) else { panic!() };
        assert!(fault.may_pass(), "{fault}");
        assert!(matches!(denied(&format!("reason {said}")), Refused::Forbidden { .. }));
    }

    #[test]
    fn p24_hostile_values_are_dropped_and_hostile_sentences_shown_harmlessly() {
        let many = vec!["v"; 1000].join(",");
        let said = format!(
            "insufficient_user_authentication acr={many} amr=a\u{202e}b,ok max_age=-1 :: a\u{1b}[31m"
        );
        let Refused::StepUp(step) = denied(&said) else { panic!() };
        assert_eq!((step.acr.len(), step.amr, step.max_age), (16, vec!["ok".to_owned()], None));
        assert!(!step.message.contains('\u{1b}'));
    }
}
