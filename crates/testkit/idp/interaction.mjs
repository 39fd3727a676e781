// What the person sees between "sign in" and being sent back: password, one-time code, or "continue as".
//
// Which of them:
//   no session, prompt=login, max_age passed     password, and the code if MFA is asked for or the account needs it
//   session whose class is too weak (step-up)    the code alone, if this browser gave the password recently; else both
//   session that is good enough                  one button: a native client is never answered silently (RFC 8252 §8.6)
// auth_time is the time of the last of these steps.

import { randomBytes } from 'node:crypto';

import { codePage, confirmPage, passwordPage, errorPage } from './pages.mjs';
import { ACR_MFA, ACR_PASSWORD, wantedClasses } from './provider.mjs';

const ATTEMPTS = 10;
const BROWSER_COOKIE = 'idp_browser';

async function readForm(req) {
  let body = '';
  for await (const chunk of req) {
    body += chunk;
    if (body.length > 8192) throw Object.assign(new Error('the form is too large'), { status: 413 });
  }
  return new URLSearchParams(body);
}

const redirect = (res, location) => res.writeHead(303, { location, 'cache-control': 'no-store' }).end();

export function createInteractions({ config, accounts, switches, now }) {
  const started = new Map(); // interaction uid -> { subject, attempts }
  const browsers = new Map(); // browser cookie -> { subject, passwordAt }
  const demo = new Map(config.shown ?? []);
  const freshSeconds = config.password_fresh_seconds ?? 8 * 3600;

  const browserOf = (req) => /(?:^|;\s*)idp_browser=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1];

  function rememberPassword(req, res, subject) {
    const id = browserOf(req) ?? randomBytes(18).toString('base64url');
    browsers.set(id, { subject, passwordAt: now() });
    res.appendHeader('set-cookie', `${BROWSER_COOKIE}=${id}; Path=/interaction; Secure; HttpOnly; SameSite=Lax`);
  }

  function gavePassword(req, subject) {
    const seen = browsers.get(browserOf(req));
    return seen?.subject === subject && now() - seen.passwordAt <= freshSeconds * 1000;
  }

  const needsCode = (details, account) =>
    !switches.weakAcr && (wantedClasses(details.params).includes(ACR_MFA) || account?.mfa === 'always');

  function stateOf(req, details) {
    const state = started.get(details.uid) ?? { attempts: 0 };
    started.set(details.uid, state);
    const { name, reasons } = details.prompt;
    const steppingUp = name === 'login' && reasons.every((reason) => reason === 'acr_unmet');
    const known = details.session?.accountId;
    if (!state.subject && steppingUp && known && gavePassword(req, known)) state.subject = known;
    return state;
  }

  async function finish(provider, req, res, details, subject, mfa) {
    started.delete(details.uid);
    const grant = new provider.Grant({ accountId: subject, clientId: details.params.client_id });
    grant.addOIDCScope(details.params.scope ?? 'openid');
    grant.addOIDCClaims(['acr', 'amr', 'auth_time', 'email', 'email_verified', 'groups', 'name']);
    const consent = { grantId: await grant.save() };
    if (details.prompt.name === 'consent') return provider.interactionFinished(req, res, { consent });
    const login = {
      accountId: subject,
      acr: mfa ? ACR_MFA : ACR_PASSWORD,
      amr: mfa ? ['pwd', 'otp'] : ['pwd'],
      ts: Math.floor(Date.now() / 1000),
    };
    return provider.interactionFinished(req, res, { login, consent });
  }

  function show(req, res, details, message) {
    const state = stateOf(req, details);
    const page = { uid: details.uid, name: config.name, client: details.params.client_id, message };
    if (details.prompt.name === 'consent') {
      return confirmPage(res, { ...page, account: accounts.get(details.session.accountId) });
    }
    if (state.subject) {
      const shown = demo.has(state.subject) ? accounts.currentCode(state.subject) : undefined;
      return codePage(res, { ...page, account: accounts.get(state.subject), shown });
    }
    const hint = details.params.login_hint ?? accounts.get(details.session?.accountId)?.email ?? '';
    const people = [...demo].map(([sub, what]) => ({ ...accounts.get(sub), what }));
    return passwordPage(res, { ...page, hint, mfa: needsCode(details), people });
  }

  async function refuse(provider, req, res, details, state, message) {
    state.attempts += 1;
    if (state.attempts < ATTEMPTS) return show(req, res, details, message);
    started.delete(details.uid);
    return provider.interactionFinished(req, res, {
      error: 'access_denied',
      error_description: 'too many failed attempts',
    });
  }

  async function password(provider, req, res, details, form) {
    const state = stateOf(req, details);
    const account = accounts.find(form.get('username') ?? '');
    if (!accounts.checkPassword(account, form.get('password') ?? '') || account.disabled) {
      return refuse(provider, req, res, details, state, 'That email and password do not match an account.');
    }
    rememberPassword(req, res, account.sub);
    if (!needsCode(details, account)) return finish(provider, req, res, details, account.sub, false);
    state.subject = account.sub;
    return redirect(res, `/interaction/${details.uid}`);
  }

  async function code(provider, req, res, details, form) {
    const state = stateOf(req, details);
    if (!state.subject) return redirect(res, `/interaction/${details.uid}`);
    const typed = (form.get('code') ?? '').replace(/\s/g, '');
    if (!accounts.takeCode(accounts.get(state.subject), typed)) {
      return refuse(provider, req, res, details, state, 'That code is wrong, too old, or was used before.');
    }
    return finish(provider, req, res, details, state.subject, true);
  }

  /** Signs the browser's session out and starts the same request again. */
  async function otherAccount(provider, req, res, details) {
    started.delete(details.uid);
    const session = details.session?.uid && (await provider.Session.findByUid(details.session.uid));
    if (session) await session.destroy();
    browsers.delete(browserOf(req));
    const query = new URLSearchParams(details.params);
    query.delete('login_hint');
    return redirect(res, `/auth?${query}`);
  }

  /** Answers `/interaction/:uid[/step]`; true when the request was one of those. */
  return async function interact(provider, req, res) {
    const match = /^\/interaction\/([\w-]+)(?:\/(password|code|confirm|cancel|switch))?$/.exec(req.url.split('?')[0]);
    if (!match) return false;
    let details;
    try {
      details = await provider.interactionDetails(req, res);
      if (details.uid !== match[1]) throw new Error('another interaction');
    } catch {
      errorPage(res, config.name, { error_description: 'This sign-in has ended. Start again from the application.' });
      return true;
    }
    if (req.method === 'GET' && !match[2]) {
      show(req, res, details);
      return true;
    }
    if (req.method !== 'POST' || !match[2]) {
      res.writeHead(405, { allow: match[2] ? 'POST' : 'GET' }).end();
      return true;
    }
    const form = await readForm(req);
    const confirmed = details.prompt.name === 'consent' && details.session?.accountId;
    if (match[2] === 'password') await password(provider, req, res, details, form);
    else if (match[2] === 'code') await code(provider, req, res, details, form);
    else if (match[2] === 'confirm' && confirmed) await finish(provider, req, res, details, confirmed, false);
    else if (match[2] === 'switch') await otherAccount(provider, req, res, details);
    else if (match[2] === 'cancel') {
      await provider.interactionFinished(req, res, {
        error: 'access_denied',
        error_description: 'the person cancelled the sign-in',
      });
    } else redirect(res, `/interaction/${details.uid}`);
    return true;
  };
}
