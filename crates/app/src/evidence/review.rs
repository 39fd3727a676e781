//! Access reviews: written down by whoever looked, and told beside whatever they were about.

use super::{Evidence, filter, number};
use crate::desk::AppError;
use sallyport_audit::{Action, Entry, NOTE_MOST, Review, Reviewed, Ruling};
use sallyport_ipc::{ReviewInput, ReviewOf, ReviewRuling, ReviewView, Shown, TimelineFilter};
use sallyport_model::{ClusterName, ErrorCode, UserName};
use sallyport_store::Filter;

/// Reviews that are told.
const TOLD: usize = 20;
/// Entries that are read at once.
const PAGE: usize = 500;

impl Evidence {
    /// Writes a review down.
    ///
    /// # Errors
    /// [`ErrorCode::BadInput`] for what is no review; when the disk does not take it.
    pub(crate) async fn review(&self, by: &UserName, input: ReviewInput) -> Result<(), AppError> {
        let now = jiff::Timestamp::now().as_microsecond();
        let review = parse(&input, now)?;
        self.history.keep(review.draft(by)).await
    }

    /// What was said of whoever the filter names, or of the cluster: the newest first, and whether there are more. All that
    /// there is is looked through, so that "never" is what this history says.
    pub(super) async fn reviews(&self, filter: &TimelineFilter) -> Result<(Vec<ReviewView>, bool), AppError> {
        let said = |text: &Option<String>| text.as_deref().map(str::trim).unwrap_or_default().to_owned();
        let (person, cluster) = (said(&filter.person), said(&filter.cluster));
        let is_about = |review: &Review| match &review.of {
            Reviewed::Person(name) => name.as_str() == person,
            Reviewed::Cluster(name) | Reviewed::Standing(name) => {
                person.is_empty() && name.as_str() == cluster
            }
        };
        // Those of a cluster are under its name; whose access was reviewed stands in an entry's details alone.
        let of_cluster = person.is_empty().then(|| cluster.parse::<ClusterName>().ok()).flatten();
        let wanted =
            Filter { cluster: of_cluster, actions: vec![Action::AccessReviewed], ..Filter::default() };
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.history.entries(wanted.clone(), cursor, PAGE).await?;
            for entry in &page.entries {
                match Review::of(entry).filter(is_about) {
                    Some(_) if found.len() == TOLD => return Ok((found, true)),
                    Some(review) => found.push(view(entry, &review)),
                    None => {}
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok((found, false));
            }
        }
    }
}

/// What the window says, as a review.
fn parse(input: &ReviewInput, now: i64) -> Result<Review, AppError> {
    let name = input.name.trim();
    let wrong = |what: &str, why: String| filter::bad(format!("{what} can't be reviewed: {why}"));
    let cluster = || name.parse::<ClusterName>().map_err(|error| wrong("this cluster", error.to_string()));
    let of = match input.of {
        ReviewOf::Person => {
            Reviewed::Person(name.parse().map_err(|error| wrong("this person", format!("{error}")))?)
        }
        ReviewOf::Cluster => Reviewed::Cluster(cluster()?),
        ReviewOf::Standing => Reviewed::Standing(cluster()?),
    };
    let to = input.to_us.unwrap_or(now).min(now);
    if input.from_us.is_some_and(|from| from >= to) {
        return Err(filter::bad("the reviewed time ends before it begins, or is still to come"));
    }
    let ruling = match input.ruling {
        ReviewRuling::Kept => Ruling::Kept,
        ReviewRuling::ToBeRemoved => Ruling::ToBeRemoved,
    };
    let note = input.note.trim();
    if note.chars().count() > NOTE_MOST {
        return Err(AppError::new(ErrorCode::BadInput, "the note is too long").hint(format!(
            "It takes {NOTE_MOST} characters; the rest belongs into a ticket that it names."
        )));
    }
    if ruling == Ruling::ToBeRemoved && note.is_empty() {
        return Err(AppError::new(ErrorCode::BadInput, "what is to be removed is not said")
            .hint("Say in the note what is to go, and who does it."));
    }
    Ok(Review { of, from: input.from_us, to, ruling, note: note.to_owned() })
}

fn view(entry: &Entry, review: &Review) -> ReviewView {
    ReviewView {
        sequence: number(entry.sequence),
        at_us: entry.at,
        by: entry.user.as_ref().map(Shown::of).unwrap_or_default(),
        is_own: matches!(&review.of, Reviewed::Person(name) if entry.user.as_ref() == Some(name)),
        of: match review.of {
            Reviewed::Person(_) => ReviewOf::Person,
            Reviewed::Cluster(_) => ReviewOf::Cluster,
            Reviewed::Standing(_) => ReviewOf::Standing,
        },
        from_us: review.from,
        to_us: review.to,
        ruling: match review.ruling {
            Ruling::Kept => ReviewRuling::Kept,
            Ruling::ToBeRemoved => ReviewRuling::ToBeRemoved,
        },
        note: Shown::from(&review.note),
    }
}

#[cfg(test)]
mod tests;
