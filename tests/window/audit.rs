//! The audit history, in the window.

use anyhow::{Context as _, Result, ensure};
use sallyport_fleet::window::{LATER, SOON, Set, Window, key};
use serde_json::json;

/// What nobody has, so that one call alone is about it.
const NAME: &str = "audited-42";

/// Names the cluster's own audit log and waits until it is read.
pub(crate) async fn name_log(set: &Set, window: &Window) -> Result<()> {
    let log = set.fleet.target().plane.audit_log().context("the target keeps an audit log")?;
    window.press(&['s']).await?;
    window.sees("dialog", "Clusters' audit logs", SOON).await?;
    window.type_into("#source-cluster", set.cluster()).await?;
    window.type_into("#source-path", &log.display().to_string()).await?;
    window.press(&[key::ENTER]).await?;
    window.sees("dialog .source", "new event", LATER).await?;
    window.press(&[key::ESCAPE]).await
}

/// dana makes a call, names the cluster's own audit log, and gets by keys from the row of that call to the event as the API
/// server wrote it, and to the session that it was made in.
pub(crate) async fn read(set: &Set) -> Result<String> {
    let seat = set.in_session().await?;
    let window = &seat.window;
    window.terminal_type("kubectl get pod audited-$((40 + 2)); echo made:$((40 + 2))\n").await?;
    window.terminal_shows("made:42", SOON).await?;
    window.click("nav button", "Audit").await?;
    window.sees("#entries [role=row]", "", SOON).await?;

    name_log(set, window).await?;

    // With words suggested beside the field: Enter means what was typed.
    window.press(&['f']).await?;
    window.sees("dialog", "Filter the timeline", SOON).await?;
    let suggested = "return document.querySelector('#top-cluster option') !== null || null";
    window.until("a cluster is suggested", suggested, SOON).await?;
    window.type_into("#filter-cluster", set.cluster()).await?;
    window.press(&[key::ENTER]).await?;
    window.sees(".chips .filter", set.cluster(), SOON).await?;

    window.press(&['f']).await?;
    window.sees("dialog", "Filter the timeline", SOON).await?;
    window.type_into("#filter-name", NAME).await?;
    window.press(&[key::ENTER]).await?;
    window.sees(".chips .filter", NAME, SOON).await?;
    // Both sides tell of it, and it is one row.
    let rows = "const rows = document.querySelectorAll('#entries [id^=entry-]');\
                return rows.length === 1 && rows[0].querySelector('.tie') !== null && rows[0].textContent";
    let row = window.until("one row that both sides tell of", rows, LATER).await?;
    ensure!(row.as_str().is_some_and(|row| row.contains(NAME)), "it is about something else: {row}");
    window.press(&[key::DOWN]).await?;
    window.sees("aside", "Audit-ID and JTI, exact", SOON).await?;
    window.press(&['j']).await?;
    window.sees("aside [aria-label='Raw JSON']", "\"auditID\"", SOON).await?;
    window.press(&['o']).await?;
    window.sees("aside", "joined to the cluster's own log", SOON).await?;
    window.sees("aside", "Used of what was granted", SOON).await?;
    window.screenshot(&seat.desk.path().join("audit.png")).await?;
    window.press(&['b']).await?;
    window.sees("aside", "Audit-ID and JTI, exact", SOON).await?;
    let sessions = window.invoke("sessions_list", json!({})).await?;
    ensure!(sessions["ok"][0]["state"] == "open", "the session went on: {sessions}");
    let told = row.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(told)
}
