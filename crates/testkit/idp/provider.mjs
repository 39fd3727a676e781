// The OpenID provider: which clients, which claims, when a person has to do something.

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';

import { Provider, interactionPolicy } from 'oidc-provider';

import { logoutPage, errorPage, signedOutPage } from './pages.mjs';

export const ACR_PASSWORD = 'urn:sallyport:pwd';
export const ACR_MFA = 'urn:sallyport:mfa';

const EC = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** A key for each algorithm in use, under fresh ids: RS256, ES256 and what the clients ask for besides. */
export function newKeys(clients = []) {
  const make = (alg) => {
    if (alg === 'EdDSA' || alg === 'Ed25519') return generateKeyPairSync('ed25519');
    if (EC[alg]) return generateKeyPairSync('ec', { namedCurve: EC[alg] });
    return generateKeyPairSync('rsa', { modulusLength: 2048 });
  };
  const algs = new Set(['RS256', 'ES256', ...clients.map((client) => client.id_token_alg ?? 'RS256')]);
  return [...algs].map((alg) => ({
    ...make(alg).privateKey.export({ format: 'jwk' }),
    use: 'sig',
    alg,
    kid: `${alg.toLowerCase()}-${randomBytes(6).toString('hex')}`,
  }));
}

/** The classes the request will settle for: `acr_values`, or an essential `acr` in the `claims` parameter. */
export function wantedClasses(params) {
  const voluntary = params.acr_values ? params.acr_values.split(' ') : [];
  const claims = typeof params.claims === 'string' ? JSON.parse(params.claims) : (params.claims ?? {});
  const asked = claims.id_token?.acr;
  if (!asked?.essential) return voluntary;
  return asked.values ?? (asked.value ? [asked.value] : voluntary);
}

function policy(switches) {
  const { Check, base } = interactionPolicy;
  const prompts = base();
  const login = prompts.get('login');
  // One rule for voluntary and essential classes: ask the person when the session falls short of all of them.
  login.checks.remove('essential_acr');
  login.checks.remove('essential_acrs');
  login.checks.add(
    new Check('acr_unmet', 'a stronger sign-in is required', 'unmet_authentication_requirements', ({ oidc }) => {
      const wanted = wantedClasses(oidc.params).filter((acr) => acr === ACR_MFA || acr === ACR_PASSWORD);
      if (!oidc.session.accountId || wanted.length === 0 || switches.weakAcr) return Check.NO_NEED_TO_PROMPT;
      return wanted.includes(oidc.session.acr) ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
    }),
  );
  return prompts;
}

/** Where this issuer's answers go: the path is the issuer's own, so that no other issuer's sign-in ends here. */
function redirects(issuer, { host = '127.0.0.1', ports = [] } = {}) {
  const path = `/callback/${createHash('sha256').update(issuer).digest('hex').slice(0, 32)}`;
  return ports.length === 0 ? [`http://${host}${path}`] : ports.map((port) => `http://${host}:${port}${path}`);
}

function clients(list, issuer, quirks) {
  return list.map(({ client_id, id_token_alg = 'RS256', client_secret, redirects_too = [] }) => ({
    client_id,
    client_secret,
    client_name: 'Sallyport',
    application_type: 'native',
    token_endpoint_auth_method: client_secret ? 'client_secret_post' : 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    // RFC 8252 §7.3: a native client's loopback redirect matches on any port.
    redirect_uris: [...redirects(issuer, quirks.redirect), ...redirects_too],
    post_logout_redirect_uris: ['http://127.0.0.1/signed-out'],
    id_token_signed_response_alg: id_token_alg,
  }));
}

const merged = (into, changes = {}) => {
  const out = { ...into, ...changes };
  for (const [name, value] of Object.entries(changes)) if (value === null) delete out[name];
  return out;
};

/** Ways of other providers, on order: see `Quirks` in src/idp/quirks.rs. */
function imitate(provider, quirks, latestAcr) {
  const { IdToken, Client } = provider;
  // The session that an ID token belongs to, as Keycloak and others say it.
  if (!quirks.no_session_id) Client.prototype.includeSid = () => true;
  if (quirks.redirect?.exact) {
    Client.prototype.redirectUriAllowed = function allowed(value) {
      return this.redirectUris.includes(value);
    };
  }
  const { payload, issue } = IdToken.prototype;
  IdToken.prototype.payload = async function changed() {
    const claims = await payload.call(this);
    const refreshing = this.ctx?.oidc?.params?.grant_type === 'refresh_token';
    if (quirks.acr_by_session && claims.sid) {
      // The class belongs to the browser's session and the client: the last sign-in there decides, also for renewals.
      if (refreshing) claims.acr = latestAcr.get(claims.sid) ?? claims.acr;
      else latestAcr.set(claims.sid, claims.acr);
    }
    return merged(merged(claims, quirks.claims), refreshing ? quirks.claims_on_refresh : {});
  };
  if (!quirks.extra_audience) return;
  IdToken.prototype.issue = function wider(options) {
    const { client } = this;
    this.client = Object.create(client, { clientId: { value: [client.clientId, quirks.extra_audience] } });
    this.set('azp', client.clientId);
    return issue.call(this, options);
  };
}

export function createProvider({ issuer, config, keys, cookieKeys, adapter, accounts, switches, quirks, latestAcr }) {
  const provider = new Provider(issuer, {
    adapter,
    jwks: { keys },
    clients: clients(config.clients, issuer, quirks),
    acrValues: [ACR_PASSWORD, ACR_MFA],
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    // Kubernetes reads the ID token and nothing else: the claims of the scopes belong in it.
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // Closing the browser, or another person signing in there, is not a sign-out of the desktop.
    expiresWithSession: async () => false,
    enabledJWA: { idTokenSigningAlgValues: [...new Set(keys.map((key) => key.alg))] },
    clientBasedCORS: () => false,
    cookies: { keys: cookieKeys },
    ttl: {
      AccessToken: 300,
      AuthorizationCode: 60,
      IdToken: () => config.id_token_seconds ?? 3600,
      RefreshToken: 14 * 24 * 3600,
      Interaction: 600,
      Session: 12 * 3600,
      Grant: 14 * 24 * 3600,
    },
    features: {
      devInteractions: { enabled: false },
      claimsParameter: { enabled: true },
      revocation: { enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx, form) => logoutPage(ctx.res, config.name, form, (body) => (ctx.body = body)),
        postLogoutSuccessSource: async (ctx) => signedOutPage(ctx.res, config.name, (body) => (ctx.body = body)),
      },
    },
    interactions: { url: async (_ctx, interaction) => `/interaction/${interaction.uid}`, policy: policy(switches) },
    findAccount: async (_ctx, sub) => {
      const account = accounts.get(sub);
      if (!account || account.disabled) return undefined;
      return { accountId: sub, claims: async () => accounts.claims(sub) };
    },
    renderError: async (ctx, out) => {
      ctx.type = 'html';
      errorPage(ctx.res, config.name, out, (body) => (ctx.body = body));
    },
  });

  imitate(provider, quirks, latestAcr);
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route === 'discovery' && ctx.body?.issuer) {
      if (quirks.no_iss) ctx.body.authorization_response_iss_parameter_supported = false;
      ctx.body = merged(ctx.body, quirks.discovery);
    }
    const back = ctx.response.get('location');
    if (quirks.no_iss && /^http:\/\/(127\.0\.0\.1|localhost):/.test(back)) {
      const url = new URL(back);
      url.searchParams.delete('iss');
      ctx.set('location', url.href);
    }
    const refreshing = ctx.oidc?.route === 'token' && ctx.oidc.params?.grant_type === 'refresh_token';
    if (refreshing && switches.omitIdToken && ctx.body?.id_token) delete ctx.body.id_token;
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
  return provider;
}
