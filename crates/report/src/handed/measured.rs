//! How much was written, and its hash.

use sallyport_model::Digest;
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};

/// Whatever is written into it goes on to what is behind it.
#[derive(Debug)]
pub struct Measured<W> {
    out: W,
    bytes: u64,
    hash: Sha256,
}

impl<W> Measured<W> {
    /// Before something.
    pub fn new(out: W) -> Self {
        Self { out, bytes: 0, hash: Sha256::new() }
    }

    /// Bytes that were written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Their SHA-256, in hex.
    pub fn sha256(&self) -> String {
        Digest::from(<[u8; 32]>::from(self.hash.clone().finalize())).to_string()
    }

    /// What is behind it.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        let written = bytes.get(..taken).unwrap_or_default();
        self.bytes += written.len() as u64;
        self.hash.update(written);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
