// Where the provider keeps sessions, codes, grants and tokens: one map in memory. It also remembers what became
// of every refresh token, so that a test can assert "revoked" instead of believing a 200.

const GRANTED = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

export function createStorage(now) {
  const entries = new Map(); // "Model:id" -> { payload, expiresAt }
  const sessionIds = new Map(); // session uid -> session id
  const refreshTokens = new Map(); // id -> { client, account, state, rotations }

  let bySession = false; // revoking one refresh token ends every one of its session, as Keycloak does

  const settle = (id, state) => {
    const known = refreshTokens.get(id);
    if (known && known.state !== 'revoked') known.state = state;
  };

  class Storage {
    constructor(model) {
      this.model = model;
    }

    key(id) {
      return `${this.model}:${id}`;
    }

    async upsert(id, payload, expiresIn) {
      const expiresAt = typeof expiresIn === 'number' ? now() + expiresIn * 1000 : Infinity;
      entries.set(this.key(id), { payload, expiresAt });
      if (this.model === 'Session') sessionIds.set(payload.uid, id);
      if (this.model === 'RefreshToken' && !refreshTokens.has(id)) {
        const { clientId: client, accountId: account, rotations = 0 } = payload;
        refreshTokens.set(id, { client, account, rotations, state: 'live' });
      }
    }

    async find(id) {
      const entry = entries.get(this.key(id));
      if (!entry) return undefined;
      if (entry.expiresAt > now()) return entry.payload;
      entries.delete(this.key(id));
      if (this.model === 'RefreshToken') settle(id, 'expired');
      return undefined;
    }

    async findByUid(uid) {
      const id = sessionIds.get(uid);
      return id === undefined ? undefined : this.find(id);
    }

    async findByUserCode() {
      return undefined; // the device flow is off
    }

    async consume(id) {
      const entry = entries.get(this.key(id));
      if (entry) entry.payload.consumed = Math.floor(now() / 1000);
      if (this.model === 'RefreshToken') settle(id, 'rotated');
    }

    async destroy(id) {
      const session = this.model === 'RefreshToken' && bySession && entries.get(this.key(id))?.payload.sessionUid;
      entries.delete(this.key(id));
      if (this.model === 'RefreshToken') settle(id, 'revoked');
      if (session) this.endSession(session);
    }

    endSession(uid) {
      for (const [key, { payload }] of entries) {
        if (!key.startsWith('RefreshToken:') || payload.sessionUid !== uid) continue;
        entries.delete(key);
        settle(key.slice('RefreshToken:'.length), 'revoked');
      }
      entries.delete(`Session:${sessionIds.get(uid)}`);
    }

    async revokeByGrantId(grantId) {
      if (!GRANTED.has(this.model)) return;
      for (const [key, { payload }] of entries) {
        if (key.startsWith(`${this.model}:`) && payload.grantId === grantId) {
          await this.destroy(key.slice(this.model.length + 1));
        }
      }
    }
  }

  // As an admin does in the provider's console: everything that renews this person's sign-ins is gone.
  const revokeSignIns = (account) => {
    for (const [key, { payload }] of entries) {
      if (!key.startsWith('RefreshToken:') || payload.accountId !== account) continue;
      entries.delete(key);
      settle(key.slice('RefreshToken:'.length), 'revoked');
    }
  };

  return {
    adapter: (model) => new Storage(model),
    refreshTokens: () => [...refreshTokens.values()],
    revokeSignIns,
    revokeBySession: (on) => {
      bySession = on;
    },
  };
}
