//! A browser made of a cookie jar and a form reader.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::BoxFuture;
use url::Url;

use super::Browser;
use crate::idp::Idp;

/// Where the one-time code comes from.
type Codes = Arc<dyn Fn() -> BoxFuture<'static, Result<String>> + Send + Sync>;

/// Who signs in.
#[derive(Clone)]
pub struct Person {
    /// What is typed as the user name.
    pub username: String,
    /// What is typed as the password.
    pub password: String,
    codes: Codes,
}

impl Person {
    /// A person whose codes come from `codes`.
    pub fn new(
        username: &str,
        password: &str,
        codes: impl Fn() -> BoxFuture<'static, Result<String>> + Send + Sync + 'static,
    ) -> Self {
        Self { username: username.to_owned(), password: password.to_owned(), codes: Arc::new(codes) }
    }

    /// A person of `idp`, with a working authenticator.
    #[must_use]
    pub fn of(idp: &Idp, sub: &str) -> Self {
        let account = idp.account(sub);
        let (provider, sub) = (idp.clone(), sub.to_owned());
        Self::new(&account.email, &account.password, move || {
            let (provider, sub) = (provider.clone(), sub.clone());
            Box::pin(async move { provider.spare_code(&sub).await })
        })
    }

    /// The code to type now.
    pub(super) async fn code(&self) -> Result<String> {
        (self.codes)().await
    }
}

/// What the application's loopback listener answered.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The status.
    pub status: u16,
    /// The page.
    pub body: String,
}

/// Follows an authorization URL through the provider's forms. Keeps its cookies, so a second [`FormBrowser::sign_in`]
/// is a person coming back.
pub struct FormBrowser {
    person: Person,
    http: reqwest::Client,
}

/// A page or the way back.
enum Step {
    Page(Url, String),
    Back(Url),
}

impl FormBrowser {
    /// A browser that trusts `ca_pem` alone, used by `person`.
    ///
    /// # Errors
    /// When `ca_pem` can't be read.
    pub fn new(ca_pem: &str, person: Person) -> Result<Self> {
        let http = reqwest::Client::builder()
            .use_preconfigured_tls(super::tls(ca_pem)?)
            .redirect(reqwest::redirect::Policy::none())
            .cookie_store(true)
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()?;
        Ok(Self { person, http })
    }

    /// A browser used by `sub`, who is known to `idp`.
    ///
    /// # Errors
    /// As [`FormBrowser::new`].
    pub fn of(idp: &Idp, sub: &str) -> Result<Self> {
        Self::new(idp.ca_pem(), Person::of(idp, sub))
    }

    /// Goes through the forms and returns the URL the provider sends the browser back to, without opening it.
    ///
    /// # Errors
    /// When a form is refused, with the page's own message, or nothing on the page can be filled in.
    pub async fn callback_url(&self, url: &str) -> Result<Url> {
        let mut step = self.step(self.http.get(url)).await?;
        for _ in 0..8 {
            let (at, page) = match step {
                Step::Back(url) => return Ok(url),
                Step::Page(at, page) => (at, page),
            };
            let form = Form::choose(&page).with_context(|| said(&page))?;
            if form.refused {
                bail!(said(&page));
            }
            let mut fields: Vec<(&str, String)> = Vec::new();
            match form.id {
                "password-form" => {
                    fields.push(("username", self.person.username.clone()));
                    fields.push(("password", self.person.password.clone()));
                }
                "code-form" => fields.push(("code", self.person.code().await?)),
                // Keycloak's own.
                "kc-form-login" => {
                    fields.push(("username", self.person.username.clone()));
                    fields.push(("password", self.person.password.clone()));
                }
                "kc-otp-login-form" => fields.push(("otp", self.person.code().await?)),
                _ => {}
            }
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            let request = self.http.post(at.join(&form.action.replace("&amp;", "&"))?).body(body);
            step = self.step(request.header("content-type", "application/x-www-form-urlencoded")).await?;
        }
        bail!("the sign-in page goes round in circles")
    }

    /// Signs in and delivers the answer to the application's loopback listener.
    ///
    /// # Errors
    /// As [`FormBrowser::callback_url`], and when the listener does not answer.
    pub async fn sign_in(&self, url: &str) -> Result<Landing> {
        self.deliver(self.callback_url(url).await?).await
    }

    /// Opens the sign-in page, presses Cancel, and delivers that to the application.
    ///
    /// # Errors
    /// When the page has no such button, or the listener does not answer.
    pub async fn decline(&self, url: &str) -> Result<Landing> {
        let Step::Page(at, page) = self.step(self.http.get(url)).await? else {
            bail!("the provider sent the browser back before anything could be declined");
        };
        let mut forms =
            page.split("<form ").skip(1).filter_map(|rest| attribute(rest.split('>').next()?, "action"));
        let action = forms.find(|action| action.ends_with("/cancel")).with_context(|| said(&page))?;
        match self.step(self.http.post(at.join(action)?)).await? {
            Step::Back(back) => self.deliver(back).await,
            Step::Page(_, page) => bail!(said(&page)),
        }
    }

    async fn deliver(&self, back: Url) -> Result<Landing> {
        let answer = self.http.get(back).send().await.context("open the way back to the application")?;
        Ok(Landing { status: answer.status().as_u16(), body: answer.text().await? })
    }

    /// Sends a request and follows redirects up to a page or the loopback.
    async fn step(&self, request: reqwest::RequestBuilder) -> Result<Step> {
        let mut answer = request.send().await?;
        for _ in 0..10 {
            let at = answer.url().clone();
            if !answer.status().is_redirection() {
                return Ok(Step::Page(at, answer.text().await?));
            }
            let location = answer.headers().get("location").context("a redirect to nowhere")?.to_str()?;
            let next = at.join(location)?;
            if next.scheme() == "http" && matches!(next.host_str(), Some("127.0.0.1" | "localhost")) {
                return Ok(Step::Back(next));
            }
            answer = self.http.get(next).send().await?;
        }
        bail!("more than ten redirects")
    }
}

impl Browser for FormBrowser {
    fn open<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let landing = self.sign_in(url).await?;
            ensure!(landing.status == 200, "the application answered {}: {}", landing.status, landing.body);
            Ok(())
        })
    }
}

/// The forms that are known: of the provider of tests, and of Keycloak.
const FORMS: [&str; 5] = ["password-form", "code-form", "confirm-form", "kc-form-login", "kc-otp-login-form"];

/// The form a person would use, and whether the page says the last try was refused.
struct Form<'p> {
    id: &'p str,
    action: &'p str,
    refused: bool,
}

impl<'p> Form<'p> {
    fn choose(page: &'p str) -> Option<Self> {
        let refused = complaint(page).is_some();
        page.split("<form ").skip(1).find_map(|rest| {
            let tag = rest.split('>').next()?;
            let id = attribute(tag, "id")?;
            FORMS.contains(&id).then_some(Form { id, action: attribute(tag, "action")?, refused })
        })
    }
}

fn attribute<'p>(tag: &'p str, name: &str) -> Option<&'p str> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    tag[start..].split('"').next()
}

/// What a page says of the last try: in an element of ours, or in one of Keycloak's, whose empty places for it are
/// always there.
fn complaint(page: &str) -> Option<&str> {
    let of_keycloak = page.split("id=\"input-error").skip(1).filter(|rest| !rest.starts_with("-container"));
    let mut said = page.split("id=\"error\"").skip(1).chain(of_keycloak);
    said.next().and_then(|rest| rest.split_once('>')?.1.split('<').next()).map(str::trim)
}

/// The message on a page, for errors.
fn said(page: &str) -> String {
    complaint(page).map_or_else(|| format!("the page has no form to fill in: {page}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_for_a_complaint_is_none_yet() {
        let form = "<form id=\"kc-form-login\" action=\"/x\">";
        let place = format!("{form}<div id=\"input-error-container-username\"></div>");
        assert!(Form::choose(&place).is_some_and(|form| !form.refused));
        for (element, words) in [
            ("<span id=\"input-error\" class=\"x\"> Invalid username. </span>", "Invalid username."),
            ("<span id=\"input-error-otp-code\">Invalid code.</span>", "Invalid code."),
            ("<p id=\"error\">no</p>", "no"),
        ] {
            let page = format!("{place}{element}");
            assert!(Form::choose(&page).is_some_and(|form| form.refused));
            assert_eq!(said(&page), words);
        }
    }
}
