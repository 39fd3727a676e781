//! From arguments to an exit code.

use crate::args::{Cli, Command, Format, Posture, Scan};
use crate::end::{End, Stop};
use crate::source::Asking;
use crate::{answer, csv, diff, exceptions, fix, held, paths, people, report, sarif, source, who};
use clap::Parser as _;
use sallyport_posture::{Kind, Snapshot};
use sallyport_report::view::{CoverageView, KindView, ReportView, VerdictView};
use sallyport_report::words::shown;
use sallyport_scan::Reading;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Runs the program: reads the arguments, writes the answer to standard output and what went wrong to standard error.
pub fn start() -> ExitCode {
    let cli = Cli::parse();
    sallyport_client::keep_out_of_core_dumps();
    // An error says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(&cli) {
        Ok((text, end)) => match std::io::stdout().lock().write_all(text.as_bytes()) {
            Ok(()) => end.into(),
            // Whoever read it, as `head`, had enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => end.into(),
            Err(error) => failed(&Stop(format!("the answer can't be written: {error}"))),
        },
        Err(stop) => failed(&stop),
    }
}

fn failed(stop: &Stop) -> ExitCode {
    // Where that fails too there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "sallyport: {}", stop.0);
    End::Unanswered.into()
}

fn run(cli: &Cli) -> Result<(String, End), Stop> {
    let posture = match &cli.command {
        Command::Posture(posture) => posture,
        Command::Audit(audit) => return crate::audit::run(audit),
    };
    match posture {
        Posture::Scan(args) => scan(args),
        Posture::WhoCan(args) => who::who_can(&read(&args.source)?, args),
        Posture::Can(args) => held::can(&read(&args.source)?, args),
        Posture::Why(args) => who::why(&read(&args.source)?, args),
        Posture::Paths(args) => paths::paths(&read(&args.source)?, args),
        Posture::Diff(args) => diff::diff(args),
        Posture::Fix(args) => fix::fix(&read(&args.source)?, args),
        Posture::Report(args) => report::report(args),
        Posture::Schema { of } => Ok((of.schema(), End::Good)),
    }
}

fn read(source: &crate::args::Source) -> Result<Snapshot, Stop> {
    let reading = source::read(source, Asking::Rights)?;
    if reading.is_empty() {
        return Err(source::nothing(&reading));
    }
    Ok(reading.snapshot())
}

fn scan(args: &Scan) -> Result<(String, End), Stop> {
    let asking = match (args.offline, args.dry_run_pods, args.no_probes) {
        (true, ..) => Asking::Nothing,
        (_, true, no_probes) => Asking::Trying { door: !no_probes },
        (_, _, true) => Asking::Rights,
        (_, _, false) => Asking::RightsAndDoor,
    };
    let reading = source::read(&args.source, asking)?;
    if let Some(path) = &args.save {
        save(&reading, path)?;
    }
    let cluster = args.excepting.cluster.clone().unwrap_or_else(|| source::name(&args.source));
    let excepting = exceptions::read(args.excepting.exceptions.as_deref(), &cluster)?;
    let report = ReportView::judge(&reading, &excepting);
    let text = match args.output {
        Format::Text => people::report(&report, args.all),
        Format::Json => answer::json(&report)?,
        Format::Sarif => answer::json(&sarif::sarif(&report))?,
        Format::Csv => csv::csv(&report),
    };
    Ok((text, end(args, &report)))
}

fn end(args: &Scan, report: &ReportView) -> End {
    // Without a role or a binding nearly everything is unknown, whatever else was read.
    let is_rbac = |kind: &&KindView| Kind::RBAC.iter().any(|known| known.name() == kind.kind);
    let nothing = report
        .read
        .kinds
        .iter()
        .filter(is_rbac)
        .all(|kind| kind.objects == 0 && !matches!(kind.coverage, CoverageView::Read));
    let unknown = report.checks.iter().any(|check| check.verdict == VerdictView::Unknown);
    if nothing && !args.offline {
        End::Unanswered
    } else if report
        .counted()
        .any(|one| !one.inert && one.excepted.is_none() && args.fail_on.holds(one.severity.into()))
        || report.stale_exceptions.iter().any(|one| args.fail_on.holds(one.severity.into()))
        || (args.fail_on_unknown && unknown)
    {
        End::Found
    } else {
        End::Good
    }
}

/// What was read names who may do what.
fn save(reading: &Reading, path: &Path) -> Result<(), Stop> {
    let failed =
        |why: String| Stop(format!("{} can't be written: {why}", shown(&path.display().to_string())));
    crate::write::write(&reading.to_json().map_err(failed)?, path)
}
