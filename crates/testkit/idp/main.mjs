// OpenID provider for tests and demo. Usage: node main.mjs CONFIG.json
//
// Orders come as JSON lines on stdin and each is answered by one JSON line on stdout; the first line on stdout says
// where the provider listens. The end of stdin ends the program, so it does not outlive whoever started it.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';

// stdout belongs to the protocol with the parent.
console.info = console.log = console.error;

const realNow = Date.now.bind(Date);
let clockOffset = 0; // ms; moves token and session times, not the one-time codes
Date.now = () => realNow() + clockOffset;

const { createAccounts } = await import('./accounts.mjs');
const { createInteractions } = await import('./interaction.mjs');
const { createProvider, newKeys } = await import('./provider.mjs');
const { createStorage } = await import('./storage.mjs');

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const style = readFileSync(new URL('./style.css', import.meta.url));
const switches = { omitIdToken: false, weakAcr: false };
const faults = new Map(); // endpoint -> { mode: "hang" | "error" | "delay", ms }
const counts = {};
const accounts = createAccounts(config.accounts, realNow);
const storage = createStorage(() => Date.now());
const cookieKeys = [randomBytes(24).toString('hex')];
const interact = createInteractions({ config, accounts, switches, now: () => Date.now() });

let quirks = config.quirks ?? {}; // ways of other providers
const latestAcr = new Map(); // session id -> class of its last sign-in

let issuer;
let keys = newKeys(config.clients);
let provider;
let answer;

function rebuild() {
  provider = createProvider({ issuer, config, keys, cookieKeys, adapter: storage.adapter, accounts, switches, quirks, latestAcr });
  storage.revokeBySession(Boolean(quirks.revoke_by_session));
  answer = provider.callback();
}

const ENDPOINTS = {
  '/.well-known/openid-configuration': 'discovery',
  '/jwks': 'jwks',
  '/auth': 'authorization',
  '/token': 'token',
  '/token/revocation': 'revocation',
  '/me': 'userinfo',
};

async function serve(req, res) {
  const path = req.url.split('?')[0];
  const endpoint = ENDPOINTS[path] ?? 'page';
  counts[endpoint] = (counts[endpoint] ?? 0) + 1;
  if (quirks.no_date) res.sendDate = false;
  else if (clockOffset) res.setHeader('date', new Date(Date.now()).toUTCString());
  const fault = faults.get(endpoint);
  if (fault?.mode === 'hang') return undefined; // never answered: the client's deadline has to end it
  if (fault?.mode === 'error') return res.writeHead(500, { 'content-type': 'text/plain' }).end('fault asked for by a test');
  if (fault?.mode === 'delay') await new Promise((resume) => setTimeout(resume, fault.ms));
  if (path === '/style.css') return res.writeHead(200, { 'content-type': 'text/css; charset=utf-8' }).end(style);
  if (path === '/healthz') return res.writeHead(200).end('ok');
  if (path.startsWith('/interaction/') && (await interact(provider, req, res))) return undefined;
  return answer(req, res);
}

const server = createServer({ cert: readFileSync(config.cert), key: readFileSync(config.key) }, (req, res) => {
  serve(req, res).catch((error) => {
    console.error(error);
    if (!res.headersSent) res.writeHead(error.status ?? 500);
    res.end();
  });
});

const orders = {
  keys: ({ keep = false }) => {
    const fresh = newKeys(config.clients);
    keys = keep ? [...fresh, ...keys] : fresh;
    rebuild();
  },
  clock: ({ seconds }) => {
    clockOffset = seconds * 1000;
  },
  fault: ({ endpoint, mode, ms = 0 }) => {
    if (mode) faults.set(endpoint, { mode, ms });
    else faults.delete(endpoint);
  },
  omit_id_token: ({ on }) => {
    switches.omitIdToken = on;
  },
  weak_acr: ({ on }) => {
    switches.weakAcr = on;
  },
  quirks: ({ quirks: wanted }) => {
    quirks = wanted;
    rebuild();
  },
  id_token_seconds: ({ seconds }) => {
    config.id_token_seconds = seconds;
  },
  account: ({ account }) => accounts.put(account),
  code: ({ sub, spare }) => (spare ? accounts.spareCode(sub) : accounts.currentCode(sub)),
  refresh_tokens: () => storage.refreshTokens(),
  revoke_sign_ins: ({ sub }) => storage.revokeSignIns(sub),
  counts: () => ({ ...counts }),
};

const reply = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

function obey(line) {
  try {
    const order = JSON.parse(line);
    if (!Object.hasOwn(orders, order.op)) throw new Error(`no order named ${order.op}`);
    reply({ ok: orders[order.op](order) ?? null });
  } catch (error) {
    reply({ error: error.message });
  }
}

server.listen(config.port ?? 0, '127.0.0.1', () => {
  issuer = config.issuer ?? `https://127.0.0.1:${server.address().port}`;
  rebuild();
  reply({ issuer, port: server.address().port });
});
server.on('error', (error) => {
  reply({ error: error.message });
  process.exit(1);
});
createInterface({ input: process.stdin }).on('line', obey).on('close', () => process.exit(0));
