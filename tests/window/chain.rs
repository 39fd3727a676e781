//! A recorded session as one chain, in the window: commands of kubectl as rows that open, and the replay beside them.

use crate::audit::name_log;
use anyhow::{Context as _, Result, bail, ensure};
use sallyport_fleet::window::{LATER, SOON, Seat, Set, Window, key};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The profile under which terminals are recorded, for as long as this check takes.
const PROFILE: &str = "recorded";
const RIGHT: &str = "window:recorded";
/// The first of the commands that are typed, and the second, each with a word that only its shell can say.
const TYPED: [(&str, &str, &str); 2] = [
    ("kubectl get", "kubectl get pods,services -n payments > /dev/null; echo first:$((40 + 2))", "first:42"),
    (
        "kubectl describe",
        "kubectl describe pods -n payments -l app=worker > /dev/null; echo second:$((40 + 2))",
        "second:42",
    ),
];
/// What another program of this desktop does.
const BESIDE: &str = "kubectl rollout";
/// Of everything that stands in the chain, what has to, in this order.
const CHAIN: [&str; 11] = [
    "Signed in with",
    "Asked for recorded on",
    "Minted a token of",
    "Granted as",
    "Terminal opened",
    TYPED[0].0,
    TYPED[1].0,
    BESIDE,
    "Left",
    "Rights gone",
    "Token refused",
];
/// Rows that are gone through at most, and presses of Tab.
const MOST: usize = 200;

/// dana's session under a profile that records, from its command rows in the timeline to its page, where the list and the
/// replay lead to each other.
pub(crate) async fn followed(set: &Set) -> Result<String> {
    let hub = &set.fleet.hub;
    hub.make_profile(&json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": PROFILE},
        "spec": {"clusters": ["*"], "roles": ["sallyport:debug"], "namespaces": ["payments"], "maxDuration": "1h",
            "approvals": 0, "reasonRequired": false, "recording": "Output"},
    }))
    .await?;
    hub.allow(RIGHT, "oidc:payments-dev", &["request"], &[PROFILE]).await?;
    let seen = worked(set).await;
    // The other checks have the profiles that the fleet comes with.
    hub.remove_profiles(&[PROFILE]).await?;
    hub.kubectl().ok(&["delete", "clusterrolebinding,clusterrole", RIGHT]).await?;
    seen
}

async fn worked(set: &Set) -> Result<String> {
    let seat = set.signed_in().await?;
    let session = recorded(set, &seat).await?;
    let window = &seat.window;
    window.press(&['g']).await?;
    window.press(&['a']).await?;
    window.sees("nav button[aria-current=page]", "Audit", SOON).await?;
    window.sees("#entries [role=row]", "", SOON).await?;
    name_log(set, window).await?;
    window.press(&['f']).await?;
    window.sees("dialog", "Filter the timeline", SOON).await?;
    window.type_into("#filter-session", &session).await?;
    window.press(&[key::ENTER]).await?;
    window.sees(".chips .filter", "session", SOON).await?;

    // One row for the command, which opens into its calls and closes again.
    let entries = List { window, id: "entries" };
    let (command, name) = (entries.to(TYPED[0].0).await?, TYPED[0].0);
    ensure!(command.opens == Some(false), "{name} is a row that opens: {command:?}");
    let calls = command.calls().with_context(|| format!("it says how many calls it is: {command:?}"))?;
    ensure!(calls > 1, "{name} of two kinds is more than one call: {command:?}");
    window.press(&[key::RIGHT]).await?;
    let below = "return document.querySelectorAll('#entries [role=row][aria-level=\"2\"]').length";
    let all = format!("{below} >= {calls}");
    window.until("the calls of the command below it", &all, SOON).await?;
    let found = window.run(below, json!([])).await?;
    ensure!(found == json!(calls), "{calls} calls, and {found} rows below");
    window.press(&[key::LEFT]).await?;
    window.until("the command closed", &format!("{below} === 0"), SOON).await?;

    window.press(&['o']).await?;
    window.sees("aside", "Used of what was granted", LATER).await?;
    let chain = List { window, id: "chain" };
    let listed = "const foot = document.querySelector(\"[aria-label='The session'] .foot\")?.innerText ?? '';\
                  return foot !== '' && !foot.includes('loading')";
    window.until("the calls of the session", listed, SOON).await?;
    let told = chain.all().await?;
    in_order(&told)?;
    let joined = window.text("section[aria-label='The session'] .about").await?;
    replay(window, &chain).await?;
    window.screenshot(&seat.desk.path().join("chain.png")).await?;
    seat.desk.must_run()?;
    Ok(format!(
        "{name} is {calls} calls in one row, {} rows in the chain; {}",
        told.len(),
        joined.replace('\n', " ")
    ))
}

/// Opens a session that is recorded, works in its terminal and beside it, and leaves. The session's id.
async fn recorded(set: &Set, seat: &Seat) -> Result<String> {
    let window = &seat.window;
    window.click("#clusters .row", set.cluster()).await?;
    window.click("aside label.profile", PROFILE).await?;
    window.click("aside form button", "Open").await?;
    window.sees(".truth", set.cluster(), LATER).await?;
    window.sees(".recorded", "Recorded:", SOON).await?;
    let prompt = "return (document.querySelector('.xterm-rows')?.textContent ?? '').trim().length > 0";
    window.until("a prompt", prompt, SOON).await?;
    let sessions = window.invoke("sessions_list", json!({})).await?;
    let session = sessions["ok"][0]["id"].as_str().context("a session has an id")?.to_owned();
    for (_, line, says) in TYPED {
        window.terminal_type(&format!("{line}\n")).await?;
        window.terminal_shows(says, SOON).await?;
    }
    // Another program of this desktop with the same kubeconfig: no terminal shows it.
    let config = kubeconfig(seat)?;
    let kubectl = set.fleet.target().plane.kubectl().with_kubeconfig(&config);
    kubectl.ok(&["rollout", "history", "deployment/worker", "-n", "payments"]).await?;
    window.press(&[key::CONTROL, key::SHIFT, 'l']).await?;
    window.proven(set.cluster(), LATER).await?;
    Ok(session)
}

/// The private kubeconfig of the one session of a desk.
fn kubeconfig(seat: &Seat) -> Result<PathBuf> {
    let run = seat.desk.app_home().join("run");
    let inside = std::fs::read_dir(&run).with_context(|| format!("read {}", run.display()))?;
    let found = inside.flatten().map(|one| one.path().join("config")).find(|file| file.is_file());
    found.with_context(|| format!("no kubeconfig in {}", run.display()))
}

/// What must stand in the chain does, in its order.
fn in_order(told: &[Row]) -> Result<()> {
    let mut rows = told.iter();
    for wanted in CHAIN {
        if !rows.any(|row| row.says.contains(wanted)) {
            let all: Vec<&str> = told.iter().map(|row| row.says.as_str()).collect();
            bail!("the chain lacks “{wanted}”, or has it too early:\n{}", all.join("\n"));
        }
    }
    Ok(())
}

/// A row that is chosen takes the replay to its moment, and what the replay shows leads back to the call of then.
async fn replay(window: &Window, chain: &List<'_>) -> Result<()> {
    let [(first, _, said_first), (second, _, said_second)] = TYPED;
    chain.to(first).await?;
    window.press(&['r']).await?;
    let screen = |words: &str| {
        format!(
            "(document.querySelector('.replay-screen .xterm-rows')?.textContent ?? '').replaceAll('\\u00a0', ' ').includes({})",
            json!(words)
        )
    };
    // Each command was typed by then, and had said nothing yet.
    let typed = format!("return {} && !{}", screen("first:$(("), screen(said_first));
    window.until("the replay where the first command began", &typed, SOON).await?;
    chain.to(second).await?;
    let both = format!("return {} && !{}", screen(said_first), screen(said_second));
    window.until("the replay where the second command began", &both, SOON).await?;

    tab_to(window, &[key::TAB], "aside .replay .controls button").await?;
    window.press(&[key::END]).await?;
    window.until("the end of the replay", &format!("return {}", screen(said_second)), SOON).await?;
    let current =
        "const row = document.querySelector('#chain [aria-current=time]'); return row && row.innerText";
    let now = window.until("the call that the replay shows is marked", current, SOON).await?;
    window.press(&['m']).await?;
    let led = "const row = document.querySelector('#chain [aria-selected=true]');\
               return row?.getAttribute('aria-current') === 'time' && row.innerText";
    let chosen = window.until("the call that was made then is chosen", led, SOON).await?;
    let (now, chosen) = (now.as_str().unwrap_or_default(), chosen.as_str().unwrap_or_default());
    ensure!(now.contains(" calls") || now == chosen, "from “{now}” it leads to “{chosen}”");

    // And back to where it was.
    tab_to(window, &[key::SHIFT, key::TAB], "#chain").await?;
    chain.to(first).await?;
    window.until("the replay where it was at first", &typed, SOON).await.map(drop)
}

/// Moves the focus to an element by keys.
async fn tab_to(window: &Window, keys: &[char], css: &str) -> Result<()> {
    let there = format!("return document.activeElement?.matches({}) ?? false", json!(css));
    for _ in 0..MOST {
        if window.run(&there, json!([])).await? == Value::Bool(true) {
            return Ok(());
        }
        window.press(keys).await?;
    }
    bail!("{MOST} presses do not lead to {css}")
}

/// A row of a list, as it is on screen.
#[derive(Debug)]
struct Row {
    id: String,
    says: String,
    /// Whether it is open; none where it can't be.
    opens: Option<bool>,
}

impl Row {
    fn of(seen: &Value) -> Result<Self> {
        let text = |name: &str| seen[name].as_str().unwrap_or_default().to_owned();
        let opens = seen["opens"].as_str().map(|open| open == "true");
        ensure!(!text("id").is_empty(), "a row has an id: {seen}");
        Ok(Self { id: text("id"), says: text("says"), opens })
    }

    /// How many calls a command says it is.
    fn calls(&self) -> Option<usize> {
        self.says.split_once(" calls")?.0.rsplit(' ').next()?.parse().ok()
    }
}

/// A list that is gone through by keys.
struct List<'a> {
    window: &'a Window,
    id: &'static str,
}

impl List<'_> {
    /// The chosen row, once it is drawn and `so` holds of it.
    async fn chosen(&self, what: &str, so: &str) -> Result<Row> {
        let body = format!(
            "const list = document.getElementById('{}');\
             const row = document.getElementById(list?.getAttribute('aria-activedescendant') ?? '');\
             if (row?.getAttribute('aria-selected') !== 'true') return null;\
             return {so} ? {{ id: row.id, says: row.innerText.replace(/\\s+/g, ' '), opens: row.getAttribute('aria-expanded') }} : null",
            self.id
        );
        match self.window.until(what, &body, SOON).await {
            Ok(seen) => Row::of(&seen),
            Err(error) => {
                let now = format!(
                    "const {{ activeElement: at }} = document; const list = document.getElementById('{}');\
                     return [at?.tagName, at?.id, at?.className, list?.getAttribute('aria-activedescendant'), list?.scrollTop]",
                    self.id
                );
                let now = self.window.run(&now, json!([])).await.unwrap_or_default();
                Err(error.context(format!("what has the focus, and what of #{} is chosen: {now}", self.id)))
            }
        }
    }

    async fn begin(&self) -> Result<Row> {
        self.window.press(&[key::HOME]).await?;
        let top = "list.scrollTop < 28 && [...list.querySelectorAll('[role=row][id]')]\
                   .every((other) => other.getBoundingClientRect().top >= row.getBoundingClientRect().top)";
        self.chosen("the first row chosen", top).await
    }

    async fn next(&self, row: &Row) -> Result<Row> {
        self.window.press(&[key::DOWN]).await?;
        self.chosen("the next row chosen", &format!("row.id !== {}", json!(row.id))).await
    }

    /// Goes to the first row that says this.
    async fn to(&self, words: &str) -> Result<Row> {
        let mut row = self.begin().await?;
        for _ in 0..MOST {
            if row.says.contains(words) {
                return Ok(row);
            }
            row = self.next(&row).await.with_context(|| format!("no row says “{words}”"))?;
        }
        bail!("none of the first {MOST} rows says “{words}”")
    }

    /// Goes through all of it.
    async fn all(&self) -> Result<Vec<Row>> {
        self.begin().await?;
        self.window.press(&[key::END]).await?;
        let bottom = "list.scrollTop + list.clientHeight >= list.scrollHeight - 1 && [...list.querySelectorAll('[role=row][id]')]\
                      .every((other) => other.getBoundingClientRect().top <= row.getBoundingClientRect().top)";
        let last = self.chosen("the last row chosen", bottom).await?.id;
        let mut rows = vec![self.begin().await?];
        while rows.len() < MOST && rows.last().is_some_and(|row| row.id != last) {
            let next = self.next(&rows[rows.len() - 1]).await?;
            rows.push(next);
        }
        Ok(rows)
    }
}
