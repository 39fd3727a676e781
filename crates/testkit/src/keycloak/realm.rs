//! The realm, as docs/identity-providers.md describes it: two levels of authentication, acr, amr and auth_time in the ID
//! token, groups without a slash, and the exact redirect address of the issuer.

use super::RealmFor;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Seconds a one-time code is shown.
const PERIOD: i64 = 30;

/// The one-time-code secret of a person, whose bytes are the key.
pub(super) fn secret(username: &str) -> String {
    format!("{username}-sallyport-story-secret")
}

/// The code an authenticator shows now (RFC 6238 with SHA-256, six digits).
pub(super) fn code_now(secret: &str) -> String {
    code_at(secret, jiff::Timestamp::now().as_second() / PERIOD)
}

fn code_at(secret: &str, step: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[digest.len() - 1] & 15);
    let four = [digest[offset] & 0x7f, digest[offset + 1], digest[offset + 2], digest[offset + 3]];
    format!("{:06}", u32::from_be_bytes(four) % 1_000_000)
}

pub(super) fn json(realm: &RealmFor<'_>, issuer: &str) -> Value {
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(issuer.as_bytes())[..16]);
    let mut groups: Vec<&str> = realm.people.iter().map(|(_, _, group)| *group).collect();
    groups.sort_unstable();
    groups.dedup();
    json!({
        "realm": "sallyport", "enabled": true, "sslRequired": "none",
        "accessTokenLifespan": realm.token_seconds,
        // A story signs in more often than every 30 s.
        "otpPolicyType": "totp", "otpPolicyAlgorithm": "HmacSHA256", "otpPolicyDigits": 6,
        "otpPolicyPeriod": PERIOD, "otpPolicyLookAheadWindow": 1, "otpPolicyCodeReusable": true,
        "attributes": { "acr.loa.map": json!({ "urn:sallyport:pwd": 1, "urn:sallyport:mfa": 2 }).to_string() },
        "groups": groups.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "clientScopes": scopes(),
        "clients": [{
            "clientId": realm.client_id, "enabled": true, "protocol": "openid-connect", "publicClient": true,
            "standardFlowEnabled": true, "implicitFlowEnabled": false, "directAccessGrantsEnabled": false,
            "redirectUris": [format!("http://127.0.0.1/callback/{hash}")],
            "attributes": { "pkce.code.challenge.method": "S256" },
            "defaultClientScopes": ["basic", "acr", "email", "profile", "groups"],
            "protocolMappers": [mapper("amr", "oidc-amr-mapper", &json!({ "claim.name": "amr" }))],
        }],
        "users": realm.people.iter().map(person).collect::<Vec<_>>(),
        "browserFlow": "levels",
        "authenticationFlows": flows(),
        "authenticatorConfig": [
            config("level 1", &json!({ "loa-condition-level": "1", "loa-max-age": "36000" })),
            config("level 2", &json!({ "loa-condition-level": "2", "loa-max-age": "900" })),
            config("pwd", &json!({ "default.reference.value": "pwd", "default.reference.maxAge": "36000" })),
            config("otp", &json!({ "default.reference.value": "otp", "default.reference.maxAge": "900" })),
        ],
    })
}

fn person((username, name, group): &(&str, &str, &str)) -> Value {
    let (first, last) = name.split_once(' ').unwrap_or((*name, ""));
    let credential =
        json!({ "subType": "totp", "digits": 6, "period": PERIOD, "counter": 0, "algorithm": "HmacSHA256" });
    json!({
        "username": username, "email": format!("{username}@meridian.example"), "emailVerified": true, "enabled": true,
        "firstName": first, "lastName": last, "groups": [format!("/{group}")],
        "credentials": [
            { "type": "password", "value": format!("{username}-password"), "temporary": false },
            {
                "type": "otp", "userLabel": "phone",
                "secretData": json!({ "value": secret(username) }).to_string(),
                "credentialData": credential.to_string(),
            },
        ],
    })
}

fn mapper(name: &str, kind: &str, config: &Value) -> Value {
    let mut all = json!({ "id.token.claim": "true", "access.token.claim": "true" });
    for (key, value) in config.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    json!({ "name": name, "protocol": "openid-connect", "protocolMapper": kind, "consentRequired": false, "config": all })
}

fn scopes() -> Value {
    let scope = |name: &str, mappers: Vec<Value>| {
        json!({ "name": name, "protocol": "openid-connect", "protocolMappers": mappers,
            "attributes": { "include.in.token.scope": "true" } })
    };
    let auth_time =
        json!({ "user.session.note": "AUTH_TIME", "claim.name": "auth_time", "jsonType.label": "long" });
    let email = json!({ "user.attribute": "email", "claim.name": "email", "jsonType.label": "String" });
    let verified = json!({ "user.attribute": "emailVerified", "claim.name": "email_verified", "jsonType.label": "boolean" });
    json!([
        scope(
            "basic",
            vec![
                mapper("sub", "oidc-sub-mapper", &json!({})),
                mapper("auth_time", "oidc-usersessionmodel-note-mapper", &auth_time),
            ]
        ),
        scope("acr", vec![mapper("acr", "oidc-acr-mapper", &json!({}))]),
        scope(
            "email",
            vec![
                mapper("email", "oidc-usermodel-attribute-mapper", &email),
                mapper("email verified", "oidc-usermodel-property-mapper", &verified),
            ]
        ),
        scope("profile", vec![mapper("name", "oidc-full-name-mapper", &json!({}))]),
        scope(
            "groups",
            vec![mapper(
                "groups",
                "oidc-group-membership-mapper",
                &json!({ "claim.name": "groups", "full.path": "false" }),
            )]
        ),
    ])
}

fn config(alias: &str, config: &Value) -> Value {
    json!({ "alias": alias, "config": config })
}

/// A cookie, or a level for what is asked: the password, and the code where the second level is wanted.
fn flows() -> Value {
    let flow = |alias: &str, top: bool, steps: Vec<Value>| {
        json!({ "alias": alias, "description": "", "providerId": "basic-flow", "topLevel": top, "builtIn": false,
            "authenticationExecutions": steps })
    };
    let step = |name: &str, requirement: &str, priority: u32, config: Option<&str>| {
        let mut step = json!({ "authenticator": name, "requirement": requirement, "priority": priority,
            "authenticatorFlow": false, "userSetupAllowed": false });
        if let Some(config) = config {
            step["authenticatorConfig"] = json!(config);
        }
        step
    };
    let part = |alias: &str, requirement: &str, priority: u32| {
        json!({ "flowAlias": alias, "requirement": requirement, "priority": priority, "authenticatorFlow": true,
            "userSetupAllowed": false })
    };
    let condition = "conditional-level-of-authentication";
    json!([
        flow(
            "levels",
            true,
            vec![step("auth-cookie", "ALTERNATIVE", 10, None), part("forms", "ALTERNATIVE", 20),]
        ),
        flow("forms", false, vec![part("level 1", "CONDITIONAL", 10), part("level 2", "CONDITIONAL", 20)]),
        flow(
            "level 1",
            false,
            vec![
                step(condition, "REQUIRED", 10, Some("level 1")),
                step("auth-username-password-form", "REQUIRED", 20, Some("pwd")),
            ]
        ),
        flow(
            "level 2",
            false,
            vec![
                step(condition, "REQUIRED", 10, Some("level 2")),
                step("auth-otp-form", "REQUIRED", 20, Some("otp")),
            ]
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238 appendix B, SHA-256, at 59 s: 46119246, of which the last six.
        assert_eq!(code_at("12345678901234567890123456789012", 1), "119246");
    }
}
