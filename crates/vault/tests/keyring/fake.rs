//! A Secret Service that does what a real one can't be brought to do in a test: it shows a prompt and answers it at a
//! given moment, hides the items of a locked collection, or stops answering halfway.

use std::{
    collections::HashMap,
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use zbus::{
    Connection, ObjectServer, fdo, interface,
    message::Header,
    object_server::SignalEmitter,
    zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value},
};

const ROOT: &str = "/org/freedesktop/secrets";
const COLLECTION: &str = "/org/freedesktop/secrets/collection/mine";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/1";
const NOTHING: &str = "/";

/// A secret as it crosses the bus: session, parameters, value, content type.
type Sealed = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// What the person does with the prompt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Person {
    Unlocks {
        after: Duration,
    },
    /// Unlocks once the test says so.
    UnlocksWhenTold,
    Dismisses,
    IsAway,
}

pub(crate) struct Shape {
    /// What the one collection is known as.
    pub(crate) alias: &'static str,
    pub(crate) locked: bool,
    /// A locked collection answers as if it had no items, as KeePassXC's does.
    pub(crate) hides: bool,
    /// Each item wants the person's yes besides, as KeePassXC's do.
    pub(crate) guards: bool,
    pub(crate) person: Person,
    /// The word for a person who waits for it.
    pub(crate) told: bool,
    /// Takes a connection and a session, and never says whether it is locked.
    pub(crate) stalls: bool,
    pub(crate) items: Vec<(HashMap<String, String>, Sealed)>,
    pub(crate) prompted: Vec<String>,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            alias: "default",
            locked: false,
            hides: false,
            guards: false,
            person: Person::IsAway,
            told: false,
            stalls: false,
            items: Vec::new(),
            prompted: Vec::new(),
        }
    }
}

type Shared = Arc<Mutex<Shape>>;

fn look(shape: &Shared) -> MutexGuard<'_, Shape> {
    shape.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Dropping it takes the service off the bus.
pub(crate) struct Fake {
    connection: Connection,
    shape: Shared,
}

impl Fake {
    pub(crate) async fn start(bus: &str, shape: Shape) -> Result<Self> {
        let shape = Arc::new(Mutex::new(shape));
        let connection = zbus::connection::Builder::address(bus)?
            .serve_at(ROOT, Service(Arc::clone(&shape)))?
            .serve_at(COLLECTION, Collection(Arc::clone(&shape)))?
            .serve_at(PROMPT, Prompt(Arc::clone(&shape)))?
            .name("org.freedesktop.secrets")?
            .build()
            .await?;
        Ok(Self { connection, shape })
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Shape)) {
        change(&mut look(&self.shape));
    }

    /// The attributes of everything kept.
    pub(crate) fn items(&self) -> Vec<HashMap<String, String>> {
        let shape = look(&self.shape);
        shape
            .items
            .iter()
            .map(|(attributes, _)| attributes.clone())
            .filter(|names| !names.is_empty())
            .collect()
    }

    /// How many prompts were asked for.
    pub(crate) fn prompts(&self) -> usize {
        look(&self.shape).prompted.len()
    }

    /// Whether somebody who asked for a prompt is still on the bus.
    pub(crate) async fn is_awaited(&self) -> Result<bool> {
        let bus = fdo::DBusProxy::new(&self.connection).await?;
        let names = look(&self.shape).prompted.clone();
        for name in names {
            if bus.name_has_owner(name.as_str().try_into()?).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Shape {
    fn find(&self, wanted: &HashMap<String, String>) -> Vec<OwnedObjectPath> {
        let holds = |has: &HashMap<String, String>| wanted.iter().all(|(k, v)| has.get(k) == Some(v));
        if self.locked && self.hides {
            return Vec::new();
        }
        let found = self.items.iter().enumerate().filter(|(_, (attributes, _))| holds(attributes));
        found.map(|(at, _)| path(&format!("{COLLECTION}/{at}"))).collect()
    }
}

fn path(text: &str) -> OwnedObjectPath {
    ObjectPath::try_from(text).expect("a path").into()
}

struct Service(Shared);

#[interface(name = "org.freedesktop.Secret.Service")]
impl Service {
    /// 1 for a public key makes the shared secret 1 whatever the other side draws, so that what is sealed in one session
    /// opens in the next without this service knowing any cryptography.
    fn open_session(&self, _algorithm: &str, _input: OwnedValue) -> (Value<'static>, OwnedObjectPath) {
        (Value::from(vec![1_u8]), path("/org/freedesktop/secrets/session/1"))
    }

    fn read_alias(&self, name: &str) -> OwnedObjectPath {
        path(if name == look(&self.0).alias { COLLECTION } else { NOTHING })
    }

    fn search_items(&self, wanted: HashMap<String, String>) -> (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) {
        let shape = look(&self.0);
        let found = shape.find(&wanted);
        if shape.locked { (Vec::new(), found) } else { (found, Vec::new()) }
    }

    fn unlock(&self, objects: Vec<OwnedObjectPath>) -> (Vec<OwnedObjectPath>, OwnedObjectPath) {
        let shape = look(&self.0);
        let guarded = shape.guards && objects.iter().any(|object| object.as_str() != COLLECTION);
        if shape.locked || guarded { (Vec::new(), path(PROMPT)) } else { (objects, path(NOTHING)) }
    }

    #[zbus(property)]
    fn collections(&self) -> Vec<OwnedObjectPath> {
        vec![path(COLLECTION)]
    }
}

struct Collection(Shared);

#[interface(name = "org.freedesktop.Secret.Collection")]
impl Collection {
    fn search_items(&self, wanted: HashMap<String, String>) -> Vec<OwnedObjectPath> {
        look(&self.0).find(&wanted)
    }

    async fn create_item(
        &self,
        mut properties: HashMap<String, OwnedValue>,
        secret: Sealed,
        replace: bool,
        #[zbus(object_server)] server: &ObjectServer,
    ) -> fdo::Result<(OwnedObjectPath, OwnedObjectPath)> {
        let attributes = properties.remove("org.freedesktop.Secret.Item.Attributes");
        let attributes = attributes.ok_or_else(|| fdo::Error::InvalidArgs("no attributes".to_owned()))?;
        let attributes: HashMap<String, String> =
            attributes.try_into().map_err(|_| fdo::Error::InvalidArgs("strange attributes".to_owned()))?;
        let at = {
            let mut shape = look(&self.0);
            let same = shape.items.iter().position(|(has, _)| replace && *has == attributes);
            match same {
                Some(at) => {
                    shape.items[at].1 = secret;
                    at
                }
                None => {
                    shape.items.push((attributes, secret));
                    shape.items.len() - 1
                }
            }
        };
        let place = path(&format!("{COLLECTION}/{at}"));
        server.at(&place, Item(Arc::clone(&self.0), at)).await?;
        Ok((place, path(NOTHING)))
    }

    #[zbus(property)]
    async fn locked(&self) -> bool {
        if look(&self.0).stalls {
            future::pending::<()>().await;
        }
        look(&self.0).locked
    }

    #[zbus(property)]
    fn label(&self) -> String {
        "Mine".to_owned()
    }
}

struct Item(Shared, usize);

#[interface(name = "org.freedesktop.Secret.Item")]
impl Item {
    fn get_secret(&self, _session: OwnedObjectPath) -> fdo::Result<(Sealed,)> {
        let shape = look(&self.0);
        if shape.locked || shape.guards {
            return Err(fdo::Error::AccessDenied("locked".to_owned()));
        }
        Ok((shape.items[self.1].1.clone(),))
    }

    fn delete(&self) -> OwnedObjectPath {
        look(&self.0).items[self.1].0.clear(); // it stays in its place and is never found again
        path(NOTHING)
    }

    #[zbus(property)]
    fn locked(&self) -> bool {
        let shape = look(&self.0);
        shape.locked || shape.guards
    }
}

struct Prompt(Shared);

#[interface(name = "org.freedesktop.Secret.Prompt")]
impl Prompt {
    fn prompt(
        &self,
        _window: &str,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) {
        let person = {
            let mut shape = look(&self.0);
            shape.prompted.extend(header.sender().map(ToString::to_string));
            shape.person
        };
        let (shape, emitter) = (Arc::clone(&self.0), emitter.to_owned());
        tokio::spawn(async move {
            match person {
                Person::IsAway => return,
                Person::Dismisses => {}
                Person::Unlocks { after } => {
                    tokio::time::sleep(after).await;
                    let mut shape = look(&shape);
                    (shape.locked, shape.guards) = (false, false);
                }
                Person::UnlocksWhenTold => {
                    while !look(&shape).told {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                    let mut shape = look(&shape);
                    (shape.locked, shape.guards) = (false, false);
                }
            }
            let unlocked = Value::from(vec![path(COLLECTION)]);
            // Whoever asked may be gone.
            let _ = Self::completed(&emitter, person == Person::Dismisses, unlocked).await;
        });
    }

    fn dismiss(&self) {}

    #[zbus(signal)]
    async fn completed(emitter: &SignalEmitter<'_>, dismissed: bool, result: Value<'_>) -> zbus::Result<()>;
}
