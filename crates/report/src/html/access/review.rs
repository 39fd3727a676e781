//! Who looked at whose access, on the page on access.

use super::{DECISIONS, Html, cell, head, left_out, when};
use crate::access::{AccessReview, AccessView};

/// What a line is about.
fn of(kind: &str) -> &'static str {
    match kind {
        "person" => "access of",
        "cluster" => "access to",
        _ => "standing access on",
    }
}

pub(super) fn reviewed(html: &mut Html, view: &AccessView) {
    html.raw("<section><h2>Access review</h2>\n<p class=\"quiet\">What somebody wrote down of having looked, in this desktop's history. A review on another desktop stands in that one's.</p>\n");
    let never = view.reviewed.iter().filter(|one| one.last.is_none()).count();
    if never > 0 {
        let words = if never == 1 { "was never reviewed" } else { "were never reviewed" };
        html.raw("<p><b class=\"warn\">").number(never).raw("</b> of ").number(view.reviewed.len());
        html.one(" below ", words, ".</p>\n");
    }
    if view.reviewed.is_empty() {
        html.raw("<p>Nobody had access in this time.</p>\n");
    } else {
        head(html, &["What", "Of", "Last reviewed", "By", "Up to", "Outcome", "Sessions since"]);
        for one in &view.reviewed {
            html.raw("<tr>");
            cell(html, of(one.of));
            cell(html, &one.name);
            match &one.last {
                None => {
                    html.raw("<td><span class=\"badge high\">never</span></td><td></td><td></td><td></td>");
                }
                Some(last) => {
                    when(html, &last.at);
                    cell(html, &by(last));
                    when(html, &last.to);
                    cell(html, last.ruling_words());
                }
            }
            match one.of {
                "standing" => html.raw("<td></td>"),
                _ => html.raw("<td class=\"n\">").text(&one.sessions_since.to_string()).raw("</td>"),
            };
            html.raw("</tr>\n");
        }
        html.raw("</tbody></table></div>\n");
    }
    if !view.reviews.is_empty() {
        html.raw("<h3>Reviews of this time</h3>\n");
        head(html, &["When", "By", "What", "Of", "From", "To", "Outcome", "Note"]);
        for one in view.reviews.iter().take(DECISIONS) {
            html.raw("<tr>");
            when(html, &one.at);
            cell(html, &by(one));
            cell(html, of(one.of));
            cell(html, &one.name);
            match &one.from {
                Some(from) => when(html, from),
                None => cell(html, "the beginning"),
            }
            when(html, &one.to);
            cell(html, one.ruling_words());
            cell(html, one.note.as_deref().unwrap_or_default());
            html.raw("</tr>\n");
        }
        html.raw("</tbody></table></div>\n");
        left_out(html, view.reviews.len(), DECISIONS, "review");
    }
    html.raw("</section>\n");
}

/// By whom; of their own access, that it is.
fn by(review: &AccessReview) -> String {
    if review.is_own { format!("{} (their own)", review.by) } else { review.by.clone() }
}
