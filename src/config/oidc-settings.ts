/** The `[oidc]` section as the node takes it, and what is wrong between its settings and others. */

import { KEY_ROLES, type KeyRole, type Permission, rolePermissions } from '../core/permissions.ts';
import { HOUR_MS } from '../core/time.ts';
import { isLoopback } from './checks.ts';
import type { ConfigProblem } from './problem.ts';
import { shown } from './problem.ts';
import { type OidcAlgorithm, splitRule } from './section-oidc.ts';
import type { Settings } from './settings-form.ts';

/** Whoever has the value has these permissions. */
export interface RoleRule {
  /** The role or permission, as it is written. */
  readonly word: string;
  readonly value: string;
  readonly permissions: readonly Permission[];
}

export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  /** Files, absolute or relative to where the process runs if the data folder is; null: none. */
  readonly clientSecretFile: string | null;
  readonly caFile: string | null;
  readonly scopes: readonly string[];
  readonly nameClaim: string;
  readonly rolesClaim: string;
  readonly rules: readonly RoleRule[];
  readonly acr: readonly string[];
  readonly amr: readonly string[];
  readonly algorithms: readonly OidcAlgorithm[];
  readonly maxSessionMs: number;
}

/** Null: people sign in with API keys alone. */
export function oidcConfig(section: Settings['oidc'], inDir: (path: string) => string): OidcConfig | null {
  if (section.issuer === '') return null;
  const fileOf = (path: string): string | null => (path === '' ? null : inDir(path));
  return {
    issuer: section.issuer,
    clientId: section.client_id,
    clientSecretFile: fileOf(section.client_secret_file),
    caFile: fileOf(section.ca_file),
    scopes: section.scopes,
    nameClaim: section.name_claim,
    rolesClaim: section.roles_claim,
    rules: section.roles.map(ruleOf),
    acr: section.acr,
    amr: section.amr,
    algorithms: section.algorithms,
    maxSessionMs: section.max_session_hours * HOUR_MS,
  };
}

function ruleOf(rule: string): RoleRule {
  const [word, value] = splitRule(rule);
  return { word, value, permissions: isRole(word) ? rolePermissions(word) : [word as Permission] };
}

function isRole(word: string): word is KeyRole {
  return (KEY_ROLES as readonly string[]).includes(word);
}

export function oidcContradictions(
  { oidc, api }: Pick<Settings, 'oidc' | 'api'>,
  whereIs: (key: string) => string,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const say = (at: string, key: string, message: string, fix: string): void => {
    problems.push({ where: whereIs(at), key, message, fix });
  };
  if (oidc.issuer === '') {
    if (oidc.client_id !== '')
      say('oidc.client_id', 'oidc.issuer', 'oidc.client_id is set, and oidc.issuer is empty', 'Set oidc.issuer.');
    return problems;
  }
  if (oidc.client_id === '')
    say('oidc.issuer', 'oidc.client_id', 'oidc.issuer is set, and oidc.client_id is empty', 'Set oidc.client_id.');
  if (!isSafe(oidc.issuer)) {
    const message = `oidc.issuer: expected https://, or this machine by its address, got ${shown(oidc.issuer)}`;
    say('oidc.issuer', 'oidc.issuer', message, 'Use TLS: whoever stands between could sign in as anybody.');
  }
  if (!oidc.scopes.includes('openid'))
    say('oidc.scopes', 'oidc.scopes', 'oidc.scopes: expected "openid" among them', 'Add "openid".');
  const fix = 'Set api.node_url to the https:// address under which people open the console.';
  if (api.node_url === '' && (!isLoopback(api.host) || api.behind_proxy))
    say(
      'oidc.issuer',
      'api.node_url',
      'oidc.issuer is set, and api.node_url, where the provider sends people back to, is empty',
      fix,
    );
  if (api.node_url !== '' && !isSafe(api.node_url)) {
    const message = `api.node_url: expected https:// where people sign in at a provider, got ${shown(api.node_url)}`;
    say('api.node_url', 'api.node_url', message, fix);
  }
  return problems;
}

function isSafe(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || isLoopback(url.hostname));
}
