//! Log stores that a team already has, over HTTP: VictoriaLogs and Loki to read from, and those and whatever takes OTLP
//! to hand on to. What comes from there is as little to be believed as any line of a log: it is held to what was asked
//! for, bounded in time and bytes, and which cluster it is about says whoever configured the source.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use sallyport_engine::{Access, Ask, Engine, Wanted};
//!
//! let engine = Engine::new("victorialogs:https://logs.example:9428".parse()?, &Access::default())?;
//! let wanted = Wanted::of("payments-eu-1");
//! let page = engine.page(&Ask { from: 0, to: 1_000_000_000, most: 100, newest: false, wanted: &wanted }).await?;
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]

mod ask;
mod error;
mod http;
mod loki;
mod otlp;
mod push;
mod record;
mod target;
mod victorialogs;

pub use ask::{Ask, Pulled, Steps, Text, Wanted};
pub use error::EngineError;
pub use http::{Access, Bounds};
pub use push::{Each, PUSH_BYTES, PUSH_MOST, Pushed};
pub use record::{EVENT_MOST, Record};
pub use target::{Kind, Target, TargetError};

/// One log store.
#[derive(Debug)]
pub struct Engine {
    target: Target,
    http: http::Http,
}

impl Engine {
    /// Asks nobody anything yet.
    ///
    /// # Errors
    /// [`EngineError::NoTrust`] when there is no authority to believe, or one that can't be read.
    pub fn new(target: Target, access: &Access) -> Result<Self, EngineError> {
        Self::bounded(target, access, Bounds::default())
    }

    /// With other bounds on time and size.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn bounded(target: Target, access: &Access, bounds: Bounds) -> Result<Self, EngineError> {
        let http = http::Http::new(&target, access, bounds)?;
        Ok(Self { target, http })
    }

    /// Which one.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// For which tenant it is asked; empty for the store's own default.
    pub fn tenant(&self) -> &str {
        self.http.tenant()
    }

    /// Records of a stretch of time, in its order: all of them, or the first [`Ask::most`].
    ///
    /// # Errors
    /// [`EngineError::Unfit`] when the answer is not what was asked for, and what the network said. Nothing of an answer
    /// that breaks off is handed on.
    pub async fn page(&self, ask: &Ask<'_>) -> Result<Vec<Pulled>, EngineError> {
        let page = match self.target.kind() {
            Kind::VictoriaLogs => victorialogs::page(&self.http, &self.target, ask).await?,
            Kind::Loki => loki::page(&self.http, &self.target, ask).await?,
            Kind::Otlp => return Err(EngineError::NoReading),
        };
        ask::held_to(&self.http, ask, &page)?;
        Ok(page)
    }

    /// How many records there are in each stretch of time, where the store counts them itself. They are records as it
    /// keeps them: one that was delivered twice is two, and nothing is known of them but that they have the words.
    ///
    /// # Errors
    /// [`EngineError::NoCounting`] of a store that is not asked for that, else as [`Engine::page`].
    pub async fn counts(&self, steps: &Steps, wanted: &Wanted) -> Result<Vec<u64>, EngineError> {
        match self.target.kind() {
            Kind::VictoriaLogs => victorialogs::counts(&self.http, &self.target, steps, wanted).await,
            Kind::Loki | Kind::Otlp => Err(EngineError::NoCounting),
        }
    }

    /// Hands records on; returns when the store has said that it has them.
    ///
    /// # Errors
    /// What the store or the network said: none, some or all of them may have arrived, and they can be sent again.
    pub async fn push(&self, records: &[Record]) -> Result<Pushed, EngineError> {
        match self.target.kind() {
            Kind::VictoriaLogs => victorialogs::push(&self.http, &self.target, records).await,
            Kind::Loki => loki::push(&self.http, &self.target, records).await,
            Kind::Otlp => otlp::push(&self.http, &self.target, records).await,
        }
    }
}
