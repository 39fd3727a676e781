use crate::Kept;
use crate::error::{Fault, shown};
use crate::fields::Fields;
use sallyport_model::Secret;
use std::fmt;
use std::path::{Path, PathBuf};

/// How a user of a kubeconfig would sign in. `Debug` shows no secret.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// The client certificate chain, PEM.
    pub certificate: Option<Kept>,
    /// Its key, PEM.
    pub key: Option<Kept>,
    /// A bearer token.
    pub token: Option<Secret<String>>,
    /// A file with a bearer token, which wins over `token` as in kubectl.
    pub token_file: Option<PathBuf>,
    /// Whether there is a user name or a password. Neither is kept: API servers have not taken them since 1.19.
    pub basic: bool,
    /// A program that kubectl would run.
    pub exec: Option<Exec>,
    /// The name of a built-in plugin of old, which kubectl has not had since 1.26.
    pub auth_provider: Option<String>,
    /// Whom kubectl would act as, where it would.
    pub acts_as: Option<String>,
}

/// A program that kubectl would run for a credential. It is told and never run. `Debug` shows no argument: one may be a
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct Exec {
    /// The program. One with a slash in it was resolved against the kubeconfig's folder.
    pub command: PathBuf,
    /// Its arguments, as they stand there.
    pub args: Vec<String>,
    /// The names of the variables that it would be given. Their values are not kept.
    pub env: Vec<String>,
}

/// A way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// A client certificate.
    Certificate,
    /// A bearer token in the kubeconfig.
    Token,
    /// A bearer token in a file.
    TokenFile,
    /// User name and password.
    Basic,
    /// A program.
    Exec,
    /// A built-in plugin of old.
    AuthProvider,
}

/// With what to sign in.
#[derive(Clone, Copy, Debug)]
pub enum SignIn<'a> {
    /// Nothing.
    Anonymous,
    /// A client certificate.
    Certificate {
        /// The chain, PEM, leaf first.
        chain: &'a Kept,
        /// Its key, PEM.
        key: &'a Kept,
    },
    /// A bearer token.
    Token(&'a Secret<String>),
    /// A bearer token in a file that may change.
    TokenFile(&'a Path),
}

/// Why a user can't be signed in as, for now or for good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A program would have to be run.
    #[error(
        "it signs in by running `{}` with {args} arguments, and nothing that a kubeconfig names is run before solo mode \
         can ask you; use a user with a client certificate or a token",
        shown(.command)
    )]
    Exec {
        /// The program.
        command: String,
        /// How many arguments it would be given.
        args: usize,
    },
    /// A built-in plugin of old.
    #[error(
        "it signs in by the auth-provider {}, which kubectl has not had since 1.26; use a user with a client \
         certificate or a token",
        shown(.0)
    )]
    AuthProvider(String),
    /// User name and password.
    #[error("it signs in by user name and password, which API servers have not taken since 1.19")]
    Basic,
    /// Half of a certificate.
    #[error(
        "it has {0} and not what belongs to it: a client certificate takes client-certificate and client-key"
    )]
    Half(&'static str),
    /// It would act as somebody else.
    #[error(
        "it acts as {}, and that is not done here yet: the answers would be about somebody else; use a user without \
         `as`",
        shown(.0)
    )]
    ActsAs(String),
}

impl User {
    pub(crate) fn of(mut fields: Fields, folder: &Path) -> Result<Self, Fault> {
        let exec = if fields.has("exec") { Some(Exec::of(fields.object("exec")?, folder)?) } else { None };
        let auth_provider = match fields.has("auth-provider") {
            true => Some(fields.object("auth-provider")?.text("name")?.unwrap_or_default()),
            false => None,
        };
        let acts_as = fields.text("as")?;
        // Each of them changes who asks, alone as well.
        let others = ["as-uid", "as-groups", "as-user-extra"].into_iter().find(|field| fields.has(field));
        let basic = [fields.secret("username")?, fields.secret("password")?].iter().any(Option::is_some);
        Ok(Self {
            certificate: fields.kept("client-certificate", folder)?,
            key: fields.kept("client-key", folder)?,
            token: fields.secret("token")?,
            token_file: fields.file("tokenFile", folder)?,
            basic,
            exec,
            auth_provider,
            acts_as: acts_as.or_else(|| others.map(|field| format!("({field})"))),
        })
    }

    /// All ways that it names, those that are refused included.
    pub fn methods(&self) -> Vec<Method> {
        let named = [
            (self.certificate.is_some() || self.key.is_some(), Method::Certificate),
            (self.token.is_some() && self.token_file.is_none(), Method::Token),
            (self.token_file.is_some(), Method::TokenFile),
            (self.basic, Method::Basic),
            (self.exec.is_some(), Method::Exec),
            (self.auth_provider.is_some(), Method::AuthProvider),
        ];
        named.into_iter().filter(|(is, _)| *is).map(|(_, method)| method).collect()
    }

    /// With what to sign in. With several, what an API server looks at first: the certificate, then the token.
    ///
    /// # Errors
    /// [`Refused`]: also where a program stands beside a token, since kubectl would run it.
    pub fn sign_in(&self) -> Result<SignIn<'_>, Refused> {
        if let Some(exec) = &self.exec {
            let command = exec.command.display().to_string();
            return Err(Refused::Exec { command, args: exec.args.len() });
        }
        if let Some(name) = &self.auth_provider {
            return Err(Refused::AuthProvider(name.clone()));
        }
        if let Some(whom) = &self.acts_as {
            return Err(Refused::ActsAs(whom.clone()));
        }
        match (&self.certificate, &self.key) {
            (Some(chain), Some(key)) => return Ok(SignIn::Certificate { chain, key }),
            (Some(_), None) => return Err(Refused::Half("client-certificate")),
            (None, Some(_)) => return Err(Refused::Half("client-key")),
            (None, None) => {}
        }
        match (&self.token_file, &self.token) {
            (Some(file), _) => Ok(SignIn::TokenFile(file)),
            (None, Some(token)) => Ok(SignIn::Token(token)),
            (None, None) if self.basic => Err(Refused::Basic),
            (None, None) => Ok(SignIn::Anonymous),
        }
    }
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} arguments", self.command.display(), self.args.len())
    }
}

impl Exec {
    fn of(mut fields: Fields, folder: &Path) -> Result<Self, Fault> {
        let command = fields.text("command")?.unwrap_or_default();
        // A bare name is looked up in PATH; anything else is a file beside the kubeconfig.
        let command = if command.contains('/') { folder.join(command) } else { PathBuf::from(command) };
        let at = fields.path("env");
        let name = |value| Ok(Fields::of(value, &at)?.text("name")?.unwrap_or_default());
        let args = fields.texts("args")?;
        let env = fields.list("env")?.into_iter().map(name).collect::<Result<_, Fault>>()?;
        Ok(Self { command, args, env })
    }
}
