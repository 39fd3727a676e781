//! One page of a list, taken in field by field: of its objects only what is kept is ever made.

use crate::reduce::Reduced;
use sallyport_posture::Kind;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// What is taken of a page.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    /// Its objects, reduced.
    pub(crate) items: Vec<Value>,
    /// The token of the next page; none: it is the last.
    pub(crate) next: Option<String>,
}

/// Reads a page of a kind. None: it is no list.
pub(crate) fn page(kind: Kind, body: &[u8]) -> Option<Page> {
    let mut from = serde_json::Deserializer::from_slice(body);
    let page = Of(kind).deserialize(&mut from).ok()?;
    from.end().ok()?;
    Some(page)
}

#[derive(Deserialize, Default)]
struct Meta {
    #[serde(default)]
    r#continue: Option<String>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Field {
    Kind,
    Metadata,
    Items,
    #[serde(other)]
    Other,
}

struct Of(Kind);

impl<'de> DeserializeSeed<'de> for Of {
    type Value = Page;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Page, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Of {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Page, A::Error> {
        let (mut kind, mut meta, mut items) = (None::<String>, None::<Meta>, None);
        while let Some(field) = from.next_key()? {
            match field {
                Field::Kind if kind.is_none() => kind = Some(from.next_value()?),
                Field::Metadata if meta.is_none() => meta = Some(from.next_value()?),
                Field::Items if items.is_none() => items = Some(from.next_value_seed(Items(self.0))?),
                Field::Other => drop(from.next_value::<IgnoredAny>()?),
                // Of two lists in one, nobody says which counts.
                Field::Kind | Field::Metadata | Field::Items => {
                    return Err(A::Error::custom("it is there twice"));
                }
            }
        }
        if !kind.is_some_and(|kind| kind.ends_with("List")) {
            return Err(A::Error::custom("it is no list"));
        }
        let next = meta.unwrap_or_default().r#continue.filter(|next| !next.is_empty());
        Ok(Page { items: items.unwrap_or_default(), next })
    }
}

struct Items(Kind);

impl<'de> DeserializeSeed<'de> for Items {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Vec<Value>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("objects")
    }

    /// Go writes an empty list so.
    fn visit_unit<E>(self) -> Result<Vec<Value>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<Value>, A::Error> {
        let mut items = Vec::new();
        while let Some(one) = from.next_element_seed(Reduced(self.0))? {
            items.push(one);
        }
        Ok(items)
    }
}
