use super::store::Store;
use super::times::{Since, parse_code, parse_since};
use crate::answer::Answer;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use sallyport_archive::Column;
use sallyport_engine::Target;
use sallyport_model::ClusterName;
use std::net::SocketAddr;
use std::path::PathBuf;

const EXITS_IMPORT: &str = "Exit codes:
  0  all that was to be read is kept
  1  it is kept, and some lines could not be read as events, or a file breaks off
  2  bad arguments, or something could not be read or kept; what was kept before stays";

const EXITS_PULL: &str = "Exit codes:
  0  all that was asked for is kept
  1  it is kept, and some records could not be read as events
  2  bad arguments, or something could not be read or kept; what was kept before stays, and the next pull goes on from it";

const EXITS_FORWARD: &str = "Exit codes:
  0  the store has all of it
  1  it has it, but for events that are damaged or that it does not take, or the last checkpoint of the history is broken
  2  bad arguments, or the store could not be reached; the next forward goes on from what it has";

const EXITS_COLLECT: &str = "Exit codes:
  0  it was ended; what was acknowledged is on the disk, or with the store
  2  bad arguments, or something could not be begun or kept";

const EXITS_QUERY: &str = "Exit codes:
  0  something was found
  1  nothing was found, and everything was looked at
  2  bad arguments or input, or not everything could be looked at";

const EXITS_STATUS: &str = "Exit codes:
  0  it is whole, as far as was looked
  1  something is wrong with what is stored
  2  bad arguments or input";

const EXITS_REPORT: &str = "Exit codes:
  0  the report was written, and nothing is missing or unproven in it
  1  it was written, and it has gaps, ends that are not proven, or sessions without evidence
  2  bad arguments or input, or not everything could be looked at";

const EXITS_PROPOSE: &str = "Exit codes:
  0  there is a proposal, from everything there is
  1  no call of theirs that was let through was found, and everything was looked at
  2  bad arguments or input, or not everything could be looked at: the proposal may lack something";

const EXITS_TAIL: &str = "Exit codes:
  0  it was ended by a signal (SIGINT, SIGTERM) or by whoever read it, and all that was read is kept
  1  the same, and some lines could not be read as events, or a file was written anew while it was followed
  2  bad arguments, or nothing could be kept";

const EXITS_RECONCILE: &str = "Exit codes:
  0  every call that was seen of a session's token was its gateway's
  1  a call came from elsewhere
  2  it could not be told: bad arguments, or something is missing or can't be read on either side";

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Reads API servers' audit logs into an archive: log files as they are rotated, gzip, EventLists, and what EKS
    /// (CloudWatch), GKE (Cloud Logging) and AKS (diagnostic settings) export. What was read before is not read again.
    #[command(after_help = EXITS_IMPORT)]
    Import(Import),
    /// Reads what a log store has (VictoriaLogs, Loki) into an archive. What was read before is not read again; what came
    /// late is.
    #[command(after_help = EXITS_PULL)]
    Pull(Box<PullArgs>),
    /// Hands an archive's events on to a log store (VictoriaLogs, Loki, OTLP), in the order they came in, and on from where
    /// it was the next time. At least once: each event has an `id` that is the same whenever it is sent.
    #[command(after_help = EXITS_FORWARD)]
    Forward(Box<ForwardArgs>),
    /// Receives API servers' audit webhooks: keeps each event on the disk before it is acknowledged, hands it on to a log
    /// store, and deletes what that has taken. Runs until it is ended (SIGTERM).
    #[command(after_help = EXITS_COLLECT)]
    Collect(Box<CollectArgs>),
    /// Shows or counts calls, newest first.
    #[command(after_help = EXITS_QUERY)]
    Query(Box<Query>),
    /// Who removed an object: by its name, with all of its kind, with its namespace, by an eviction, or with its CRD.
    #[command(after_help = EXITS_QUERY)]
    WhoDeleted(WhoDeleted),
    /// Follows log files as they grow, over their rotations, into an archive, and shows what comes in. What a file held
    /// before is kept and not shown.
    #[command(after_help = EXITS_TAIL)]
    Tail(Box<Tail>),
    /// Compares what clusters saw of sessions' tokens with what this desktop's gateway sent: a call that no gateway sent
    /// came from elsewhere. Sallyport may be running; nothing is written.
    #[command(after_help = EXITS_RECONCILE)]
    Reconcile(Reconcile),
    /// What is in an archive, what was left out while it was read, and whether it is whole.
    #[command(after_help = EXITS_STATUS)]
    Status(StatusArgs),
    /// The least RBAC rules that would have been enough for the calls somebody was seen to make, for kubectl; beside it
    /// what they hold and were never seen to use.
    #[command(after_help = EXITS_PROPOSE)]
    Propose(Box<Propose>),
    /// Who had access to what, when, by whose word, and what proves it: one HTML page that needs nothing else, or JSON.
    #[command(after_help = EXITS_REPORT)]
    Report(Box<ReportArgs>),
    /// Prints a Kubernetes audit policy that tells what is asked here, and no contents of Secrets; or how much it would
    /// write; or what a cloud has to hand on.
    Policy(PolicyArgs),
    /// Whether a history, or a pack made of one, is what it was: by signed checkpoints, with the public key alone.
    #[command(after_help = super::proof::EXITS_VERIFY)]
    Verify(Box<super::proof::Verify>),
    /// Writes what a desktop's history holds for somebody else: a pack that proves itself, JSON lines, CSV or OCSF.
    #[command(after_help = super::proof::EXITS_EXPORT)]
    Export(super::proof::Export),
    /// Notes how a desktop's history is, as a line that `verify --anchors` holds it to: for a file, a mail or a ticket that
    /// its owner can't change. `forward --history` sends the same to a log store.
    Anchor(super::proof::AnchorArgs),
    /// Prints the JSON schema of an output.
    Schema {
        /// Of which output.
        of: Output,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The archive's folder; it is made where there is none, for you alone.
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// The cluster whose API servers wrote the files. No line is believed about that.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: ClusterName,
    /// What the files' source is called; without it as the cluster. API servers that write the same lines into several
    /// places are several sources.
    #[arg(long, value_name = "ID")]
    pub(crate) source: Option<String>,
    /// Nothing is written to the files any more: a last line without its end is a line as well.
    #[arg(long)]
    pub(crate) ended: bool,
    #[command(flatten)]
    pub(crate) keep: Keep,
    /// Files, and folders with all files below them.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

/// How much of an archive is kept. What is removed goes in whole files of some hundred megabytes, or of an eighth of
/// `--keep-mib`.
#[derive(Debug, Default, Args)]
pub(crate) struct Keep {
    /// Removes the oldest events once they are older than so many days; without it they stay.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) keep_days: Option<u32>,
    /// Removes the oldest events once the archive takes more than so many MiB of disk.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(64..))]
    pub(crate) keep_mib: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// The archive's folder; it is made where there is none, for you alone.
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// The cluster whose API servers wrote what is pulled. No record is believed about that.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: ClusterName,
    /// The store: `victorialogs:https://logs.example:9428` or `loki:https://…`.
    #[arg(long, value_name = "KIND:URL")]
    pub(crate) from: Target,
    #[command(flatten)]
    pub(crate) store: Store,
    /// What the source is called; without it the cluster, with the kind of store behind it.
    #[arg(long, value_name = "ID")]
    pub(crate) source: Option<String>,
    /// Which records, in the store's own language: a filter of LogsQL, a stream selector of LogQL. Without it those that
    /// name the cluster.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// The field or label in which the store has the cluster. A record that names another one there is counted, and not
    /// kept.
    #[arg(long, value_name = "NAME", default_value = "cluster")]
    pub(crate) label: String,
    /// What the store calls the cluster, if not as `--cluster` says.
    #[arg(long, value_name = "NAME")]
    pub(crate) called: Option<String>,
    /// Records with this word alone: a session's account, `JTI=…`. Several may be named, and each will do.
    #[arg(long, value_name = "WORD")]
    pub(crate) word: Vec<String>,
    /// Where to begin the first time: `2h`, `3d`, `2026-11-29`, or `2026-11-29T20:15:00Z`.
    #[arg(long, value_name = "WHEN", default_value = "24h", value_parser = parse_since)]
    pub(crate) since: Since,
    /// Before then; without it up to now.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) until: Option<Since>,
    /// How far to look again for what came late: `15m`, `24h`.
    #[arg(long, value_name = "SPAN", default_value = "15m", value_parser = parse_since)]
    pub(crate) overlap: Since,
    /// To look again from then on, once.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) again: Option<Since>,
    #[command(flatten)]
    pub(crate) keep: Keep,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct ForwardArgs {
    /// The archive's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// The store: `victorialogs:https://…`, `loki:https://…`, `otlp:https://…`.
    #[arg(long, value_name = "KIND:URL")]
    pub(crate) to: Target,
    #[command(flatten)]
    pub(crate) store: Store,
    /// Where it is kept how far this store has them; without it a file in the archive's folder, for each store one.
    #[arg(long, value_name = "FILE")]
    pub(crate) position: Option<PathBuf>,
    /// The steps of a desktop's own history as well (its data directory): sign-ins, requests, approvals, ends. Calls are
    /// not among them, since API servers tell of those. Secrets and what looks like one are taken out once more. Beside
    /// them each new checkpoint of it, which `verify --anchors-from` holds it to.
    #[arg(long, value_name = "DATADIR")]
    pub(crate) history: Option<PathBuf>,
    /// Goes on with what is new until it is ended (SIGTERM); others have the archive in between. A store that takes
    /// nothing is waited for, and nothing is lost.
    #[arg(long)]
    pub(crate) follow: bool,
    /// For how many seconds a store that can't be reached, or wants us to come again, is tried.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) patience: u64,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct CollectArgs {
    /// Where to listen: `0.0.0.0:9443`, or `127.0.0.1:0` for any port, which is said on standard error.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Our certificate, PEM, with what is between it and its authority.
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: PathBuf,
    /// Its key, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The authority whose certificates API servers show. Nobody else is let in.
    #[arg(long, value_name = "FILE")]
    pub(crate) client_ca: PathBuf,
    /// The cluster whose API servers send here. No event is believed about that.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: ClusterName,
    /// Where events wait until they are handed on, as lines in files; made where it is not, for you alone. Without --to they
    /// stay there, for `sallyport audit import`.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// At most so many MiB wait; then API servers are told to come again.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) most: u32,
    /// The store they are handed on to: `victorialogs:https://…`, `loki:https://…`, `otlp:https://…`.
    #[arg(long, value_name = "KIND:URL")]
    pub(crate) to: Option<Target>,
    #[command(flatten)]
    pub(crate) store: Store,
    /// For so many seconds what the store has taken is kept all the same, for a store that dies with it in memory.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) linger: u64,
}

/// Which calls; what is not said does not restrict, and of one option said several times each will do.
#[derive(Debug, Default, Args)]
pub(crate) struct Which {
    /// Of these clusters.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Vec<String>,
    /// By this person or account, as themselves, as somebody else, or by somebody else as them.
    #[arg(long, value_name = "NAME")]
    pub(crate) person: Option<String>,
    /// With this verb, as authorizers see it: `get`, `create`, `deletecollection`.
    #[arg(long)]
    pub(crate) verb: Vec<String>,
    /// About this resource, as kubectl writes it: `pods` (with what lies below it), `pods/` (without), `pods/exec`,
    /// `deployments.apps`.
    #[arg(long)]
    pub(crate) resource: Vec<String>,
    /// In this namespace.
    #[arg(short, long)]
    pub(crate) namespace: Vec<String>,
    /// About the object of this name.
    #[arg(long)]
    pub(crate) name: Vec<String>,
    /// That were allowed or not.
    #[arg(long, value_enum)]
    pub(crate) decision: Option<Decided>,
    /// With this HTTP status: `403`, `4xx`, or `400-499`.
    #[arg(long, value_name = "STATUS", value_parser = parse_code)]
    pub(crate) code: Option<(u16, u16)>,
    /// Made with this credential: `JTI=…` or `X509SHA256=…`.
    #[arg(long, value_name = "ID")]
    pub(crate) credential: Vec<String>,
    /// By this session's account: `s-…`, as its name in the cluster is.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) session: Vec<String>,
    /// From then on: `2h`, `3d`, `2026-11-29`, or `2026-11-29T20:15:00Z`.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) since: Option<Since>,
    /// Before then.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) until: Option<Since>,
    /// Events of these stages. Without it one event of each call: that of its end, or one that does not say its stage.
    #[arg(long, value_enum, value_name = "STAGE", conflicts_with = "all_stages")]
    pub(crate) stage: Vec<StageOf>,
    /// Events of all stages: a call that is over may have three, one that goes on has only those of its beginning.
    #[arg(long)]
    pub(crate) all_stages: bool,
    /// That say this anywhere people would look: names, reasons, commands, clients, IP addresses.
    #[arg(long)]
    pub(crate) text: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// The archive's folder.
    #[arg(long, value_name = "DIR", required_unless_present = "engine")]
    pub(crate) archive: Option<PathBuf>,
    /// Looks into a log store in place of an archive: `victorialogs:https://…`, `loki:https://…`. Of what it has of one
    /// cluster the last records are read that --since and the other options leave; then all of them are asked here.
    #[arg(long, value_name = "KIND:URL", conflicts_with = "archive", requires_all = ["since", "cluster"])]
    pub(crate) engine: Option<Target>,
    #[command(flatten)]
    pub(crate) store: Store,
    /// Which records of the store, in its own language; without it those that name the cluster.
    #[arg(long, value_name = "FILTER", requires = "engine")]
    pub(crate) filter: Option<String>,
    /// The field or label in which the store has the cluster.
    #[arg(long, value_name = "NAME", default_value = "cluster", requires = "engine")]
    pub(crate) label: String,
    /// So many records of the store are read at most.
    #[arg(long, value_name = "N", default_value_t = 20_000, requires = "engine", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) records: u32,
    #[command(flatten)]
    pub(crate) which: Which,
    /// So many calls.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) limit: u32,
    /// How many calls there are, and none of them.
    #[arg(long, conflicts_with_all = ["by", "raw"])]
    pub(crate) count: bool,
    /// How many there are of each: of each person, verb….
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "raw")]
    pub(crate) by: Option<By>,
    /// The events as the API servers wrote them, without their secrets, one on each line.
    #[arg(long)]
    pub(crate) raw: bool,
    /// Seconds that it may take.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) within: u64,
    /// How to write the result; calls alone can be written as CSV or OCSF.
    #[arg(short, long, value_enum, default_value_t = Listing::Text)]
    pub(crate) output: Listing,
}

/// How what was found is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listing {
    /// For people.
    Text,
    /// JSON.
    Json,
    /// One line for each call, for a spreadsheet, as `export` and the window write it.
    Csv,
    /// One OCSF 1.x event on each line, for a SIEM, with the event as it was written in `unmapped`.
    Ocsf,
}

#[derive(Debug, Args)]
pub(crate) struct WhoDeleted {
    /// The archive's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// On which cluster; on any without it.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// The namespace; without it, of what is in none.
    #[arg(short, long, default_value = "")]
    pub(crate) namespace: String,
    /// The resource as kubectl writes it: `pods`, `deployments.apps`.
    pub(crate) resource: String,
    /// The object's name.
    pub(crate) name: String,
    /// Seconds that it may take.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) within: u64,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// The archive's folder; it is made where there is none, for you alone.
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// What the files' source is called; without it as the cluster.
    #[arg(long, value_name = "ID")]
    pub(crate) source: Option<String>,
    /// Of what is kept, this is shown. `--cluster` is the one whose API servers write the files.
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) keep: Keep,
    /// Log files; one that is not there yet is waited for.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How to write what comes in: a line for each, as JSON the object that `query` has of a call.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// The archive's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// Sallyport's data folder, with the history of this desktop.
    #[arg(long, value_name = "DIR")]
    pub(crate) history: PathBuf,
    /// These clusters, called in the archive as in Sallyport's inventory; without it all of which either side has calls of
    /// sessions.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Vec<ClusterName>,
    /// From then on: `2h`, `3d`, `2026-11-29`, or `2026-11-29T20:15:00Z`.
    #[arg(long, value_name = "WHEN", value_parser = parse_since, default_value = "24h")]
    pub(crate) since: Since,
    /// Before then; without it until now.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) until: Option<Since>,
    /// The audit policy that the clusters' API servers run, which says of what no event can be found.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The archive has the logs of every API server of these clusters.
    #[arg(long)]
    pub(crate) every_server: bool,
    /// Lists every call that both sides have, those of one command of kubectl together.
    #[arg(long)]
    pub(crate) calls: bool,
    /// Seconds that it may take.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) within: u64,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The archive's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// Reads everything and compares it with its checksums.
    #[arg(long)]
    pub(crate) verify: bool,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Sallyport's data folder, with the history; its app may be running.
    #[arg(long, value_name = "DIR")]
    pub(crate) history: PathBuf,
    /// An archive of what API servers told: without it nothing is said of evidence beside the gateway's.
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: Option<PathBuf>,
    /// A reading that `posture scan --save` kept, called as its cluster (`eu-1.json`, `eu-1.2026-11.json`): standing access by
    /// the newest, the ten practices over time by all. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) posture: Vec<PathBuf>,
    /// The readings hold every object of these kinds, as for `posture scan`.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', requires = "posture")]
    pub(crate) whole: Vec<String>,
    /// From then on: `30d`, `2026-11-01`, or `2026-11-29T20:15:00Z`.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) since: Since,
    /// Before then; without it until now.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) until: Option<Since>,
    /// Writes it to this file, readable by you alone, and not to standard output.
    #[arg(long, value_name = "FILE", visible_alias = "to")]
    pub(crate) out: Option<PathBuf>,
    /// Seconds that looking through the archive may take.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) within: u64,
    /// The page (text), or JSON.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// How many events and bytes a day each rule of the policy would write, by what this archive saw; with --provider how
    /// many that cloud's filter would hand on.
    #[arg(long, requires = "archive")]
    pub(crate) estimate: bool,
    /// The archive's folder.
    #[arg(long, value_name = "DIR", requires = "estimate")]
    pub(crate) archive: Option<PathBuf>,
    /// From events from then on: `7d`, `2026-11-29`, or `2026-11-29T20:15:00Z`.
    #[arg(long, value_name = "WHEN", value_parser = parse_since, requires = "estimate")]
    pub(crate) since: Option<Since>,
    /// What this cloud has to be told instead: there the audit policy is the provider's.
    #[arg(long, value_enum)]
    pub(crate) provider: Option<Provider>,
    /// Seconds that it may take.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) within: u64,
    /// How to write an estimate.
    #[arg(short, long, value_enum, default_value_t = Answer::Text, requires = "estimate")]
    pub(crate) output: Answer,
}

/// A cloud whose Kubernetes is managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    Eks,
    Gke,
    Aks,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whose").required(true).args(["person", "account", "session"]))]
pub(crate) struct Propose {
    /// The archive's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// The calls of this person, as the API server knows them, and those that were made as them.
    #[arg(long, value_name = "NAME")]
    pub(crate) person: Option<String>,
    /// The calls of this ServiceAccount.
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub(crate) account: Option<String>,
    /// The calls of this session's account: `s-…`, as its name in the cluster is. Roles are for a profile then, and bound to
    /// nobody.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) session: Option<String>,
    /// On this cluster; needed where they made calls on several.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// From then on: `30d`, `2026-11-29`, or `2026-11-29T20:15:00Z`. Without it all there is.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) since: Option<Since>,
    /// Before then.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) until: Option<Since>,
    /// Binds it to somebody else: `user:NAME`, `group:NAME`, or `sa:NAMESPACE/NAME`.
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) to: Option<String>,
    /// The verbs that were seen and no other. Without it whoever lists or watches gets get, list and watch.
    #[arg(long)]
    pub(crate) exact: bool,
    /// The most names that a rule is limited to; 0 limits none. Only where all names look given by a person.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=50))]
    pub(crate) names: u8,
    /// Beside it what they hold and never used: a folder of YAML and JSON, one such file, or what `posture scan --save` kept
    /// of that cluster.
    #[arg(long, value_name = "PATH", conflicts_with = "session")]
    pub(crate) snapshot: Option<PathBuf>,
    /// The files hold every object of these kinds, as for `posture scan`.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', requires = "snapshot")]
    pub(crate) whole: Vec<String>,
    /// A group that they are in, for what they hold. May be repeated.
    #[arg(long = "group", value_name = "NAME", requires = "snapshot")]
    pub(crate) groups: Vec<String>,
    /// Seconds that it may take.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) within: u64,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Proposing::Text)]
    pub(crate) output: Proposing,
}

/// How a proposal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Proposing {
    /// For people.
    Text,
    /// JSON.
    Json,
    /// Roles and bindings, for kubectl.
    Yaml,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decided {
    Allow,
    Forbid,
}

/// A stage of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StageOf {
    RequestReceived,
    ResponseStarted,
    ResponseComplete,
    Panic,
}

/// By what calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    Cluster,
    Person,
    Verb,
    Resource,
    Namespace,
    Name,
    Code,
    Decision,
    Client,
    Address,
    Credential,
    Session,
    Source,
}

impl By {
    pub(crate) fn column(self) -> Column {
        match self {
            Self::Cluster => Column::Cluster,
            Self::Person => Column::User,
            Self::Verb => Column::Verb,
            Self::Resource => Column::Resource,
            Self::Namespace => Column::Namespace,
            Self::Name => Column::Name,
            Self::Code => Column::Code,
            Self::Decision => Column::Decision,
            Self::Client => Column::UserAgent,
            Self::Address => Column::Address,
            Self::Credential => Column::Credential,
            Self::Session => Column::Session,
            Self::Source => Column::Source,
        }
    }
}

/// An output with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// `import -o json`.
    Import,
    /// `pull -o json`.
    Pull,
    /// `forward -o json`.
    Forward,
    /// `collect`, when it has ended.
    Collect,
    /// `query -o json`.
    Query,
    /// A line of `tail -o json`.
    Tail,
    /// `who-deleted -o json`.
    WhoDeleted,
    /// `status -o json`.
    Status,
    /// `propose -o json`.
    Propose,
    /// `policy --estimate -o json`.
    Policy,
    /// `report -o json`.
    #[value(name = "report")]
    Access,
    /// `reconcile -o json`.
    Reconcile,
    /// `verify -o json`.
    Verify,
}
