//! Log files as they grow: kept, and shown as they come.

use super::args::Tail;
use super::query::filter;
use super::view::CallView;
use super::{bounds, import, open_as, plain, stop};
use crate::answer::Answer;
use crate::end::{End, Stop};
use crate::say::say;
use crate::signals::Signals;
use sallyport_archive::{Archive, CallId, Filter};
use sallyport_events::{Stage, Stages};
use sallyport_feeds::{Follow, Looked, Turn};
use sallyport_model::{ClusterName, clip, visible};
use std::io::{ErrorKind, Write as _};
use std::time::{Duration, Instant};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_millis(250);
/// After something could not be kept, how long until it is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// How often what is too old or too much is looked for.
const RETAIN: Duration = Duration::from_secs(30);
/// Calls that are read from the archive at a time.
const SHOWN: usize = 1000;
/// Seconds that one look into the archive may take.
const WITHIN: u64 = 30;

pub(super) fn tail(args: &Tail) -> Result<(String, End), Stop> {
    let [cluster] = &args.which.cluster[..] else {
        return Err(Stop("--cluster: name the one cluster whose API servers write the files".into()));
    };
    let cluster: ClusterName = cluster.parse().map_err(|error| Stop(format!("--cluster: {error}")))?;
    let source = import::source(args.source.as_deref(), &cluster)?;
    if let Some(path) = args.files.iter().find(|path| path.is_dir()) {
        let path = clip(&visible(&path.display().to_string()), 4096);
        return Err(Stop(format!("{path} is a folder: name the file that is written to")));
    }
    let archive = open_as(&args.archive, true, args.keep.options())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop(format!("signals can't be waited for: {error}")))?;
    let mut tailing = Tailing {
        args,
        filter: filter(&args.which),
        files: args.files.iter().map(|path| (Follow::new(path, &source), None)).collect(),
        upto: archive.newest(),
        archive,
        has_begun: false,
        retained: None,
        end: End::Good,
    };
    let end = runtime.block_on(tailing.until_ended());
    tailing.archive.close();
    end.map(|end| (String::new(), end))
}

struct Tailing<'a> {
    args: &'a Tail,
    archive: Archive,
    filter: Filter,
    /// Each with when it is tried again, after something went wrong with it.
    files: Vec<(Follow, Option<Instant>)>,
    /// What was shown, or is not to be.
    upto: Option<CallId>,
    has_begun: bool,
    /// When what is too old or too much was looked for last, where that was said.
    retained: Option<Instant>,
    end: End,
}

/// Whoever reads what is shown has gone.
struct Gone;

impl Tailing<'_> {
    async fn until_ended(&mut self) -> Result<End, Stop> {
        let mut signals = Signals::new()?;
        loop {
            // Whoever ends it wants what was written until then, as far as it is there.
            let is_over = signals.come_within(if self.has_begun { EVERY } else { Duration::ZERO }).await;
            let mut has_more = true;
            while has_more {
                has_more = self.look()?;
                if !self.has_begun && !has_more {
                    // What the files held before is kept and not shown.
                    self.upto = self.archive.newest();
                    self.has_begun = true;
                }
                if self.has_begun && self.show()?.is_err() {
                    return Ok(self.end);
                }
                self.retain()?;
                if has_more && signals.come_within(Duration::ZERO).await {
                    return Ok(self.end);
                }
            }
            if is_over {
                return Ok(self.end);
            }
        }
    }

    /// Removes what is too old or too much, now and then: what was shown of it is not needed any more.
    fn retain(&mut self) -> Result<(), Stop> {
        if self.retained.is_some_and(|at| at.elapsed() < RETAIN) {
            return Ok(());
        }
        self.retained = Some(Instant::now());
        let removed = self.args.keep.retain(&self.archive)?;
        if let Some(what) = removed.filter(|removed| removed.events > 0).and_then(|removed| removed.told()) {
            say(&what);
        }
        Ok(())
    }

    /// Whether there is more to read at once.
    fn look(&mut self) -> Result<bool, Stop> {
        let mut has_more = false;
        for at in 0..self.files.len() {
            let (file, again) = &mut self.files[at];
            if again.is_some_and(|again| Instant::now() < again) {
                continue;
            }
            let path = clip(&file.path().display().to_string(), 4096);
            match file.look(&self.archive) {
                Ok(looked) => {
                    if again.take().is_some() {
                        say(&format!("{path} is kept again"));
                    }
                    has_more |= looked.has_more;
                    self.told(&path, &looked);
                }
                Err(error) => {
                    if again.is_none() {
                        say(&format!("{error}; it is tried again every {} s", AGAIN.as_secs()));
                    }
                    self.files[at].1 = Some(Instant::now() + AGAIN);
                }
            }
        }
        Ok(has_more)
    }

    fn told(&mut self, path: &str, looked: &Looked) {
        for turn in &looked.turns {
            match turn {
                Turn::Began { from: 0 } => say(&format!("{path} is followed from its beginning")),
                Turn::Began { from } => {
                    say(&format!("{path} is followed from byte {from} on, up to which it was kept"))
                }
                Turn::Rotated { unended: 0 } => say(&format!("{path} was rotated, and is kept to its end")),
                Turn::Rotated { unended } => {
                    self.end = End::Found;
                    say(&format!(
                        "{path} was rotated, and its last line had not ended ({unended} bytes): import what the rotation \
                         put aside once it has"
                    ));
                }
                Turn::WrittenAnew { read } => {
                    self.end = End::Found;
                    say(&format!(
                        "{path} was written anew after byte {read} (copytruncate): import the copy that its rotation made, \
                         which has what came just before"
                    ));
                }
            }
        }
        for bad in &looked.bad {
            self.end = End::Found;
            say(&format!("{path}: line {}: {}", bad.position.line, bad.bad.why()));
        }
    }

    /// Shows what came in since.
    fn show(&mut self) -> Result<Result<(), Gone>, Stop> {
        loop {
            let arrived =
                self.archive.arrivals(&self.filter, self.upto, SHOWN, &bounds(WITHIN)).map_err(stop)?;
            let (is_over, calls) = (arrived.value.upto == self.upto, arrived.value.calls);
            self.upto = arrived.value.upto;
            let mut text = String::new();
            // That a call arrived is told once more when it is answered.
            let arrival = Stages::one(Stage::RequestReceived);
            let is_asked = self.args.which.all_stages || !self.args.which.stage.is_empty();
            for call in calls.iter().filter(|call| is_asked || call.marks.stages != arrival) {
                let view = CallView::of(call);
                match self.args.output {
                    Answer::Text => text.push_str(&view.line()),
                    Answer::Json => {
                        let json = serde_json::to_string(&view).map_err(Stop::new)?;
                        text.push_str(&plain::line(&json));
                    }
                }
                text.push('\n');
            }
            let mut out = std::io::stdout().lock();
            match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                Ok(()) => {}
                // Whoever read it, as `head`, had enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Err(Gone)),
                Err(error) => return Err(Stop(format!("what came in can't be written: {error}"))),
            }
            if is_over {
                return Ok(Ok(()));
            }
        }
    }
}
