//! One page that needs nothing else: no script, no font, no picture from elsewhere, and it prints.
//!
//! Every text that is not ours goes through [`Html::text`], which makes hidden characters visible and escapes the rest
//! (promise P24); what is written as it is, is written in this program. A policy in the page keeps it so: it loads and
//! sends nothing, whatever stands in it.

mod access;
mod chart;
mod cluster;
mod fleet;
mod picture;
#[cfg(test)]
mod tests;

pub use access::access;

use crate::exceptions::StaleView;
use crate::view::ReportView;
use sallyport_model::visible;
use sallyport_posture::fix::Proposed;
use sallyport_posture::fleet::{FleetCoverage, Scanned, Shared, Weakness};
use sallyport_posture::path::Path;

const STYLE: &str = include_str!("html/style.css");

/// What stands on the page.
#[derive(Debug)]
pub struct Page {
    /// The clusters in the grid's order.
    pub scanned: Vec<Scanned>,
    /// What to fix first, over all of them.
    pub weaknesses: Vec<Weakness>,
    /// What is seen across clusters alone.
    pub shared: Vec<Shared>,
    /// How far the checks were answered.
    pub coverage: FleetCoverage,
    /// Each cluster, in the order they were named.
    pub clusters: Vec<Told>,
    /// Exceptions that are findings themselves.
    pub stale: Vec<StaleView>,
    /// When it was made.
    pub made: String,
}

/// One cluster.
#[derive(Debug)]
pub struct Cluster {
    /// Its name; no other of the page has it.
    pub name: String,
    /// What was read and found.
    pub report: ReportView,
    /// The same as the fleet sees it.
    pub scanned: Scanned,
    /// Ways of several steps.
    pub ways: Vec<Path>,
    /// How many have a way there, drawn or not.
    pub many_ways: usize,
    /// What to cut first, a sentence.
    pub cut: Option<String>,
    /// Exact fixes for the worst.
    pub proposed: Vec<Proposed>,
}

/// One cluster as it stands on the page: of a fleet no more is held than that.
#[derive(Debug)]
pub struct Told {
    name: String,
    source: String,
    /// What somebody answers for, a line each.
    excepted: Vec<String>,
    section: Html,
}

impl Told {
    /// The cluster at a place of the page, from 0. `alone`: there is no other, so that its practices stand at the top.
    pub fn of(at: usize, cluster: &Cluster, alone: bool) -> Self {
        let mut section = Html::default();
        cluster::section(&mut section, at, cluster, alone);
        Self {
            name: cluster.name.clone(),
            source: cluster.report.read.source.clone(),
            excepted: fleet::excepted(cluster),
            section,
        }
    }
}

/// A page as it grows.
#[derive(Debug, Default)]
pub struct Html(String);

impl Html {
    /// What this program writes itself.
    pub fn raw(&mut self, ours: &'static str) -> &mut Self {
        self.0.push_str(ours);
        self
    }

    /// A text of whatever origin.
    pub fn text(&mut self, text: &str) -> &mut Self {
        for c in visible(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Several lines, each as [`Html::text`].
    pub fn lines(&mut self, text: &str) -> &mut Self {
        for line in text.lines() {
            self.text(line).raw("\n");
        }
        self
    }

    /// What was put together before, piece by piece as here.
    pub fn section(&mut self, section: &Html) {
        self.0.push_str(&section.0);
    }

    /// A number.
    pub fn number(&mut self, number: usize) -> &mut Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// An element of one class with a text. `before` is the whole opening tag.
    pub fn one(&mut self, open: &'static str, text: &str, close: &'static str) -> &mut Self {
        self.raw(open).text(text).raw(close)
    }

    /// A list, where there is something to list.
    pub fn list<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> &mut Self {
        let mut begun = false;
        for text in texts {
            if !begun {
                self.raw("<ul>\n");
                begun = true;
            }
            self.one("<li><bdi>", text, "</bdi></li>\n");
        }
        if begun { self.raw("</ul>\n") } else { self }
    }
}

/// The whole page.
pub fn page(page: &Page) -> String {
    let mut html = Html::default();
    html.raw("<header><h1>Posture</h1><p>");
    match page.clusters.as_slice() {
        [one] => html.text(&one.source),
        many => html.number(many.len()).raw(" clusters"),
    };
    html.one(" · made ", &page.made, "");
    let (answered, all) = page.coverage.checks;
    html.raw(" · ").number(answered).raw(" of ").number(all);
    html.raw(" checks had all they depend on</p></header>\n<main>\n");
    fleet::practices(&mut html, page);
    fleet::grid(&mut html, page);
    fleet::first(&mut html, page);
    fleet::across(&mut html, page);
    fleet::exceptions(&mut html, page);
    page.clusters.iter().for_each(|one| html.section(&one.section));
    html.raw("</main>\n<footer><p>What could not be read is unknown, never passed. Severity is what a right reaches: critical ends in everything or in a node's root. Hosts and their files are not assessed.</p></footer>\n");
    document("Posture", &html)
}

/// A page of this kind around what stands on it: it loads and sends nothing.
pub fn document(title: &'static str, body: &Html) -> String {
    let mut html = Html::default();
    head(&mut html, title);
    html.raw("<style>\n").raw(STYLE).raw("</style>\n</head>\n<body>\n");
    html.section(body);
    html.raw("</body>\n</html>\n");
    html.0
}

/// What stands at the top of every page, up to its style: a policy that keeps it from loading and sending anything.
fn head(html: &mut Html, title: &'static str) {
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"dark light\">\n");
    html.one("<title>", title, "</title>\n");
}
