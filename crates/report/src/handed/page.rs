//! The page of a pack: what is in it, for people, made from nothing but its lines.

use super::{Events, told};
use crate::html::{Html, document};
use sallyport_audit::{Entry, PackTold};

/// Most entries that are listed.
const LISTED: usize = 5000;
/// Most bytes that they take, by the most that each may: a character takes up to eight, with what makes it visible.
const BYTES: usize = 48 << 20;

/// The page as its entries go by.
#[derive(Debug, Default)]
pub(super) struct Page {
    rows: Html,
    listed: usize,
    bytes: usize,
    seen: usize,
}

impl Page {
    pub(super) fn see(&mut self, entry: &Entry) {
        self.seen += 1;
        self.bytes = self.bytes.saturating_add(8 * entry.encode().len() + 4096);
        // Once one is not listed, none after it is.
        if self.listed == LISTED || self.bytes > BYTES {
            self.bytes = BYTES;
            return;
        }
        self.listed += 1;
        let or_none = |text: Option<&str>| text.unwrap_or("").to_owned();
        let rows = &mut self.rows;
        rows.one("<tr><td>", &entry.sequence.to_string(), "</td>");
        rows.one("<td class=\"code\">", &told(entry.at), "</td>");
        rows.one("<td>", entry.action.as_str(), "</td>").one("<td>", entry.outcome.as_str(), "</td>");
        rows.one("<td><bdi>", &or_none(entry.user.as_ref().map(|v| v.as_str())), "</bdi></td>");
        rows.one("<td><bdi>", &or_none(entry.cluster.as_ref().map(|v| v.as_str())), "</bdi></td>");
        rows.raw("<td>");
        let ids = [
            ("request", entry.request.as_ref().map(|v| v.as_str())),
            ("grant", entry.grant.as_ref().map(|v| v.as_str())),
            ("session", entry.session.as_ref().map(|v| v.as_str())),
            ("JTI", entry.jti.as_ref().map(|v| v.as_str())),
            ("Audit-ID", entry.audit_id.as_ref().map(|v| v.as_str())),
        ];
        for (name, id) in ids.into_iter().filter_map(|(name, id)| id.map(|id| (name, id))) {
            rows.one("", name, " ").one("<span class=\"code\"><bdi>", id, "</bdi></span><br>");
        }
        for (key, value) in entry.detail.values() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            rows.one("<bdi>", key, "</bdi>: ").one("<bdi>", &value, "</bdi><br>");
        }
        rows.raw("</td></tr>\n");
    }

    /// The whole page; with what is said of the clusters' events, where some go with the pack.
    pub(super) fn html(&self, pack: &PackTold, events: Option<&Events>) -> String {
        let (sealed, end) = (&pack.sealed, &pack.end);
        let mut top = Html::default();
        top.raw("<header><h1>Access history</h1>");
        top.one("<p>Selected: <bdi>", &pack.head.selection, "</bdi>");
        top.one(" · made ", &told(pack.head.made), "").one(
            " by <bdi>",
            &pack.head.by,
            "</bdi></p></header>\n<main>\n",
        );
        top.raw("<h2>What proves it</h2>\n<table class=\"plain\"><tbody>\n");
        let mut fact = |name: &'static str, value: &str| {
            top.one("<tr><th>", name, "</th>").one("<td class=\"code\"><bdi>", value, "</bdi></td></tr>\n");
        };
        fact("Entries in it", &end.entries.to_string());
        fact("Entries left out", &end.left_out.to_string());
        fact("Sealed up to entry", &sealed.until.to_string());
        fact("Checkpoints", &end.checkpoints.to_string());
        fact("The last was made", &told(sealed.time));
        fact("Key", &sealed.key.fingerprint().to_string());
        fact("History", &pack.head.origin.to_string());
        top.raw("</tbody></table>\n<p>Don’t believe this page: check the pack. <span class=\"code\">sallyport audit verify PACK --key FINGERPRINT</span> needs nothing else, and compares this page with the entries. Have the key’s fingerprint from whoever gave you the pack, by another way than with it. What is signed is what this desktop wrote, when it wrote it; what it never wrote, or what its owner began anew, the requests on the hub and the API servers’ own audit logs tell.</p>\n");
        if let Some(events) = events {
            clusters(&mut top, events);
        }
        top.raw("<h2>Entries</h2>\n");
        if self.seen > self.listed {
            top.raw("<p>The first ").number(self.listed).raw(" of ").number(self.seen);
            top.raw(" are listed; history.jsonl has them all.</p>\n");
        }
        top.raw("<div class=\"wide\"><table class=\"plain\"><thead><tr><th>#</th><th>At (UTC)</th><th>Action</th><th>Outcome</th><th>Who</th><th>Cluster</th><th>Facts</th></tr></thead><tbody>\n");
        top.section(&self.rows);
        top.raw("</tbody></table></div>\n</main>\n<footer><p>Times are the desktop’s. Numbers that are not listed are entries that were left out. Recordings of terminals that go with the pack lie beside this page, in recordings/, as asciicast v2: any player of that shows them. What a screen showed is kept as it was shown, secrets too.</p></footer>\n");
        document("Access history", &top)
    }
}

/// What is said of the clusters' events. It is no part of what is proven, and says so.
fn clusters(top: &mut Html, events: &Events) {
    top.raw("<h2>What clusters tell</h2>\n<p>Beside the entries lie events of the clusters’ own audit logs, in events.jsonl, a line of JSON for each, newest first, without what looks like a secret. They are in no chain, and nothing of this desktop vouches for what they say: the cluster’s own log is the authority, and an event is found there by its auditID. What is known of them is which bytes this pack was made with, and <span class=\"code\">sallyport audit verify</span> says whether they are those.</p>\n");
    top.raw("<table class=\"plain\"><thead><tr><th>Cluster</th><th>Events</th></tr></thead><tbody>\n");
    for (cluster, many) in &events.clusters {
        top.one("<tr><td><bdi>", cluster, "</bdi></td>").one("<td>", &many.to_string(), "</td></tr>\n");
    }
    top.one("<tr><th>All</th><th>", &events.events.to_string(), "</th></tr>\n</tbody></table>\n");
    top.one("<p>SHA-256 of events.jsonl: <span class=\"code\">", &events.sha256, "</span>");
    top.one(". Taken out because it looks like a secret: ", &events.redactions.to_string(), ".</p>\n");
    for lack in events.lacks() {
        top.one("<p>", &lack, ".</p>\n");
    }
}
