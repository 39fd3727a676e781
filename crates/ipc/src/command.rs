/// Hands the list of commands to another macro. This is all that is written of a command outside the part that does it: the
/// adapter, the handler, the ACL, the capability, the TypeScript, the façade with its documentation, the entry for a
/// refusal or failure and the test that each of them makes one come from its line.
///
/// A line is `name(argument: Type, …) -> Result => how part.method;`, where `how` is one of
///
/// - `reads`: nothing is changed by it;
/// - `passes`: something is changed that is no act of its own (bytes typed, a page given up), or the part writes the entry
///   either way;
/// - `records(Action)`: when it is refused or fails, an entry of this action says so. What it is when it works, the part
///   that did it says, which knows more;
/// - `streams` or `streams(Action)`: `passes` or `records`, and it takes one argument more, `output`, which has no shape here
///   because it is the host's: where a terminal's bytes go.
///
/// The shell makes its handler of it, for example:
///
/// ```ignore
/// macro_rules! handler {
///     ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
///         => $how:ident$(($action:ident))? $part:ident.$method:ident;)*) => {
///         tauri::generate_handler![$(commands::$name),*]
///     };
/// }
/// builder.invoke_handler(sallyport_ipc::commands!(handler))
/// ```
///
/// Every command fails with an `ErrorView`.
#[macro_export]
macro_rules! commands {
    ($then:ident) => {
        $then! {
            /// Everything around the views.
            app_state() -> AppState => reads app.state;
            /// Chooses a theme and remembers it.
            theme_set(theme: Theme) -> () => passes desk.set_theme;
            /// Chooses the size of terminals' text, in CSS pixels; one out of bounds is the nearest within.
            font_size_set(size: u8) -> () => passes desk.set_font_size;
            /// Chooses the shell of new terminals among those this machine lists; none: the person's own.
            shell_set(path: Option<String>) -> () => records(SettingsChanged) app.set_shell;
            /// Chooses how long is asked for first, 15 min to 12 h; none: as last time, else 1 h.
            default_duration_set(seconds: Option<u32>) -> () => records(SettingsChanged) app.set_default_duration;
            /// Chooses when a paste into a terminal is asked about.
            paste_set(asks: PasteAsks) -> () => records(SettingsChanged) app.set_paste;
            /// Chooses what is told on the desktop, outside the window.
            notifications_set(chosen: Notifications) -> () => records(SettingsChanged) app.set_notifications;
            /// Gathers a support bundle and shows all of it; `names`: with the names of people, groups and clusters. Writes nothing.
            support_preview(names: bool) -> BundleView => passes app.support_preview;
            /// Writes the bundle that was shown, the one with this id and no other, to a place that nothing is at. Answers with the
            /// place.
            support_write(bundle: String, place: String) -> Shown => records(SupportBundle) app.support_write;
            /// What can be chosen, whether notifications can be shown, and what is kept where.
            settings() -> SettingsView => reads app.settings;
            /// Ends every session, waits up to 3 s for their first proof, and ends the program.
            quit() -> () => passes app.quit;
            /// What a workspace file would do. Contacts nobody.
            workspace_preview(text: String) -> WorkspacePreview => reads person.preview;
            /// Joins a team: the file is stored, and sign-ins go to its hub from now on.
            workspace_join(text: String) -> AppState => records(WorkspaceJoined) app.join;
            /// Joins the demo fleet that this app was started beside.
            demo_workspace() -> AppState => records(WorkspaceJoined) app.join_demo;
            /// Signs in through the person's browser; with `step`, again and stronger. Answers when the hub has said who
            /// this is. A sign-in that is under way is left alone.
            sign_in(step: Option<StepUp>) -> AppState => passes app.sign_in;
            /// Ends a sign-in under way.
            sign_in_cancel() -> () => passes person.give_up;
            /// Ends every session with proof (3 s for the first stage), then the sign-in here and at the provider. Fails
            /// when rights may be left, with where and until when, and when the provider did not confirm: this desktop has
            /// forgotten the sign-in all the same.
            sign_out() -> AppState => passes app.sign_out;
            /// The list: what the watches brought. Contacts no cluster (promise P6).
            clusters_list() -> ClustersView => reads inventory.list;
            /// One cluster with what may be asked for there.
            cluster_detail(name: String) -> ClusterDetail => reads inventory.detail;
            /// How what is about to be asked for would be answered now: at once and until when, or by whom. Asks for nothing.
            cluster_outlook(input: OpenInput) -> OutlookView => reads inventory.outlook;
            /// Pins or unpins a cluster.
            cluster_pin(name: String, on: bool) -> () => passes inventory.pin;
            /// Opens a cluster. Answers at once with the session, which goes on by events; one that meets `StepUpNeeded`
            /// waits, `Opening`, with that error, and goes on by itself after the next `sign_in`. A second click on a
            /// cluster that is open or opening under the same profile shows the same session.
            session_open(input: OpenInput) -> SessionView => records(Ask) app.open_session;
            /// Asks for more time in an open session, under the same profile and with its approvals; `seconds` as it was given
            /// where none are named. Answers at once with the extension, which goes on by events as a session does: once it
            /// is granted, the open session goes on with it, and the extension closes what was there before.
            session_extend(id: String, seconds: Option<u32>) -> SessionView => records(Extended) app.extend_session;
            /// All sessions.
            sessions_list() -> Vec<SessionView> => reads sessions.list;
            /// Leaves a session, or gives up one that is opening: what was made for it is withdrawn. Answers at once; the
            /// proof is told.
            session_leave(id: String) -> () => records(Leave) sessions.leave;
            /// Forgets a session that is over: its closing report was read.
            session_dismiss(id: String) -> () => passes sessions.dismiss;
            /// Opens a shell on an open session.
            terminal_open(session: String, size: TerminalSize) -> TerminalView => streams(TerminalOpen) sessions.terminal_open;
            /// Looks at a terminal again, from the start of its scrollback: after the window was reloaded.
            terminal_attach(terminal: String, size: TerminalSize) -> TerminalView => streams sessions.terminal_attach;
            /// Types into a terminal.
            terminal_write(terminal: String, data: String) -> () => passes sessions.terminal_write;
            /// Tells a terminal its new size.
            terminal_resize(terminal: String, size: TerminalSize) -> () => passes sessions.terminal_resize;
            /// Says that so many bytes were drawn, so that more may come.
            terminal_ack(terminal: String, bytes: u32) -> () => passes sessions.terminal_ack;
            /// That the person wants a terminal although it is not guarded: `why` is what they were told.
            terminal_take(terminal: String, why: String) -> () => records(TerminalTaken) sessions.terminal_take;
            /// Ends a terminal with all that runs in it, and forgets it.
            terminal_close(terminal: String) -> () => passes sessions.terminal_close;
            /// All terminals.
            terminal_list() -> Vec<TerminalView> => reads sessions.terminal_list;
            /// What is kept of a session's terminals, the first begun first; of one that is over too.
            recordings_list(session: String) -> Vec<RecordingView> => reads recordings.list;
            /// Opens a recording to be watched, which is an entry.
            recording_open(session: String, terminal: String) -> RecordingView => records(RecordingWatched) app.watch_recording;
            /// A page of a segment of a recording that was opened, from its moment `from` on.
            recording_page(session: String, terminal: String, segment: u32, from: u32) -> RecordingPage => reads recordings.page;
            /// Deletes a recording that is over.
            recording_delete(session: String, terminal: String) -> () => records(RecordingDeleted) app.delete_recording;
            /// What is asked for and open in the person's teams: what the watches brought.
            requests_list() -> RequestsView => reads approvals.list;
            /// What the requester did under the same profile before, as far as the hub keeps it.
            request_before(request: String) -> BeforeView => reads approvals.before;
            /// Says yes to the offer with this digest, the one on the person's screen, and to no other; or to what the limits
            /// leave of it.
            request_approve(request: String, offer: String, limits: Option<LimitsInput>) -> () => records(Approve) approvals.approve;
            /// Says no.
            request_deny(request: String, reason: Option<String>) -> () => records(Deny) approvals.deny;
            /// Ends what somebody else has open. Where the hub can't hear, the end is kept, told when it can, and claimed by nobody
            /// until then.
            request_revoke(request: String, reason: String) -> EndTold => records(Revoke) approvals.revoke;
            /// Drops an end that the hub has not heard: it is told no more.
            request_revoke_drop(request: String) -> () => records(Revoke) approvals.drop_end;
            /// Holds a person, a cluster or everything: nothing of it is asked for, granted or kept open until it ends.
            hold_create(hold: HoldInput) -> () => records(Hold) holds.create;
            /// Ends a hold before its time.
            hold_remove(hold: String) -> () => records(HoldRemoved) holds.remove;
            /// Who can ask for what, read from the hub with this person's own rights. Contacts no cluster.
            who_can() -> WhoCanView => reads reach.list;
            /// Says that the last answer of `who_can`, the one with this digest, was seen: the next one tells what is another.
            who_can_seen(digest: String) -> () => passes reach.seen;
            /// The profiles of the hub by name, as far as this person may read them.
            profile_names() -> Vec<Shown> => reads reach.profile_names;
            /// A profile as text, to be changed, or as the beginning of a `new` one; without a name the beginning of any. What is
            /// looked at next is compared with it.
            profile_text(name: Option<String>, new: bool) -> ProfileDraft => reads reach.profile_text;
            /// Tries a changed text on the hub, which stores nothing of it, and says what it would change. With `again` the
            /// profile is read anew before, and the text stays: for when somebody else changed it in between.
            profile_look(text: String, again: bool) -> ProfileLook => passes reach.profile_look;
            /// Applies what was looked at last, the one with this digest and no other.
            profile_apply(digest: String) -> () => passes reach.profile_apply;
            /// Where the fleet is weak, by the scans that are kept here. Contacts nobody.
            posture_fleet() -> PostureView => reads scans.fleet;
            /// What the kept scan of one cluster says.
            posture_cluster(cluster: String) -> PostureDetail => reads scans.cluster;
            /// One finding with its path, its fix and what that would do.
            posture_finding(cluster: String, finding: String) -> FindingDetail => reads scans.finding;
            /// What whoever a finding is about was seen to use, by the clusters' audit logs that were read here, and a role that
            /// would have been enough. Contacts no cluster.
            posture_used(cluster: String, finding: String) -> UseView => reads app.finding_used;
            /// Scans these clusters, each by a session of its own, a few at a time. Answers at once; how far it is, is told. One
            /// that is being scanned is left alone.
            posture_scan(clusters: Vec<String>) -> () => records(Scan) app.scan;
            /// Gives up the scan of one cluster, or of all: what is open for it is left, with proof.
            posture_scan_stop(cluster: Option<String>) -> () => passes scans.stop;
            /// Deletes what is kept of one cluster's scans, or of all.
            posture_forget(cluster: Option<String>) -> () => records(ScanForgotten) scans.forget;
            /// Asks the API server the questions that show a finding's path, through a session like a scan's.
            posture_prove(cluster: String, finding: String) -> PathProof => records(Scan) app.prove;
            /// Tries a finding's fix on the API server, which keeps nothing of it, through a session of this person's that is open
            /// there: a field of a workload, and no change of rights.
            posture_fix_try(cluster: String, finding: String) -> FixTrial => passes scans.fix_try;
            /// Makes the fix that was tried last, the one with this id and no other, and once.
            posture_fix_apply(trial: String) -> FixApplied => records(FixApplied) scans.fix_apply;
            /// Says who answers for something that was found, why, and until when.
            posture_except(exception: ExceptionInput) -> () => records(Excepted) scans.except;
            /// Takes an exception back.
            posture_except_remove(exception: String) -> () => records(Excepted) scans.except_remove;
            /// Who can do something, on all clusters that a scan is kept of. Contacts nobody.
            posture_who(question: WhoQuestion) -> WhoAnswer => reads scans.who;
            /// Ways from one cluster into another, by what both believe, as far as the kept scans tell. Contacts nobody.
            posture_crossings(from: String, into: String) -> CrossingsView => reads scans.crossings;
            /// Writes a report of all that is kept as one HTML file, to a place that nothing is at. Answers with the place.
            posture_report(place: String) -> Shown => records(ScanReport) scans.report;
            /// One page of the history, newest first.
            audit_page(filter: AuditFilter, before: Option<i64>, limit: u32) -> AuditPage => reads history.page;
            /// Checks the whole history.
            audit_verify() -> VerifyView => records(Verify) app.verify_history;
            /// By which key the history is sealed, and how far.
            audit_seal() -> SealView => reads app.seal_view;
            /// Has the key with this fingerprint, which seals the history, name another that seals from then on. Answers when that
            /// is on the disk.
            audit_seal_renew(fingerprint: String) -> SealView => records(SealRenewed) app.renew_seal;
            /// One page of the timeline: the history and the calls that clusters tell of, newest first. A call that both tell of
            /// on this page is one row.
            audit_timeline(filter: TimelineFilter, before: Option<String>, limit: u32) -> TimelinePage => reads evidence.timeline;
            /// The same of one session, or of its request, without what log stores have: beside a replay, which asks for others
            /// with each moment.
            audit_calls(filter: TimelineFilter, before: Option<String>, limit: u32) -> TimelinePage => reads evidence.calls;
            /// How many of them in each of at most 500 stretches of time; over all there is where the filter names no range.
            audit_histogram(filter: TimelineFilter, bins: u32) -> HistogramView => reads evidence.histogram;
            /// The most frequent of a facet among the calls that clusters tell of; people and clusters of the history are counted in.
            audit_top(filter: TimelineFilter, facet: TimelineFacet) -> TopView => reads evidence.top;
            /// Calls of each cluster, day by day, from a moment on (Unix microseconds): of what is kept here, whatever the
            /// timeline is filtered by.
            audit_heat(from: i64, days: u32) -> HeatView => reads evidence.heat;
            /// One call of a cluster with all that is told of it.
            audit_call(id: String) -> CallDetail => reads evidence.call;
            /// A row of the timeline as JSON, line by line: an event as the API server wrote it without its secrets, or an entry.
            audit_raw(id: String) -> Vec<Shown> => reads evidence.raw;
            /// Which calls may have removed an object.
            audit_deleted(object: DeletedQuestion) -> DeletedView => reads evidence.deleted;
            /// One session by its request's UID: what was asked, what was done, how that is known, and what was used.
            audit_session(request: String) -> SessionEvidence => passes evidence.session;
            /// What one person did, or what was done on one cluster: whichever the filter names.
            audit_about(filter: TimelineFilter) -> AboutView => reads evidence.about;
            /// Writes down that this person looked at somebody's access, or at a cluster's, and what came of it. Changes no
            /// access. Answers when it is on the disk.
            audit_review(review: ReviewInput) -> () => records(AccessReviewed) app.review_access;
            /// Where the clusters' audit events come from, and what is kept of them.
            audit_sources() -> SourcesView => reads evidence.sources;
            /// Says that the API servers of a cluster write to a file or a folder of this machine. It is read at once.
            audit_source_add(cluster: String, path: String) -> () => records(SettingsChanged) evidence.source_add;
            /// Says that a log store has clusters' audit events. It is asked in place, and at once whether it answers.
            audit_store_add(store: StoreDraft) -> () => records(SettingsChanged) evidence.store_add;
            /// Forgets a source; what was read of it is kept.
            audit_source_remove(source: String) -> () => records(SettingsChanged) evidence.source_remove;
            /// Reads what is new of one source, or of all. Answers at once; how far it is, is told.
            audit_source_read(source: Option<String>) -> () => passes evidence.source_read;
            /// Stops reading after the file that is being read.
            audit_source_stop() -> () => passes evidence.source_stop;
            /// How long the clusters' audit events are kept, and in how many bytes; without days, as long as they fit. What
            /// is too old or too much is removed at once.
            audit_keep(days: Option<u32>, bytes: i64) -> () => records(SettingsChanged) evidence.keep;
            /// Whether what is new of every source is read on while somebody looks.
            audit_follow(on: bool) -> () => passes evidence.follow_sources;
            /// The filters that are kept under a name.
            audit_saved() -> Vec<SavedFilter> => reads evidence.saved;
            /// Keeps a filter under a name, in place of the one of that name.
            audit_save(name: String, filter: TimelineFilter) -> () => passes evidence.save;
            /// Forgets it.
            audit_unsave(name: String) -> () => passes evidence.unsave;
            /// How much a filter selects, and of which sessions recordings are kept. Writes nothing.
            audit_export_look(filter: TimelineFilter) -> ExportLook => reads app.export_look;
            /// Writes what a filter selects to a place that nothing is at, one at a time; how far it is, is told. Answers when it is
            /// on the disk.
            audit_export(export: ExportInput) -> ExportView => records(Exported) app.export_audit;
            /// Gives up what is being written; nothing is left of it.
            audit_export_stop() -> () => passes evidence.stop_export;
        }
    };
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
        => $how:ident$(($action:ident))? $part:ident.$method:ident;)*) => {
        /// The names of all commands, for `tauri_build::AppManifest::commands`: what is not here can't be called.
        pub const COMMANDS: &[&str] = &[$(stringify!($name)),*];
    };
}
commands!(names);
