/** Signing in at an identity provider, for the console and for whoever looks after it. */
import { readFileSync, statSync } from 'node:fs';
import type { OidcDesk } from '../admin/console/deps.ts';
import { keyState, type StoredKey } from '../admin/keys.ts';
import type { SignInStatus } from '../admin/sign-in-status.ts';
import type { OidcConfig, RoleRule } from '../config/oidc-settings.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { readSecretFile } from '../config/secret-file.ts';
import { issuerOf } from '../core/person.ts';
import { Provider } from '../oidc/provider.ts';
import { createHttpClient } from '../outbound/http-client.ts';
import { type Clock, SYSTEM_CLOCK } from '../transport/clock.ts';
import { type Base, StartError } from './base.ts';

const CALLBACK = '/console/sign-in/oidc/callback';
/** Whoever signs in finds out sooner; this is for who looks at the node before anybody does. */
const LOOK_EVERY_MS = 600_000;
const MAX_PEM_BYTES = 1_048_576;

export interface Oidc {
  readonly desk: OidcDesk;
  readonly status: (keys: readonly StoredKey[]) => Promise<SignInStatus>;
  /** For who asks whether the node is ready, which is anybody; null: nothing is known against the provider. */
  readonly notice: () => string | null;
}

/**
 * @param nodeUrl asked late: it may be known only when the API listens
 * @returns null when people sign in with API keys alone
 * @throws StartError for files that cannot be read
 */
export function openOidc(base: Base, nodeUrl: () => string): Oidc | null {
  const { config } = base;
  const { oidc } = config;
  if (oidc === null) return null;
  const origin = (): string => nodeUrl().replace(/\/+$/, '');
  const redirectUri = (): string => `${origin()}${CALLBACK}`;
  const rules = rulesInForce(base, oidc);
  const provider = new Provider({
    config: oidc,
    rules,
    secret: secretOf(oidc),
    clients: clientsOf(base, oidc),
    redirectUri,
    nowMs: base.nowMs,
  });
  const { issuer, clientId, maxSessionMs } = oidc;
  return {
    desk: { provider, issuer, rules, maxSessionMs, nodeUrl: origin },
    notice: () => (provider.fault === null ? null : 'signing in with OIDC: the identity provider cannot be used'),
    async status(stored) {
      const { fault, keys, algorithms, clockSkewMs, endsSessions } = await provider.examine();
      return {
        issuer,
        client_id: clientId,
        redirect_uri: redirectUri(),
        rules: rules().length,
        other_issuer_keys: keysOfOthers(stored, issuer, base.nowMs()),
        fault,
        keys,
        algorithms,
        clock_skew_ms: clockSkewMs,
        ends_sessions: endsSessions,
      };
    },
  };
}

/** Looks at the provider at the start and from time to time. A node starts, and keys work, whether it is there or not. */
export function watchProvider(
  { desk }: Pick<Oidc, 'desk'>,
  { logger }: Pick<Base, 'logger'>,
  owned: AsyncDisposableStack,
  clock: Clock = SYSTEM_CLOCK,
): void {
  let told: string | null = null;
  let cancel: () => void = () => {};
  let isStopped = false;
  const look = async (): Promise<void> => {
    await desk.provider.endSessionUrl(desk.nodeUrl());
    const now = desk.provider.fault;
    if (now !== null && now !== told) logger.warn(`signing in with OIDC: ${desk.issuer} cannot be used: ${now}`);
    if (now === null && told !== null) logger.info({ issuer: desk.issuer }, 'the identity provider can be used again');
    told = now;
    if (!isStopped) cancel = clock.after(LOOK_EVERY_MS, () => void look());
  };
  owned.defer(() => {
    isStopped = true;
    cancel();
  });
  void look();
}

/**
 * Rules as the file has them now, so that a role that is given or taken away is so at once, without a restart that signs everybody out. What
 * cannot be read changes nothing: half a file is no rule.
 */
function rulesInForce({ paths, reload, logger }: Base, atStart: OidcConfig): () => readonly RoleRule[] {
  let stamp = stampOf(paths.config);
  let { rules } = atStart;
  return () => {
    const now = stampOf(paths.config);
    if (now === stamp) return rules;
    stamp = now;
    const config = reload();
    if (config.ok) rules = config.value.oidc?.rules ?? [];
    else logger.warn('config.toml has problems: the rules of [oidc] stay as they were (stigmem-peerd config check)');
    return rules;
  };
}

/** Made before the issuer was another one. */
function keysOfOthers(keys: readonly StoredKey[], issuer: string, nowMs: number): readonly string[] {
  const others = keys.filter(({ person }) => person !== null && issuerOf(person) !== issuer);
  return others.flatMap((key) => (keyState(key, nowMs) === 'active' ? [key.name] : []));
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '' : `${stat.ino}:${stat.size}:${stat.mtimeNs}`;
}

function secretOf({ clientSecretFile: path }: OidcConfig): string | null {
  if (path === null) return null;
  const secret = readSecretFile(path, 'the client’s secret (oidc.client_secret_file)');
  if (!secret.ok) throw new StartError([secret.error]);
  if (secret.value.trim() !== '') return secret.value.trim();
  throw new StartError([fileProblem('oidc.client_secret_file', path, 'expected one line, got an empty file')]);
}

function clientsOf({ config }: Base, { caFile }: OidcConfig): ConstructorParameters<typeof Provider>[0]['clients'] {
  const tls = caFile === null ? {} : { ca: pemOf(caFile) };
  return {
    named: createHttpClient(config.network.allowed, undefined, tls),
    foreign: createHttpClient(config.network.allowed, undefined, tls, 'peer'),
  };
}

function pemOf(path: string): string {
  const key = 'oidc.ca_file';
  try {
    if (statSync(path).size > MAX_PEM_BYTES) throw new Error(`it is over ${MAX_PEM_BYTES} bytes`);
    const pem = readFileSync(path, 'utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
    throw new Error('no certificate in PEM is in it');
  } catch (thrown) {
    throw new StartError([fileProblem(key, path, `expected certificates in PEM: ${(thrown as Error).message}`)]);
  }
}

function fileProblem(key: string, where: string, message: string): ConfigProblem {
  return { where, key, message, fix: `Put the right file there, or empty ${key}.` };
}
