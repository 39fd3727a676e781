//! A way as a picture: whose it is, step by step, to what it reaches.

use super::Html;
use crate::words::{count, shown, subject};
use sallyport_model::clip;
use sallyport_posture::path::Path;

/// From one node to the next, in units of the picture.
const STEP: usize = 62;
/// Characters that fit beside a node.
const FITS: usize = 62;

pub(super) fn way(html: &mut Html, way: &Path) {
    let height = way.hops.len() * STEP + 42;
    let whole = format!("{} in {}", subject(&way.subject), count(way.hops.len(), "step"));
    html.raw("<figure><svg role=\"img\" viewBox=\"0 0 520 ").number(height).raw("\" width=\"520\" height=\"");
    html.number(height).one("\"><title>", &whole, "</title>\n");
    // Lines first, so that nodes lie on them.
    for at in 0..way.hops.len() {
        html.raw("<line class=\"").raw(if is_certain(way, at) { "edge" } else { "edge open" });
        html.raw("\" x1=\"16\" x2=\"16\" y1=\"").number(at * STEP + 32).raw("\" y2=\"");
        html.number((at + 1) * STEP + 14).raw("\"/>\n");
    }
    node(html, 0, "node first", &subject(&way.subject), "");
    for (at, hop) in way.hops.iter().enumerate() {
        let place = hop.namespace.as_deref().map_or(String::new(), |place| format!(" in {}", shown(place)));
        let unsure = if hop.certain { "" } else { " (unless something that was not read stands in the way)" };
        let last = at + 1 == way.hops.len();
        let class = if last { "node goal" } else { "node" };
        node(html, at + 1, class, &hop.to, &format!("can {}{place}{unsure}", hop.what));
    }
    html.raw("</svg>\n<figcaption><ol>\n");
    for hop in &way.hops {
        let by: Vec<String> = hop.evidence.iter().map(crate::words::evidence).collect();
        html.raw("<li><bdi>").text(&hop.from).raw("</bdi> by <bdi>").text(&by.join("; ")).raw("</bdi> ");
        html.one("<span class=\"code\">", hop.check, "</span></li>\n");
    }
    html.raw("</ol></figcaption></figure>\n");
}

fn is_certain(way: &Path, at: usize) -> bool {
    way.hops.get(at).is_some_and(|hop| hop.certain)
}

/// A node: what it is, and below it how one gets there from the one before.
fn node(html: &mut Html, at: usize, class: &'static str, name: &str, how: &str) {
    let top = at * STEP;
    html.raw("<circle class=\"").raw(class).raw("\" cx=\"16\" cy=\"").number(top + 23).raw("\" r=\"9\"/>\n");
    html.raw("<text class=\"name\" x=\"38\" y=\"").number(top + 28).raw("\">").text(&clip(name, FITS));
    html.raw("</text>\n");
    if !how.is_empty() {
        html.raw("<text class=\"how\" x=\"38\" y=\"").number(top + 5).raw("\">").text(&clip(how, FITS + 10));
        html.raw("</text>\n");
    }
}
