/** A console in memory at `https://node.example` that signs people in at a provider on loopback. */

import { DEFAULT_API_LIMITS } from '../../src/admin/api-limits.ts';
import { mountConsole } from '../../src/admin/console/mount.ts';
import { type OidcConfig, oidcConfig } from '../../src/config/oidc-settings.ts';
import { checkSettings } from '../../src/config/settings.ts';
import type { AuditInput } from '../../src/journal/read-model.ts';
import { Provider } from '../../src/oidc/provider.ts';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import { createTestApi, type TestApi } from './api-fixture.ts';
import { BrowserJar } from './browser-jar.ts';
import { CLIENT_ID, CLIENT_SECRET } from './real-provider.ts';

export const NODE = 'http://node.example';
export const ROLES: readonly string[] = ['reviewer soc reviewers', 'reader everybody', 'admin peerd-admins'];

export interface SignInDesk {
  readonly api: TestApi;
  readonly provider: Provider;
  /** What was recorded. */
  readonly records: AuditInput[];
  /** In force. */
  rules: OidcConfig['rules'];
  nowMs: number;
  /** Somebody else's. */
  browser(address?: string): BrowserJar;
  close(): void;
}

export interface DeskOptions {
  readonly secret?: string | null;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** TLS ends here. */
  readonly secure?: boolean;
}

export async function openSignInDesk(
  issuer: string,
  { secret = CLIENT_SECRET, settings = {}, secure = false }: DeskOptions = {},
): Promise<SignInDesk> {
  const api = await createTestApi();
  const config = configOf(issuer, settings);
  const clients = { named: createHttpClient([]), foreign: createHttpClient([], undefined, {}, 'peer') };
  const records: AuditInput[] = [];
  const redirectUri = (): string => `${NODE}/console/sign-in/oidc/callback`;
  const provider = new Provider({
    config,
    rules: () => desk.rules,
    secret,
    clients,
    redirectUri,
    nowMs: () => desk.nowMs,
  });
  const desk: SignInDesk = {
    api,
    provider,
    records,
    rules: config.rules,
    nowMs: Date.now(),
    browser: (address = '192.0.2.1') =>
      new BrowserJar((url, init) =>
        url.origin === NODE ? Promise.resolve(api.api.request(url.href, init, { address })) : fetch(url, init),
      ),
    close: () => void api.close(),
  };
  mountConsole(api.api, {
    keys: api.keyStore,
    events: {
      requestFailed: (route, error) => records.push({ event: 'failed', detail: { route, error: String(error) } }),
    },
    node: { nodeId: 'stigmem://example', version: '1' },
    limits: DEFAULT_API_LIMITS,
    nowMs: () => desk.nowMs,
    secure,
    sessions: api.sessions,
    links: api.links,
    audit: async (input) => records.push(input),
    oidc: { provider, issuer, rules: () => desk.rules, maxSessionMs: config.maxSessionMs, nodeUrl: () => NODE },
  });
  return desk;
}

function configOf(issuer: string, settings: Readonly<Record<string, unknown>>): OidcConfig {
  const oidc = { issuer, client_id: CLIENT_ID, scopes: ['openid', 'profile', 'groups'], roles: ROLES, ...settings };
  const checked = checkSettings({ node_id: 'stigmem://acme.example', oidc });
  const config = checked.ok ? oidcConfig(checked.value.oidc, (path) => path) : null;
  if (config === null) throw new Error(JSON.stringify(checked));
  return config;
}
