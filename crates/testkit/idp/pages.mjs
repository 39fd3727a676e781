// Every page of the provider: plain HTML that works without scripts, one stylesheet, a strict policy.

const CSP = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  // Browsers apply form-action to the redirects that follow a form: the way back to the native client is one.
  "form-action 'self' http://127.0.0.1:* http://localhost:*",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const escape = (text) =>
  String(text ?? '').replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]);

function send(res, title, name, main, status = 200, body = undefined) {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>${escape(title)} · ${escape(name)}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header><span class="mark" aria-hidden="true"></span>${escape(name)}</header>
<main>
${main}
</main>
<footer>Demo identity provider. Accounts and codes exist on this machine only.</footer>
</body>
</html>
`;
  const headers = {
    'content-security-policy': CSP,
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
  if (body) {
    for (const [key, value] of Object.entries(headers)) res.setHeader(key, value);
    return body(html);
  }
  return res.writeHead(status, headers).end(html);
}

const alert = (message) => (message ? `<p class="alert" role="alert" id="error">${escape(message)}</p>` : '');
const cancel = (uid) =>
  `<form method="post" action="/interaction/${uid}/cancel" class="secondary"><button type="submit">Cancel</button></form>`;
const switchForm = (uid) =>
  `<form method="post" action="/interaction/${uid}/switch" class="secondary"><button type="submit">Use another account</button></form>`;

function person(account) {
  const initials = (account?.name ?? account?.sub ?? '?').split(/\s+/).map((word) => word[0]).slice(0, 2).join('');
  return `<p class="person"><span class="avatar" aria-hidden="true">${escape(initials)}</span>
<span><strong>${escape(account?.name)}</strong><br>${escape(account?.email)}</span></p>`;
}

/** Sign-in data of a demo's people; nothing where none are shown. */
function cheatSheet(people) {
  if (!people?.length) return '';
  const rows = people.map(
    ({ email, password, what }) => `<li><span class="mono">${escape(email)}</span> <span class="mono">${escape(password)}</span><br>${escape(what)}</li>`,
  );
  return `<aside aria-label="Demo accounts"><h2>Demo accounts</h2><ul>${rows.join('\n')}</ul></aside>`;
}

export function passwordPage(res, { uid, name, client, message, hint, mfa, people }) {
  const focus = hint ? ['', ' autofocus'] : [' autofocus', ''];
  send(
    res,
    'Sign in',
    name,
    `<h1>Sign in</h1>
<p class="lead">to continue to <strong>Sallyport</strong> <span class="client">${escape(client)}</span></p>
${alert(message)}
<form method="post" action="/interaction/${uid}/password" id="password-form">
<label for="username">Email</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" required value="${escape(hint)}"${focus[0]}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${focus[1]}>
<button type="submit" id="submit">${mfa ? 'Next' : 'Sign in'}</button>
</form>
${mfa ? '<p class="hint">Step 1 of 2. A one-time code is asked next.</p>' : ''}
${cancel(uid)}
${cheatSheet(people)}`,
    message ? 401 : 200,
  );
}

export function codePage(res, { uid, name, message, account, shown }) {
  send(
    res,
    'One-time code',
    name,
    `<h1>One-time code</h1>
${person(account)}
<p class="lead">Enter the six digits your authenticator shows now.</p>
${alert(message)}
<form method="post" action="/interaction/${uid}/code" id="code-form">
<label for="code">Code</label>
<input id="code" name="code" class="code" type="text" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,7}" maxlength="7" required autofocus>
<button type="submit" id="submit">Verify</button>
</form>
<p class="hint">A code is accepted once.</p>
${cancel(uid)}
${shown ? `<aside aria-label="Demo code"><h2>Demo</h2><p>An authenticator would show <strong class="mono">${escape(shown)}</strong> now. <a href="/interaction/${uid}">Show the next one</a></p></aside>` : ''}`,
    message ? 401 : 200,
  );
}

export function confirmPage(res, { uid, name, client, account }) {
  send(
    res,
    'Continue',
    name,
    `<h1>Continue to Sallyport?</h1>
${person(account)}
<p class="lead">You are signed in here already. <span class="client">${escape(client)}</span> will learn your name, email and groups.</p>
<form method="post" action="/interaction/${uid}/confirm" id="confirm-form">
<button type="submit" id="submit" autofocus>Continue</button>
</form>
${switchForm(uid)}
${cancel(uid)}`,
  );
}

export function errorPage(res, name, out, body) {
  send(
    res,
    'Sign-in failed',
    name,
    `<h1>This did not work</h1>
<p class="alert" role="alert" id="error">${escape(out.error_description ?? out.error ?? 'The request could not be answered.')}</p>
<p class="hint">Nothing was granted. You can close this window and start again from the application.</p>`,
    400,
    body,
  );
}

export function logoutPage(res, name, form, body) {
  send(
    res,
    'Sign out',
    name,
    `<h1>Sign out?</h1>
<p class="lead">This ends your session with ${escape(name)} in this browser.</p>
${form}
<p><button type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button></p>`,
    200,
    body,
  );
}

export function signedOutPage(res, name, body) {
  send(res, 'Signed out', name, '<h1>Signed out</h1><p class="lead">You can close this window.</p>', 200, body);
}
