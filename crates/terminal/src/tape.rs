use crate::size::Size;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

/// What a [`Tape`] answers once it has taken something.
pub type Taking<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Takes down what happens in a terminal, before whoever looks at it sees it. The terminal waits for it: while it is behind,
/// the shell is not read, and nothing typed reaches it.
pub trait Tape: Send + Sync + Debug {
    /// What the terminal said.
    fn output<'a>(&'a self, bytes: &'a [u8]) -> Taking<'a>;

    /// Whether it wants what is typed too.
    fn wants_input(&self) -> bool;

    /// What is about to be typed, while the terminal echoes. What is typed while it does not (a password, and whatever a
    /// program reads that draws what is typed itself, as line editors do) is never told.
    fn input<'a>(&'a self, bytes: &'a [u8]) -> Taking<'a>;

    /// Its new size.
    fn resized(&self, size: Size);

    /// That nothing follows.
    fn ended(&self);
}
