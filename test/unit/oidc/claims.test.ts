import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { oidcConfig } from '../../../src/config/oidc-settings.ts';
import { checkSettings } from '../../../src/config/settings.ts';
import { permits } from '../../../src/core/permissions.ts';
import { grantOf, judgeClaims } from '../../../src/oidc/claims.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const IAT = NOW / 1_000;

function rulesOf(roles: readonly string[]): NonNullable<ReturnType<typeof oidcConfig>> {
  const oidc = { issuer: 'https://idp.acme.example', client_id: 'peerd', roles };
  const checked = checkSettings({ node_id: 'stigmem://acme.example', oidc });
  const config = checked.ok ? oidcConfig(checked.value.oidc, (path) => path) : null;
  assert.ok(config !== null);
  return config;
}

test('all rules that match count, once; none is nobody', () => {
  const { rules } = rulesOf(['reviewer soc', 'operator ops', 'legal.hold soc', 'reader all']);
  assert.deepEqual(grantOf(['soc', 'ops'], rules), {
    roles: 'reviewer, operator, legal.hold',
    permissions: ['read', 'federate', 'audit.read', 'review', 'admin:federation', 'legal.hold'],
  });
  assert.equal(grantOf(['SOC', 'so', 'soc '], rules), null);
  assert.equal(grantOf(['soc'], []), null);
});

test('kept of a person are only the values that a rule has', () => {
  const config = rulesOf(['reader all', 'admin root']);
  const judged = judgeClaims({ sub: 'ann', iat: IAT, groups: ['choir', 'all', 'all', 'works council'] }, config, NOW);
  assert.ok(judged.ok);
  assert.deepEqual(judged.value, {
    person: { issuer: 'https://idp.acme.example', subject: 'ann' },
    name: 'unnamed',
    values: ['all'],
  });
});

test('no claims, however odd, throw or give what no rule gives', () => {
  const config = rulesOf(['reader all']);
  const claims = fc.dictionary(
    fc.constantFrom('sub', 'iat', 'groups', 'azp', 'acr', 'amr', 'preferred_username', '_claim_names', '__proto__'),
    fc.oneof(fc.anything(), fc.constantFrom('all', 'ann', ['all'], IAT)),
  );
  fc.assert(
    fc.property(claims, (odd) => {
      const judged = judgeClaims(odd, config, NOW);
      if (!judged.ok) return;
      assert.deepEqual(judged.value.values, ['all']);
      const granted = grantOf(judged.value.values, config.rules);
      assert.deepEqual(granted?.permissions, ['read']);
      assert.ok(!permits({ class: 'human', permissions: granted.permissions }, 'admin'));
    }),
    { numRuns: 2_000 },
  );
});
