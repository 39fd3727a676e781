//! One page of a list, taken in field by field: of its objects only what is kept is ever made.

use crate::answer::take;
use crate::reduce::{Kept, Room, weight, whole};
use sallyport_posture::Kind;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is taken of a page.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    /// Its objects, reduced.
    pub(crate) items: Vec<Value>,
    /// There were more than may be kept.
    pub(crate) is_cut: bool,
    /// The token of the next page; none: it is the last.
    pub(crate) next: Option<String>,
}

/// Reads a page of a kind, and takes what is kept of it from what is left for that while it is read: of a page of small
/// things becomes many times as much. None: it is no list.
pub(crate) fn page(kind: Kind, body: &[u8], left: &AtomicU64) -> Option<Page> {
    let mut from = serde_json::Deserializer::from_slice(body);
    let page = Of(kind, left).deserialize(&mut from).ok()?;
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

struct Of<'l>(Kind, &'l AtomicU64);

impl<'de> DeserializeSeed<'de> for Of<'_> {
    type Value = Page;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Page, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Of<'_> {
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
                Field::Items if items.is_none() => items = Some(from.next_value_seed(Items(self.0, self.1))?),
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
        let (items, is_cut) = items.unwrap_or_default();
        Ok(Page { items, is_cut, next })
    }
}

/// Objects as far as they may be kept, and whether there were more.
struct Items<'l>(Kind, &'l AtomicU64);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = (Vec<Value>, bool);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = (Vec<Value>, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("objects")
    }

    /// Go writes an empty list so.
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Self::Value::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let Self(kind, left) = self;
        let (mut items, mut is_cut, mut is_odd) = (Vec::new(), false, false);
        loop {
            // Once it is cut the rest is passed over, so that what stands behind it is still read.
            let room = Room::of(if is_cut { 0 } else { left.load(Ordering::Relaxed) });
            let Some(one) = from.next_element_seed(Kept::of_object(kind, &room))? else { break };
            if room.is_over() {
                is_cut = true;
                continue;
            }
            // That something in it is no object is said once.
            if !one.is_object() && std::mem::replace(&mut is_odd, true) {
                continue;
            }
            let one = whole(kind, one);
            if take(left, weight(&one)) {
                items.push(one);
            } else {
                is_cut = true;
            }
        }
        Ok((items, is_cut))
    }
}
