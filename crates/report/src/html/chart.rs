//! Charts as pictures in the page: drawn in numbers, said in words beside them.

use super::Html;

/// Width of a picture, in its own units.
const WIDE: usize = 1000;
const TALL: usize = 150;
/// Where names beside bars end.
const NAMES: usize = 250;
const ROW: usize = 26;

/// Two counts in each stretch of time, one upon the other: all, and of them those that were refused.
pub(super) fn columns(html: &mut Html, title: &str, days: &[(String, u64, u64)]) {
    let most = days.iter().map(|(_, all, _)| *all).max().unwrap_or_default().max(1);
    html.raw("<figure><svg role=\"img\" viewBox=\"0 0 ").number(WIDE).raw(" ").number(TALL + 24);
    html.one("\"><title>", title, "</title>\n");
    html.raw("<line class=\"axis\" x1=\"0\" x2=\"").number(WIDE).raw("\" y1=\"").number(TALL).raw("\" y2=\"");
    html.number(TALL).raw("\"/>\n");
    let each = WIDE / days.len().max(1);
    let width = (each * 7 / 10).max(1);
    for (at, (day, all, refused)) in days.iter().enumerate() {
        let x = at * WIDE / days.len().max(1) + (each - width.min(each)) / 2;
        let says = format!("{day}: {all}, of them {refused} refused");
        for (class, count) in [("bar", *all), ("bar no", *refused)] {
            if count == 0 {
                continue;
            }
            // What is there is seen, however little it is.
            let height = scaled(count, most, TALL - 12).max(2);
            html.raw("<rect class=\"")
                .raw(class)
                .raw("\" x=\"")
                .number(x)
                .raw("\" y=\"")
                .number(TALL - height);
            html.raw("\" width=\"").number(width).raw("\" height=\"").number(height).raw("\">");
            html.one("<title>", &says, "</title></rect>\n");
        }
    }
    let labels = [(0, "start"), (days.len() / 2, "middle"), (days.len().saturating_sub(1), "end")];
    let many = if days.len() > 2 { 3 } else { 1 };
    for (at, anchor) in labels.into_iter().take(many) {
        let Some((day, _, _)) = days.get(at) else { continue };
        let x = match anchor {
            "start" => 0,
            "end" => WIDE,
            _ => WIDE / 2,
        };
        html.raw("<text class=\"how\" text-anchor=\"").raw(anchor).raw("\" x=\"").number(x).raw("\" y=\"");
        html.number(TALL + 18).one("\">", day, "</text>\n");
    }
    html.raw("<text class=\"how\" x=\"0\" y=\"10\">").number(usize::try_from(most).unwrap_or(usize::MAX));
    html.raw("</text>\n</svg></figure>\n");
}

/// A bar for each name.
pub(super) fn bars(html: &mut Html, title: &str, of: &[(String, u64, u64)]) {
    let most = of.iter().map(|(_, all, _)| *all).max().unwrap_or_default().max(1);
    html.raw("<figure><svg role=\"img\" viewBox=\"0 0 ").number(WIDE).raw(" ").number(of.len() * ROW + 4);
    html.one("\"><title>", title, "</title>\n");
    for (at, (name, all, refused)) in of.iter().enumerate() {
        let y = at * ROW;
        html.raw("<text class=\"name\" text-anchor=\"end\" x=\"")
            .number(NAMES - 10)
            .raw("\" y=\"")
            .number(y + 17);
        html.raw("\">").text(&sallyport_model::clip(name, 34)).raw("</text>\n");
        let room = WIDE - NAMES - 120;
        for (class, count) in [("bar", *all), ("bar no", *refused)] {
            if count == 0 {
                continue;
            }
            html.raw("<rect class=\"").raw(class).raw("\" x=\"").number(NAMES).raw("\" y=\"").number(y + 4);
            html.raw("\" width=\"").number(scaled(count, most, room).max(2)).raw("\" height=\"");
            html.number(ROW - 8).raw("\"/>\n");
        }
        html.raw("<text class=\"how\" x=\"").number(NAMES + scaled(*all, most, room) + 8).raw("\" y=\"");
        html.number(y + 17).raw("\">").text(&said(*all, *refused)).raw("</text>\n");
    }
    html.raw("</svg></figure>\n");
}

fn said(all: u64, refused: u64) -> String {
    if refused == 0 { all.to_string() } else { format!("{all} ({refused} refused)") }
}

/// When something was open, a line for each name, and in the background when nothing is known.
pub(super) fn spans(
    html: &mut Html,
    title: &str,
    of: &[(String, Vec<(i64, i64)>)],
    gaps: &[(i64, i64)],
    (from, to): (i64, i64),
) {
    let tall = of.len() * ROW + 4;
    html.raw("<figure><svg role=\"img\" viewBox=\"0 0 ").number(WIDE).raw(" ").number(tall + 20);
    html.one("\"><title>", title, "</title>\n");
    let place = |at: i64| {
        let (part, whole) = (at.clamp(from, to).abs_diff(from), to.abs_diff(from).max(1));
        NAMES + scaled(part, whole, WIDE - NAMES)
    };
    for (begin, end) in gaps {
        let x = place(*begin);
        html.raw("<rect class=\"gap\" x=\"").number(x).raw("\" y=\"0\" width=\"");
        html.number((place(*end) - x).max(3)).raw("\" height=\"").number(tall).raw("\"/>\n");
    }
    for (at, (name, open)) in of.iter().enumerate() {
        let y = at * ROW;
        html.raw("<text class=\"name\" text-anchor=\"end\" x=\"")
            .number(NAMES - 10)
            .raw("\" y=\"")
            .number(y + 17);
        html.raw("\">")
            .text(&sallyport_model::clip(name, 34))
            .raw("</text>\n<line class=\"axis\" x1=\"")
            .number(NAMES);
        html.raw("\" x2=\"")
            .number(WIDE)
            .raw("\" y1=\"")
            .number(y + 13)
            .raw("\" y2=\"")
            .number(y + 13)
            .raw("\"/>\n");
        for (begin, end) in open {
            let x = place(*begin);
            html.raw("<rect class=\"bar\" x=\"").number(x).raw("\" y=\"").number(y + 5).raw("\" width=\"");
            html.number((place(*end).saturating_sub(x)).max(3))
                .raw("\" height=\"")
                .number(ROW - 10)
                .raw("\"/>\n");
        }
    }
    for (x, anchor, at) in [(NAMES, "start", from), (WIDE, "end", to)] {
        let day: String = crate::access::told(at).chars().take(16).collect();
        html.raw("<text class=\"how\" text-anchor=\"").raw(anchor).raw("\" x=\"").number(x).raw("\" y=\"");
        html.number(tall + 14).one("\">", &day.replace('T', " "), "</text>\n");
    }
    html.raw("</svg></figure>\n");
}

/// `part` of `whole`, in units.
fn scaled(part: u64, whole: u64, units: usize) -> usize {
    let (part, whole, most) = (u128::from(part), u128::from(whole.max(1)), units as u128);
    usize::try_from((part * most / whole).min(most)).unwrap_or(units)
}
