//! The history with fakes of the disk and the gateway: what becomes of an entry, an answer and a verdict when the disk is slow,
//! full, damaged or gone. Time stands still while somebody works. That a real file behaves as the fake does is `on_disk`.

mod on_disk;
mod read;
mod store;
mod verified;
mod written;
