use crate::error::{shown, shown_path};
use sallyport_model::Secret;
use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;

/// A PEM text that stands in the kubeconfig itself, or in a file that it names.
#[derive(Clone)]
pub enum Kept {
    /// In the kubeconfig (`…-data`).
    Inline(Secret<String>),
    /// In this file. A relative path was resolved against the kubeconfig's folder.
    File(PathBuf),
}

/// The longest certificate, key or bundle that is read, in bytes.
const MOST: u64 = 1 << 20;

impl Kept {
    /// The text; a file is read now. Only for a context that the person has named.
    ///
    /// # Errors
    /// A sentence that names the file: it can't be read, is no plain file, is larger than 1 MiB or holds no text.
    pub fn read(&self) -> Result<Secret<String>, String> {
        let path = match self {
            Self::Inline(text) => return Ok(text.clone()),
            Self::File(path) => path,
        };
        let shown_file = shown_path(path);
        let failed =
            |error: std::io::Error| format!("{shown_file} can't be read: {}", shown(&error.to_string()));
        // A pipe or a device would be waited for.
        let meta = std::fs::metadata(path).map_err(failed)?;
        if !meta.is_file() {
            return Err(format!("{shown_file} is no plain file"));
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MOST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MOST {
            return Err(format!("{shown_file} is larger than 1 MiB"));
        }
        String::from_utf8(bytes).map(Secret::new).map_err(|_| format!("{shown_file} holds no text"))
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("in the kubeconfig"),
            Self::File(path) => write!(f, "in {}", path.display()),
        }
    }
}
