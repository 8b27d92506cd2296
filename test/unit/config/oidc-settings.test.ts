import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../../src/config/config.ts';
import type { OidcConfig } from '../../../src/config/oidc-settings.ts';
import { problemText } from '../../../src/config/problem.ts';

const dir = mkdtempSync(join(tmpdir(), 'peerd-oidc-'));
after(() => rmSync(dir, { recursive: true }));
const GOOD = 'issuer = "https://idp.acme.example/realms/soc"\nclient_id = "peerd"\n';

function load(oidc: string, api = ''): ReturnType<typeof loadConfig> {
  const path = join(dir, 'config.toml');
  writeFileSync(path, `node_id = "stigmem://acme.example"\n[api]\n${api}\n[oidc]\n${oidc}\n`);
  return loadConfig(dir, {}, {});
}

function config(oidc: string, api = ''): OidcConfig | null {
  const loaded = load(oidc, api);
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.error.problems.map(problemText).join('\n'));
  return loaded.value.oidc;
}

function problem(oidc: string, api = ''): string {
  const loaded = load(oidc, api);
  assert.ok(!loaded.ok, `accepted: ${oidc} ${api}`);
  return loaded.error.problems.map(problemText).join('\n');
}

test('without an issuer there is none; with one and a client the rest has defaults that let nobody in', () => {
  assert.equal(config(''), null);
  const oidc = config(GOOD);
  assert.deepEqual(oidc?.rules, []);
  assert.deepEqual([oidc?.clientSecretFile, oidc?.caFile, oidc?.maxSessionMs], [null, null, 8 * 3_600_000]);
  assert.deepEqual(oidc?.algorithms, ['RS256', 'PS256', 'ES256', 'ES384', 'Ed25519', 'EdDSA']);
});

test('a rule is a role or a permission, and the whole of what follows', () => {
  const rules = config(`${GOOD}roles = ["reviewer SOC Team", "legal.hold /legal/hold", "admin a  b"]`)?.rules;
  assert.deepEqual(
    rules?.map(({ word, value, permissions }) => [word, value, permissions.join(' ')]),
    [
      ['reviewer', 'SOC Team', 'read federate audit.read review'],
      ['legal.hold', '/legal/hold', 'legal.hold'],
      ['admin', 'a  b', 'admin'],
    ],
  );
  for (const rule of ['boss people', 'reviewer', 'reviewer ', 'reviewer  ', '', `admin ${'x'.repeat(257)}`])
    assert.match(problem(`${GOOD}roles = ["${rule}"]`), /oidc\.roles: expected a list of rules/, rule);
});

test('what would let somebody between, or could not work, is refused before the node starts, with what to do', () => {
  const cases: readonly (readonly [RegExp, string, string?])[] = [
    [/oidc\.client_id is empty\. Set oidc\.client_id/, 'issuer = "https://idp.acme.example"'],
    [/oidc\.issuer is empty\. Set oidc\.issuer/, 'client_id = "peerd"'],
    [/oidc\.issuer: expected https:\/\//, 'issuer = "http://idp.acme.example"\nclient_id = "p"'],
    [/oidc\.issuer: expected a URL such as/, 'issuer = "https://idp.acme.example?x"\nclient_id = "p"'],
    [/oidc\.scopes: expected "openid" among them/, `${GOOD}scopes = ["profile"]`],
    [/oidc\.algorithms: expected a list of "RS256"/, `${GOOD}algorithms = ["none"]`],
    [/oidc\.algorithms: expected a list of "RS256"/, `${GOOD}algorithms = ["HS256"]`],
    [/oidc\.algorithms: expected/, `${GOOD}algorithms = []`],
    [/oidc\.max_session_hours: expected hours from 1 to 24/, `${GOOD}max_session_hours = 48`],
    [/api\.node_url, where the provider sends people back to, is empty/, GOOD, 'host = "0.0.0.0"\nbehind_proxy = true'],
    [/api\.node_url: expected https:\/\/ where people sign in/, GOOD, 'node_url = "http://peerd.acme.example"'],
    [/unknown key "oidc\.isuer"\. Did you mean "oidc\.issuer"/, 'isuer = "x"'],
  ];
  for (const [why, oidc, api] of cases) assert.match(problem(oidc, api), why);
  assert.notEqual(config('issuer = "http://127.0.0.1:9000"\nclient_id = "p"'), null);
  assert.notEqual(config(GOOD, 'host = "0.0.0.0"\nbehind_proxy = true\nnode_url = "https://peerd.acme.example"'), null);
});
