//! Taking a kubeconfig's fields apart. Texts are moved out and never shown: any of them may be a secret in the wrong
//! place.

use crate::Kept;
use crate::error::Fault;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sallyport_model::Secret;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The fields of one object, and where it stands.
pub(crate) struct Fields {
    at: String,
    map: Map<String, Value>,
}

fn wrong(field: String, wanted: &'static str) -> Fault {
    Fault::Type { field, wanted }
}

impl Fields {
    pub(crate) fn of(value: Value, at: &str) -> Result<Self, Fault> {
        match value {
            Value::Object(map) => Ok(Self { at: at.to_owned(), map }),
            // `user:` with nothing behind it is a user without anything.
            Value::Null => Ok(Self { at: at.to_owned(), map: Map::new() }),
            _ => Err(wrong(if at.is_empty() { "the file".to_owned() } else { at.to_owned() }, "an object")),
        }
    }

    pub(crate) fn path(&self, field: &str) -> String {
        if self.at.is_empty() { field.to_owned() } else { format!("{}.{field}", self.at) }
    }

    /// A field as it is.
    pub(crate) fn take(&mut self, field: &str) -> Value {
        self.map.remove(field).unwrap_or_default()
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.map.get(field).is_some_and(|value| !value.is_null())
    }

    /// A text; an empty one counts as none.
    pub(crate) fn text(&mut self, field: &str) -> Result<Option<String>, Fault> {
        match self.map.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(_) => Err(wrong(self.path(field), "a text")),
        }
    }

    pub(crate) fn secret(&mut self, field: &str) -> Result<Option<Secret<String>>, Fault> {
        Ok(self.text(field)?.map(Secret::new))
    }

    pub(crate) fn flag(&mut self, field: &str) -> Result<bool, Fault> {
        match self.map.remove(field) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(wrong(self.path(field), "true or false")),
        }
    }

    pub(crate) fn object(&mut self, field: &str) -> Result<Fields, Fault> {
        let at = self.path(field);
        Fields::of(self.take(field), &at)
    }

    pub(crate) fn list(&mut self, field: &str) -> Result<Vec<Value>, Fault> {
        match self.map.remove(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(wrong(self.path(field), "a list")),
        }
    }

    pub(crate) fn texts(&mut self, field: &str) -> Result<Vec<String>, Fault> {
        let at = self.path(field);
        let text = |value| match value {
            Value::String(text) => Ok(text),
            _ => Err(wrong(at.clone(), "a list of texts")),
        };
        self.list(field)?.into_iter().map(text).collect()
    }

    pub(crate) fn file(&mut self, field: &str, folder: &Path) -> Result<Option<PathBuf>, Fault> {
        Ok(self.text(field)?.map(|path| folder.join(path)))
    }

    /// A PEM text: `NAME-data` in base64 wins over the file that `NAME` names, as in kubectl.
    pub(crate) fn kept(&mut self, field: &str, folder: &Path) -> Result<Option<Kept>, Fault> {
        let file = self.file(field, folder)?.map(Kept::File);
        let data = format!("{field}-data");
        let Some(text) = self.secret(&data)? else { return Ok(file) };
        // Go's decoder passes over line breaks and over nothing else.
        let packed = Secret::new(text.expose().replace(['\r', '\n'], ""));
        let no_base64 = || Fault::NotBase64(self.path(&data));
        let bytes = STANDARD.decode(packed.expose()).map_err(|_| no_base64())?;
        let text = String::from_utf8(bytes).map_err(|_| no_base64())?;
        Ok(Some(Kept::Inline(Secret::new(text))))
    }
}
