//! Making a change with the rights of a kubeconfig: tried on the API server first, all of it, then made once, in order.

use crate::answer::Answer;
use crate::args;
use crate::end::{End, Stop};
use crate::source::{self, Asking};
use sallyport_client::{Credential, Endpoint, Fault, Sending, Timeouts, connect, send};
use sallyport_kubeconfig::Kubeconfig;
use sallyport_posture::Ground;
use sallyport_posture::change::{Call, Refused, calls};
use sallyport_posture::fix::Fix;
use sallyport_report::words::{object, shown};
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
/// Characters of a fingerprint that are told, as elsewhere.
const PRINT: usize = 12;

/// What came of a request.
enum Came {
    Taken,
    Refused(Refused),
    /// Nobody knows.
    NoAnswer(Fault),
}

/// `shown`: what is proposed, for people.
pub(crate) fn apply(
    args: &args::Fix,
    fix: &Fix,
    shown_first: String,
    (fix_check, fingerprint): (&str, &str),
) -> Result<(String, End), Stop> {
    if args.output == Answer::Json {
        return Err(Stop::new("--apply talks with a person: leave out -o json"));
    }
    let calls = calls(&fix.patches).map_err(Stop::new)?;
    let config =
        Kubeconfig::load_all(args.source.kubeconfig.iter().map(PathBuf::as_path)).map_err(Stop::new)?;
    let entry = config.entry(args.source.context.as_deref()).map_err(Stop::new)?;
    let context = shown(entry.context);
    let (endpoint, credential) =
        source::way(&entry).map_err(|why| Stop(format!("context {context}: {why}")))?;
    let place = format!("{} (context {context})", shown(endpoint.url().as_str()));
    print(&shown_first)?;
    print(&format!("\nTRIED on {place}, which keeps nothing of it:\n"))?;
    let agent = agent(fix_check, fingerprint);
    let tried = exchange(&endpoint, &credential, (&calls, &agent), true)?;
    let mut refused = false;
    for (call, came) in calls.iter().zip(&tried) {
        let line = match came {
            Came::Taken => "it would be taken".to_owned(),
            Came::Refused(why) => format!("refused: {why}"),
            Came::NoAnswer(fault) => format!("no answer: {fault}"),
        };
        refused |= !matches!(came, Came::Taken);
        print(&format!("  {}: {line}\n", call.said()))?;
    }
    if refused || tried.len() < calls.len() {
        return Ok(("Nothing was changed.\n".to_owned(), End::Found));
    }
    if !args.yes && !said_yes(&place)? {
        return Ok(("Nothing was changed: nobody said yes.\n".to_owned(), End::Found));
    }
    let made = exchange(&endpoint, &credential, (&calls, &agent), false)?;
    let (mut text, mut end) = (format!("\nAPPLIED to {place}:\n"), End::Good);
    let mut any = false;
    for (call, came) in calls.iter().zip(&made) {
        let line = match came {
            Came::Taken => "done".to_owned(),
            Came::Refused(why) => format!("refused: {why}"),
            Came::NoAnswer(fault) => {
                format!("no answer: {fault}. It may have been made: look at {}", object(call.object()))
            }
        };
        end = match came {
            Came::Taken => end,
            Came::Refused(_) if any => End::InPart,
            Came::Refused(_) => End::Found,
            Came::NoAnswer(_) => End::InPart,
        };
        any |= matches!(came, Came::Taken);
        text.push_str(&format!("  {}: {line}\n", call.said()));
    }
    for call in calls.iter().skip(made.len()) {
        text.push_str(&format!("  {}: not tried, since the one before was not done\n", call.said()));
    }
    match (any, end) {
        (false, End::Found) => text.push_str("Nothing was changed.\n"),
        (true, _) => text.push_str(&again(args, fingerprint)),
        _ => {}
    }
    Ok((text, end))
}

/// What the command calls itself, so that the API server's audit log is the entry: for which finding it was done, beside who
/// did it and what came of it (0039).
fn agent(check: &str, fingerprint: &str) -> String {
    let print: String = fingerprint.chars().take(PRINT).collect();
    format!("sallyport-fix/{} ({check} {print})", env!("CARGO_PKG_VERSION"))
}

/// Whether it is found still, by another reading.
fn again(args: &args::Fix, fingerprint: &str) -> String {
    let reading = match source::read(&args.source, Asking::Rights) {
        Ok(reading) => reading,
        Err(stop) => return format!("It could not be read again: {}\n", stop.0),
    };
    let snapshot = reading.snapshot();
    let report = Ground::new(&snapshot).report();
    let found = |id: &str| {
        report.checks.iter().flat_map(|judged| &judged.findings).any(|one| one.fingerprint() == id)
    };
    match found(fingerprint) {
        false => "Read again: it is not found any more.\n".to_owned(),
        true => "Read again: it is found still. What is made anew, as pods are, takes a while: scan again.\n"
            .to_owned(),
    }
}

/// Sends each once, in order; a change is not gone on with after the first that was not made.
fn exchange(
    endpoint: &Endpoint,
    credential: &Credential,
    (calls, agent): (&[Call], &str),
    trial: bool,
) -> Result<Vec<Came>, Stop> {
    source::runtime()?.block_on(async {
        let timeouts = Timeouts { connect: CONNECT, answer: ANSWER };
        let client = connect(endpoint, credential.clone(), timeouts).map_err(Stop::new)?;
        let mut all = Vec::new();
        for call in calls {
            let (path, body) = (call.path(trial), call.body(trial));
            let request = Sending {
                method: call.method(),
                path: &path,
                content_type: call.content_type(),
                body: &body,
                agent: Some(agent),
            };
            let came = match send(&client, request, ANSWER).await {
                Ok((status, body)) => match call.answered(status, &body) {
                    Ok(()) => Came::Taken,
                    Err(refused) => Came::Refused(refused),
                },
                Err(fault) => Came::NoAnswer(fault),
            };
            let go_on = trial || matches!(came, Came::Taken);
            all.push(came);
            if !go_on {
                break;
            }
        }
        Ok(all)
    })
}

/// Asks whoever is at the terminal. Nobody is there: nobody said yes.
fn said_yes(place: &str) -> Result<bool, Stop> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        print("No terminal is there to ask at: --yes says it beforehand.\n")?;
        return Ok(false);
    }
    print(&format!("Type yes to apply it to {place}: "))?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(|error| Stop(format!("nothing can be read: {error}")))?;
    Ok(line.trim() == "yes")
}

/// Written at once: whoever is asked has seen what it is about.
fn print(text: &str) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Stop(format!("the answer can't be written: {error}")))
}
