//! What can be told from claims alone, for sentences to people. Pure.

use crate::claims::IdClaims;

/// Methods that are one factor on their own: what one knows (RFC 8176 §2), or no proof at all.
const KNOWN: [&str; 6] = ["pwd", "password", "pin", "kba", "user", "rba"];

/// Whether a sign-in proved a second factor: by its methods, where the provider says them, else by its class, when that
/// is one of those that profiles ask for.
#[must_use]
pub fn second_factor(amr: &[String], acr: Option<&str>, strong: &[String]) -> bool {
    if amr.is_empty() {
        return acr.is_some_and(|acr| strong.iter().any(|one| one == acr));
    }
    amr.iter().any(|method| !KNOWN.contains(&method.as_str()))
}

/// Why an API server may refuse an ID token that was found in order here, by what its claims say or lack: what the
/// hub's configuration demands as this project ships it. Empty when nothing stands out.
#[must_use]
pub fn may_be_refused(claims: &IdClaims) -> Vec<String> {
    let mut why = Vec::new();
    let odd = |name: &str| claims.odd.contains(&name);
    match &claims.email {
        None => why.push("its token has no address (email), which names the user".to_owned()),
        Some(_) if odd("email_verified") => {
            why.push("email_verified is text in its token, and an API server wants true or false".to_owned());
        }
        Some(email) if !claims.email_verified => why.push(format!(
            "the address {} is not verified at the identity provider (email_verified)",
            crate::error::quoted(email)
        )),
        Some(_) => {}
    }
    if claims.groups_left_out {
        why.push(
            "it points at the groups instead of naming them since there are too many, and an API server does not fetch \
             them: only those that are assigned to this application may be sent"
                .to_owned(),
        );
    }
    for name in ["acr", "amr", "auth_time", "groups"].into_iter().filter(|name| odd(name)) {
        why.push(format!("{name} is in a form in its token that an API server may not read"));
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn fault_b7_a_password_alone_is_no_second_factor() {
        let strong = of(&["urn:mfa"]);
        for (amr, acr, is) in [
            (&[][..], None, false),
            (&["pwd"][..], None, false),
            (&["pwd"][..], Some("urn:mfa"), false),
            (&["pwd", "otp"][..], None, true),
            (&["mfa"][..], Some("0"), true),
            (&["hwk"][..], None, true),
            (&[][..], Some("urn:mfa"), true),
            (&[][..], Some("1"), false),
        ] {
            assert_eq!(second_factor(&of(amr), acr, &strong), is, "{amr:?} {acr:?}");
        }
        assert!(!second_factor(&[], Some("urn:mfa"), &[]), "no profile asks for that class");
    }
}
