use std::{future::Future, time::Duration};

use openidconnect::{CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier};
use sallyport_model::Secret;
use serde_json::json;
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::{
    claims::{Expect, ExpectNonce, IdClaims},
    error::{Error, quoted},
    loopback::{Arrival, Loopback},
    provider::Provider,
};

/// What a sign-in is asked to be. What is asked for is also checked in the answer: providers may ignore it.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// The `acr` must be one of these; empty accepts any.
    pub acr_values: Vec<String>,
    /// One of these must be in `amr`; empty accepts any. There is no parameter to ask a provider for methods.
    pub amr: Vec<String>,
    /// The person must have proved themselves within this time.
    pub max_age: Option<Duration>,
    /// Fills in the user name on the sign-in page.
    pub login_hint: Option<String>,
    /// What the provider has to show even if it knows the person.
    pub prompt: Option<Prompt>,
}

/// OpenID Connect Core 1.0 §3.1.2.1, without `none`: a person is in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Prove who you are, again.
    Login,
    /// Choose an account.
    SelectAccount,
    /// Agree to what is asked for, which some providers want for a refresh token.
    Consent,
}

/// Sent where no age is wanted: nobody has to prove anything anew for it, and the provider then has to say `auth_time`
/// (OpenID Connect Core 1.0 §2), which profiles may want later.
const ANY_AGE: Duration = Duration::from_secs(30 * 86_400);

/// A sign-in that waits for the browser. Dropping it closes the loopback port.
#[derive(Debug)]
pub struct Pending {
    provider: Provider,
    loopback: Loopback,
    url: Url,
    state: CsrfToken,
    nonce: Nonce,
    pkce: PkceCodeVerifier,
    ask: Ask,
}

/// A completed sign-in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The verified ID token, for the hub it was issued for and for nobody else.
    pub id_token: Secret<String>,
    /// Renews it, if the provider gave one.
    pub refresh_token: Option<Secret<String>>,
    /// What the ID token says.
    pub claims: IdClaims,
    pub(crate) nonce: String,
}

impl Provider {
    /// Prepares a sign-in: listens on a free port of 127.0.0.1, or one of those configured, and composes the URL for the browser. Nothing is
    /// opened and nothing is sent; that is up to the caller, and only when the person acted.
    ///
    /// # Errors
    /// [`Error::Loopback`], [`Error::PortsTaken`].
    pub async fn begin(&self, ask: Ask) -> Result<Pending, Error> {
        let loopback = Loopback::bind(&self.config().redirect, &self.callback_path()).await?;
        let (state, nonce) = (CsrfToken::new_random(), Nonce::new_random());
        let (challenge, pkce) = PkceCodeChallenge::new_random_sha256();
        let mut url = self.discovery().authorization.clone();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &self.config().client_id)
                .append_pair("redirect_uri", &loopback.redirect_uri())
                .append_pair("scope", &self.scope())
                .append_pair("state", state.secret())
                .append_pair("nonce", nonce.secret())
                .append_pair("code_challenge", challenge.as_str())
                .append_pair("code_challenge_method", "S256");
            for (name, value) in self.wishes(&ask) {
                query.append_pair(name, &value);
            }
        }
        Ok(Pending { provider: self.clone(), loopback, url, state, nonce, pkce, ask })
    }

    fn scope(&self) -> String {
        let others = self.config().scopes.iter().map(String::as_str).filter(|scope| *scope != "openid");
        std::iter::once("openid").chain(others).collect::<Vec<_>>().join(" ")
    }

    fn wishes(&self, ask: &Ask) -> Vec<(&'static str, String)> {
        let mut wishes = Vec::new();
        if !ask.acr_values.is_empty() {
            wishes.push(("acr_values", ask.acr_values.join(" ")));
            // `acr_values` is voluntary for the provider, an essential claim is not (OpenID Connect Core §5.5.1). One
            // with a class the provider does not know is a page there that never comes back, so it is asked for only
            // where the provider lists it; what comes is checked either way.
            let listed = self.discovery().acrs.as_deref().unwrap_or_default();
            let known: Vec<&String> = ask.acr_values.iter().filter(|acr| listed.contains(acr)).collect();
            if self.discovery().takes_claims && !known.is_empty() {
                let claims = json!({ "id_token": {
                    "acr": { "essential": true, "values": known },
                    "auth_time": { "essential": true },
                }});
                wishes.push(("claims", claims.to_string()));
            }
        }
        wishes.push(("max_age", ask.max_age.unwrap_or(ANY_AGE).as_secs().to_string()));
        if let Some(hint) = &ask.login_hint {
            wishes.push(("login_hint", hint.clone()));
        }
        if let Some(prompt) = ask.prompt {
            let word = match prompt {
                Prompt::Login => "login",
                Prompt::SelectAccount => "select_account",
                Prompt::Consent => "consent",
            };
            wishes.push(("prompt", word.to_owned()));
        }
        wishes
    }
}

impl Pending {
    /// What the browser has to open.
    pub fn authorization_url(&self) -> &Url {
        &self.url
    }

    /// Waits for the browser to come back, redeems the code and verifies the ID token. `deadline` is for the person;
    /// each request to the provider has its own, from the configuration. Ends early when `cancel` does.
    ///
    /// # Errors
    /// [`Error::Timeout`] and [`Error::Cancelled`] for the person, [`Error::Denied`] and [`Error::Refused`] from the
    /// provider, and everything that can be wrong with a token.
    pub async fn finish(
        self,
        deadline: Duration,
        cancel: impl Future<Output = ()>,
    ) -> Result<SignedIn, Error> {
        tokio::select! {
            biased;
            () = cancel => Err(Error::Cancelled),
            result = self.serve() => result,
            () = tokio::time::sleep(deadline) => {
                Err(Error::Timeout { what: "the sign-in in the browser".to_owned(), after: deadline })
            }
        }
    }

    async fn serve(mut self) -> Result<SignedIn, Error> {
        let first = self.answer_of_ours().await?;
        // A browser may open the address twice: whoever comes while the code is redeemed sees the same page.
        let (mut waiting, mut loopback) = (Vec::new(), self.loopback);
        let asked = Asked {
            provider: &self.provider,
            ask: &self.ask,
            state: &self.state,
            nonce: &self.nonce,
            pkce: &self.pkce,
            redirect_uri: loopback.redirect_uri(),
        };
        let result = {
            let completing = asked.complete(&first);
            tokio::pin!(completing);
            loop {
                tokio::select! {
                    result = &mut completing => break result,
                    arrival = loopback.next() => match arrival {
                        Ok(arrival) if asked.is_ours(&arrival) => waiting.push(arrival),
                        Ok(stranger) => loopback.ignore(stranger),
                        // The listener is gone; the answer that came is still good.
                        Err(_) => break completing.await,
                    },
                }
            }
        };
        let shown = result.as_ref().map(|done| done.claims.clone());
        loopback.answer(first, &shown).await;
        for arrival in waiting {
            loopback.answer(arrival, &shown).await;
        }
        result
    }

    /// Anyone on this machine can knock; only the answer to our own question counts, so that a page in another tab can
    /// neither end the sign-in nor slip in a code of its own.
    async fn answer_of_ours(&mut self) -> Result<Arrival, Error> {
        loop {
            let arrival = self.loopback.next().await?;
            if is_ours(&arrival, &self.state) {
                return Ok(arrival);
            }
            self.loopback.ignore(arrival);
        }
    }
}

fn is_ours(arrival: &Arrival, ours: &CsrfToken) -> bool {
    let said = arrival.param("state");
    said.is_some_and(|state| bool::from(state.as_bytes().ct_eq(ours.secret().as_bytes())))
}

/// What was asked for, to hold the answer against.
struct Asked<'p> {
    provider: &'p Provider,
    ask: &'p Ask,
    state: &'p CsrfToken,
    nonce: &'p Nonce,
    pkce: &'p PkceCodeVerifier,
    redirect_uri: String,
}

impl Asked<'_> {
    fn is_ours(&self, arrival: &Arrival) -> bool {
        is_ours(arrival, self.state)
    }

    async fn complete(&self, arrival: &Arrival) -> Result<SignedIn, Error> {
        self.check_issuer(arrival)?;
        if let Some(code) = arrival.param("error") {
            return Err(self.refusal(code, arrival.param("error_description").unwrap_or_default()));
        }
        let Some(code) = arrival.param("code") else {
            return Err(Error::Refused {
                code: "no code".to_owned(),
                why: "the answer holds none".to_owned(),
            });
        };
        let tokens = self
            .provider
            .redeem(&[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", &self.redirect_uri),
                ("code_verifier", self.pkce.secret()),
            ])
            .await?;
        tokens.clock?;
        let Some(id_token) = tokens.id_token else {
            return Err(Error::bad_token("there is none in the answer"));
        };
        let expect = Expect {
            nonce: ExpectNonce::Exactly(self.nonce.secret().clone()),
            acr: self.ask.acr_values.clone(),
            amr: self.ask.amr.clone(),
            max_age: self.ask.max_age,
            subject: None,
        };
        let claims = self.provider.verify(&id_token, &expect).await?;
        let nonce = self.nonce.secret().clone();
        Ok(SignedIn { id_token, refresh_token: tokens.refresh_token, claims, nonce })
    }

    /// RFC 9207: the answer must come from the provider that was asked.
    fn check_issuer(&self, arrival: &Arrival) -> Result<(), Error> {
        match arrival.param("iss") {
            Some(iss) if iss != self.provider.config().issuer => {
                Err(Error::bad_token(format!("the answer comes from `{}`, another issuer", quoted(iss))))
            }
            None if self.provider.discovery().says_iss => Err(Error::setting(
                "the answer does not say which issuer it comes from (iss), though the provider's discovery document \
                 says that it does",
                "An admin can make the identity provider put it into its answers, or take \
                 `authorization_response_iss_parameter_supported` out of its discovery document.",
            )),
            _ => Ok(()),
        }
    }

    fn refusal(&self, code: &str, why: &str) -> Error {
        let why = if why.is_empty() { "no reason given".to_owned() } else { quoted(why) };
        match code {
            "access_denied" => Error::Denied { why },
            "unmet_authentication_requirements" => {
                Error::MfaTooWeak { claim: "acr", wanted: self.ask.acr_values.clone(), got: Vec::new() }
            }
            "invalid_scope" => Error::setting(
                format!(
                    "it does not give this application all of the scopes `{}` ({why})",
                    self.provider.scope()
                ),
                "An admin can assign them to the client at the identity provider, or take them out of the workspace file.",
            ),
            _ => Error::Refused { code: quoted(code), why },
        }
    }
}
