//! The window's commands: each hands its arguments to one use case and its answer back. They are made from the one
//! list, `sallyport_ipc::commands!`, so there is none that the list does not name.

use sallyport_app::{App, AppError, Output};
use sallyport_ipc::*;
use tauri::State;
use tauri::ipc::{Channel, InvokeResponseBody};

type Answer<T> = Result<T, ErrorView>;

macro_rules! adapters {
    () => {};
    // These also take where their bytes go, which is Tauri's and has no place in the list.
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
        => streams $(($action:ident))? $part:ident.$method:ident; $($rest:tt)*) => {
        #[tauri::command]
        pub(crate) async fn $name(
            app: State<'_, App>,
            $($arg: $ty,)*
            output: Channel<InvokeResponseBody>,
        ) -> Answer<$out> {
            app.$name($($arg,)* raw(output)).await.map_err(AppError::into_view)
        }
        adapters! { $($rest)* }
    };
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
        => $how:ident$(($action:ident))? $part:ident.$method:ident; $($rest:tt)*) => {
        #[tauri::command]
        pub(crate) async fn $name(app: State<'_, App>, $($arg: $ty),*) -> Answer<$out> {
            app.$name($($arg),*).await.map_err(AppError::into_view)
        }
        adapters! { $($rest)* }
    };
}
sallyport_ipc::commands!(adapters);

/// A terminal's bytes go to the window as they are; false once nobody listens.
fn raw(channel: Channel<InvokeResponseBody>) -> Output {
    Box::new(move |bytes| channel.send(InvokeResponseBody::Raw(bytes)).is_ok())
}
