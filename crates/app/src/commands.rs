//! The window's commands: each is the use case of a part, and what is written here is made from the list in `sallyport-ipc`.

use crate::app::{App, Parts};
use crate::desk::{AppError, Output};
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_ipc::*;
use std::any::Any;

macro_rules! facade {
    () => {};
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
        => reads $part:ident.$method:ident; $($rest:tt)*) => {
        facade! { @plain $(#[$doc])* $name($($arg: $ty),*) -> $out => $part.$method; }
        facade! { $($rest)* }
    };
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
        => passes $part:ident.$method:ident; $($rest:tt)*) => {
        facade! { @plain $(#[$doc])* $name($($arg: $ty),*) -> $out => $part.$method; }
        facade! { $($rest)* }
    };
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
        => records($action:ident) $part:ident.$method:ident; $($rest:tt)*) => {
        facade! { @records $(#[$doc])* $name($($arg: $ty),*)() -> $out => $action $part.$method; }
        facade! { $($rest)* }
    };
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
        => streams($action:ident) $part:ident.$method:ident; $($rest:tt)*) => {
        facade! { @records $(#[$doc])* $name($($arg: $ty),*)(output: Output) -> $out => $action $part.$method; }
        facade! { $($rest)* }
    };
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
        => streams $part:ident.$method:ident; $($rest:tt)*) => {
        facade! { @plain $(#[$doc])* $name($($arg: $ty,)* output: Output) -> $out => $part.$method; }
        facade! { $($rest)* }
    };
    (@plain $(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty => $part:ident.$method:ident;) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// What happened and what to do next.
        pub async fn $name(&self, $($arg: $ty),*) -> Result<$out, AppError> {
            self.0.desk.met(stringify!($name), self.0.$part().$method($($arg),*).await)
        }
    };
    (@records $(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*)($($more:ident: $more_ty:ty)?) -> $out:ty
        => $action:ident $part:ident.$method:ident;) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// What happened and what to do next; an entry says so too.
        pub async fn $name(&self, $($arg: $ty,)* $($more: $more_ty)?) -> Result<$out, AppError> {
            let draft = Draft::new(Action::$action)$(.about(stringify!($arg), &$arg))*;
            let done = self.0.$part().$method($($arg,)* $($more)?).await;
            let done = self.0.desk.met(stringify!($name), done);
            self.0.record(draft, done).await
        }
    };
}

impl App {
    sallyport_ipc::commands!(facade);
}

impl Parts {
    /// Writes the entry of a command that was refused or failed. One that was given up is none.
    async fn record<T>(&self, draft: Draft, done: Result<T, AppError>) -> Result<T, AppError> {
        if let Err(error) = &done
            && error.code() != sallyport_model::ErrorCode::Cancelled
        {
            let draft = match self.person.is_signed_in() {
                Some(signed) => draft.user(&signed.who.user),
                None => draft,
            };
            self.history.note(draft.outcome(outcome(error)).detail("why", error.message())).await;
        }
        done
    }
}

/// Whether somebody said no, or it went wrong.
fn outcome(error: &AppError) -> Outcome {
    use sallyport_model::ErrorCode as Code;
    match error.code() {
        Code::Forbidden | Code::BadInput | Code::SignInNeeded | Code::StepUpNeeded | Code::ReasonNeeded => {
            Outcome::Refused
        }
        _ => Outcome::Failed,
    }
}

/// What a command was about, as far as its arguments say it in words that are the desktop's own.
trait About {
    fn about(self, argument: &str, value: &dyn Any) -> Self;
}

impl About for Draft {
    fn about(self, argument: &str, value: &dyn Any) -> Self {
        if let Some(input) = value.downcast_ref::<OpenInput>() {
            let named = match input.cluster.parse() {
                Ok(cluster) => self.cluster(&cluster),
                Err(_) => self,
            };
            return match &input.profile {
                Some(profile) => named.detail("profile", profile),
                None => named,
            };
        }
        match (argument, value.downcast_ref::<String>()) {
            ("request", Some(uid)) => self.request(&sallyport_model::RequestUid::new(uid.clone())),
            ("session" | "id", Some(id)) => self.session(&sallyport_model::SessionId::new(id.clone())),
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests;
