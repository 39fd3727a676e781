// The OpenID provider: which clients, which claims, when a person has to do something.

import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { Provider, interactionPolicy } from 'oidc-provider';

import { logoutPage, errorPage, signedOutPage } from './pages.mjs';

export const ACR_PASSWORD = 'urn:sallyport:pwd';
export const ACR_MFA = 'urn:sallyport:mfa';

/** One RSA and one P-256 key under fresh ids. */
export function newKeys() {
  const jwk = (type, options, alg) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
    use: 'sig',
    alg,
    kid: `${alg.toLowerCase()}-${randomBytes(6).toString('hex')}`,
  });
  return [jwk('rsa', { modulusLength: 2048 }, 'RS256'), jwk('ec', { namedCurve: 'P-256' }, 'ES256')];
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

function clients(list) {
  return list.map(({ client_id, id_token_alg = 'RS256' }) => ({
    client_id,
    client_name: 'Sallyport',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    // RFC 8252 §7.3: a native client's loopback redirect matches on any port.
    redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
    post_logout_redirect_uris: ['http://127.0.0.1/signed-out'],
    id_token_signed_response_alg: id_token_alg,
  }));
}

export function createProvider({ issuer, config, keys, cookieKeys, adapter, accounts, switches }) {
  const provider = new Provider(issuer, {
    adapter,
    jwks: { keys },
    clients: clients(config.clients),
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
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
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

  provider.use(async (ctx, next) => {
    await next();
    const refreshing = ctx.oidc?.route === 'token' && ctx.oidc.params?.grant_type === 'refresh_token';
    if (refreshing && switches.omitIdToken && ctx.body?.id_token) delete ctx.body.id_token;
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
  return provider;
}
