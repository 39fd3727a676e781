// People, their passwords and their one-time codes (RFC 6238: SHA-1, 30 s, six digits).

import { createHmac, timingSafeEqual } from 'node:crypto';

const STEP_SECONDS = 30;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base32(text) {
  let bits = '';
  for (const character of text.replace(/[\s=]/g, '').toUpperCase()) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) throw new Error('a one-time-code secret is not base32');
    bits += value.toString(2).padStart(5, '0');
  }
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

function codeAt(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', secret).update(counter).digest();
  const offset = digest[digest.length - 1] & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

function same(a, b) {
  const [left, right] = [Buffer.from(String(a)), Buffer.from(String(b))];
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * `now` is the real clock in milliseconds, which the token clock of a test does not move: the authenticator in the
 * person's hand does not move with it either.
 */
export function createAccounts(list, now) {
  const bySubject = new Map();
  const uses = new Map(); // "subject step" -> how often the code may still be taken

  const put = (account) => {
    if (!account.sub || !account.password) throw new Error('an account needs sub and password');
    bySubject.set(account.sub, { groups: [], email_verified: true, ...account });
  };
  list.forEach(put);

  const step = () => Math.floor(now() / 1000 / STEP_SECONDS);
  const left = (sub, at) => uses.get(`${sub} ${at}`) ?? 1;

  return {
    put,
    get: (sub) => bySubject.get(sub),
    find: (name) =>
      [...bySubject.values()].find(
        (account) => account.sub === name || account.email?.toLowerCase() === String(name).toLowerCase(),
      ),
    checkPassword: (account, password) => same(account?.password ?? 'no such account', password) && Boolean(account),

    /** Accepts the code of this step, the one before and the one after, each once. */
    takeCode(account, code) {
      if (!account?.totp || !/^\d{6}$/.test(code)) return false;
      const secret = base32(account.totp);
      for (const at of [step(), step() - 1, step() + 1]) {
        if (same(codeAt(secret, at), code) && left(account.sub, at) > 0) {
          uses.set(`${account.sub} ${at}`, left(account.sub, at) - 1);
          return true;
        }
      }
      return false;
    },

    /** What the person's authenticator shows now. */
    currentCode: (sub) => codeAt(base32(bySubject.get(sub).totp), step()),

    /** The current code, good for one use more than before: tests sign in more often than once in 30 s. */
    spareCode(sub) {
      const at = step();
      const account = bySubject.get(sub);
      if (!account?.totp) throw new Error(`account ${sub} has no one-time-code secret`);
      const key = `${sub} ${at}`;
      const handedOut = uses.has(`${key} spare`);
      uses.set(`${key} spare`, 1);
      // The first spare code is the code's own single use; each further one adds a use.
      if (handedOut || left(sub, at) < 1) uses.set(key, left(sub, at) + 1);
      return codeAt(base32(account.totp), at);
    },

    claims(sub) {
      const { email, email_verified, name, groups } = bySubject.get(sub);
      return { sub, email, email_verified, name, preferred_username: sub, groups };
    },
  };
}
