//! What can be seen before anyone signs in.

use anyhow::{Result, ensure};
use sallyport_fleet::window::{SOON, Set};
use serde_json::json;

/// Both doors are there, and the page itself takes less than a second.
pub(crate) async fn launches(set: &Set) -> Result<String> {
    let seat = set.window().await?;
    seat.window.sees(".door", "Join a team", SOON).await?;
    seat.window.sees(".door", "Try the demo", SOON).await?;
    let mut best = f64::INFINITY;
    // The best of a few: what else the machine does at the moment is not the page's fault.
    for _ in 0..4 {
        let loaded = seat
            .window
            .run("return performance.getEntriesByType('navigation')[0].loadEventEnd", json!([]))
            .await?;
        best = loaded.as_f64().filter(|ms| *ms > 0.0).map_or(best, |ms| best.min(ms));
        if best < 1000.0 {
            break;
        }
        seat.window.reload().await?;
    }
    ensure!(best < 1000.0, "the page took {best} ms to load");
    seat.desk.must_run()?;
    Ok(format!(
        "page loaded in {best:.0} ms, the program was up and drawn in {} ms",
        seat.window.started_in.as_millis()
    ))
}

/// No evaluated code, nothing remote, no foreign script, frozen prototypes.
pub(crate) async fn policy(set: &Set) -> Result<String> {
    let seat = set.window().await?;
    let evaluated = "try { return (0, eval)('1 + 1') } catch (e) { return e.name }";
    let seen = seat.window.run(evaluated, json!([])).await?;
    ensure!(seen == json!("EvalError"), "eval answered {seen}");
    let made = "try { return new Function('return 2')() } catch (e) { return e.name }";
    let seen = seat.window.run(made, json!([])).await?;
    ensure!(seen == json!("EvalError"), "new Function answered {seen}");
    let issuer = set.fleet.idp.issuer();
    let fetched = "const broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.effectiveDirective));\
                   let got = 'nothing'; try { got = (await fetch(arguments[0], {mode: 'no-cors'})).type } catch { got = 'refused' }\
                   const image = new Image(); image.src = arguments[0] + '/x.png'; document.body.append(image);\
                   const script = document.createElement('script'); script.textContent = 'window.ran = 1'; document.body.append(script);\
                   const frame = document.createElement('iframe'); frame.src = arguments[0]; document.body.append(frame);\
                   await new Promise((r) => setTimeout(r, 300)); image.remove(); script.remove(); frame.remove();\
                   return { got, ran: window.ran ?? null, broken: [...new Set(broken)].sort() }";
    let seen = seat.window.run_async(fetched, json!([issuer])).await?;
    ensure!(seen["got"] == json!("refused"), "a remote address was fetched: {seen}");
    ensure!(seen["ran"].is_null(), "an inline script ran");
    let broken = seen["broken"].to_string();
    for directive in ["connect-src", "img-src", "script-src", "frame-src"] {
        ensure!(broken.contains(directive), "no violation of {directive} was reported: {broken}");
    }
    let frozen = seat.window.run("return Object.isFrozen(Object.prototype)", json!([])).await?;
    ensure!(frozen == json!(true), "Object.prototype is not frozen");
    Ok(format!("refused: {broken}"))
}

/// Nothing of the host that is not on the list answers, and what is on it checks its arguments.
pub(crate) async fn commands(set: &Set) -> Result<String> {
    let seat = set.window().await?;
    let unlisted = [
        "read_file",
        "session_open_raw",
        "plugin:event|emit",
        "plugin:window|close",
        "plugin:webview|create_webview",
        "plugin:path|resolve_directory",
        "plugin:app|version",
        "plugin:shell|open",
        "plugin:fs|read_text_file",
    ];
    for command in unlisted {
        let answer = seat.window.invoke(command, json!({"event": "x", "payload": null})).await?;
        ensure!(
            answer.get("refused").is_some() || answer.get("threw").is_some(),
            "{command} answered {answer}"
        );
    }
    let listed = seat.window.invoke("app_state", json!({})).await?;
    ensure!(listed["ok"]["phase"] == json!("firstRun"), "app_state answered {listed}");
    let hostile = seat.window.invoke("cluster_detail", json!({"name": "../../etc"})).await?;
    ensure!(hostile.get("refused").is_some(), "a path as a cluster's name answered {hostile}");
    Ok(format!("{} commands refused, a listed one answered", unlisted.len()))
}

/// Links, scripts, downloads and dropped links lead nowhere: the one window goes on showing its own page.
pub(crate) async fn stays(set: &Set) -> Result<String> {
    let seat = set.window().await?;
    let issuer = set.fleet.idp.issuer();
    let here = seat.window.run("window.stayed = true; return location.href", json!([])).await?;
    let tries = [
        "location.href = arguments[0]",
        "location.assign('file:///etc/hostname')",
        "location.replace('data:text/html,<h1>elsewhere</h1>')",
        "location.href = 'tauri://elsewhere/index.html'",
        "window.open(arguments[0])",
        "window.open('index.html')",
        "const a = document.createElement('a'); a.href = arguments[0]; document.body.append(a); a.click()",
        "const a = document.createElement('a'); a.href = arguments[0]; a.target = '_blank'; document.body.append(a); a.click()",
        "const a = document.createElement('a'); a.href = 'data:text/plain,x'; a.download = 'x.txt'; document.body.append(a); a.click()",
        // What the web view does by itself with a link that is dropped on it: it goes there, in the window.
        "const f = document.createElement('form'); f.action = arguments[0]; document.body.append(f); f.submit()",
    ];
    for one in tries {
        let _ = seat.window.run(one, json!([issuer])).await;
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        let now = seat.window.run("return [location.href, window.stayed ?? null]", json!([])).await?;
        ensure!(now == json!([here, true]), "{one} led to {now}");
    }
    let windows = seat.window.windows().await?;
    ensure!(windows == 1, "{windows} windows");
    seat.desk.must_run()?;
    Ok(format!("{} ways out lead nowhere", tries.len()))
}
