/** Which permission opens which route: each route of the API with a key of each single permission, and without a key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PERMISSIONS } from '../../../src/core/permissions.ts';
import { createTestApi } from '../../support/api-fixture.ts';

const NOBODY = 'nobody';
const EVERYBODY = [NOBODY, ...PERMISSIONS];

/** A route that is not here fails the test: whoever adds one says who may call it. */
const OPENED_BY: readonly [by: readonly string[], routes: readonly string[]][] = [
  [
    EVERYBODY,
    [
      'GET /.well-known/stigmem',
      'GET /docs',
      'GET /healthz',
      'GET /livez',
      'GET /metrics',
      'GET /openapi.json',
      'GET /readyz',
      'POST /witness/add-checkpoint',
      'GET /witness/{log}/checkpoint',
    ],
  ],
  [PERMISSIONS, ['GET /v1/me']],
  [
    ['read', 'federate', 'audit.read', 'admin'],
    ['GET /v1/anchors', 'GET /v1/anchors/{id}', 'GET /v1/keys'],
  ],
  [
    ['federate', 'audit.read', 'admin'],
    [
      'GET /v1/configuration/weakenings',
      'GET /v1/journal/checks',
      'GET /v1/federation/audit',
      'GET /v1/stats',
      'GET /v1/federation/audit/stream',
      'GET /v1/federation/audit/{seq}',
      'GET /v1/federation/audit/{seq}/evidence',
      'GET /v1/federation/peers/{name}/disclosed',
    ],
  ],
  [
    ['read', 'audit.read', 'admin'],
    ['GET /tlog/audit/{path}', 'GET /tlog/journal/{path}', 'GET /v1/journal/consistency'],
  ],
  [['read', 'federate', 'admin'], ['GET /v1/witness']],
  [
    ['federate', 'admin'],
    [
      'GET /v1/federation/declaration',
      'GET /v1/federation/notices',
      'GET /v1/federation/onboarding',
      'GET /v1/federation/onboarding/{id}',
      'GET /v1/federation/peers',
      'GET /v1/federation/peers/{id}',
      'GET /v1/federation/peers/{name}/receipts',
    ],
  ],
  [['write', 'admin'], ['POST /v1/facts']],
  [
    ['legal.hold', 'admin'],
    [
      'GET /v1/tombstones',
      'GET /v1/tombstones/{fact}',
      'POST /v1/tombstones/{fact}/hold',
      'POST /v1/tombstones/{fact}/release',
    ],
  ],
  [
    ['review', 'audit.read', 'admin'],
    [
      'GET /v1/approvals',
      'GET /v1/approvals/{id}',
      'GET /v1/cases',
      'GET /v1/cases/counts',
      'GET /v1/cases/stream',
      'GET /v1/cases/{id}',
      'GET /v1/cases/{id}/timeline',
    ],
  ],
  [
    ['review', 'admin:federation', 'admin'],
    [
      'POST /v1/approvals/{id}/approve',
      'POST /v1/approvals/{id}/reject',
      'POST /v1/approvals/{id}/withdraw',
      'POST /v1/sign-in-links',
    ],
  ],
  [
    ['audit.read', 'admin'],
    ['GET /v1/sinks', 'GET /v1/drills', 'GET /v1/drills/runs', 'GET /v1/drills/runs/{id}', 'GET /v1/drills/report'],
  ],
  [
    ['review', 'admin'],
    [
      'POST /v1/cases/bulk',
      'POST /v1/cases/{id}/acknowledge',
      'POST /v1/cases/{id}/assign',
      'POST /v1/cases/{id}/investigate',
      'POST /v1/cases/{id}/note',
      'POST /v1/cases/{id}/reopen',
      'POST /v1/cases/{id}/resolve',
      'POST /v1/cases/{id}/suppress',
      'POST /v1/cases/{id}/ticket',
      'POST /v1/cases/{id}/wait',
      'POST /v1/sinks/{name}/replay',
      'POST /v1/sinks/{name}/test',
      'GET /v1/quarantine',
      'GET /v1/quarantine/{id}',
      'POST /v1/quarantine/{id}/promote',
      'POST /v1/quarantine/{id}/reject',
    ],
  ],
  [
    ['admin:federation', 'admin'],
    [
      'POST /v1/drills',
      'POST /v1/federation/declarations',
      'POST /v1/federation/grants/diff',
      'POST /v1/federation/invites',
      'DELETE /v1/federation/invites/{id}',
      'POST /v1/federation/join',
      'DELETE /v1/federation/onboarding/{id}',
      'POST /v1/federation/onboarding/{id}/confirm',
      'GET /v1/federation/peers/{name}/explain',
      'GET /v1/federation/peers/{name}/grants',
      'POST /v1/federation/peers/{name}/resume',
      'POST /v1/federation/peers/{name}/trust-key',
      'POST /v1/federation/peers/{name}/retry',
      'POST /v1/federation/peers/{name}/ping',
    ],
  ],
  [
    ['read', 'admin'],
    [
      'GET /v1/changes',
      'GET /v1/changes/decided',
      'GET /v1/facts',
      'GET /v1/facts/{id}',
      'GET /v1/facts/{id}/proof',
      'GET /v1/facts/{id}/provenance',
      'POST /v1/facts/{id}/verify-cid',
      'GET /v1/journal/checkpoint',
      'GET /v1/journal/head',
      'POST /v1/recall',
    ],
  ],
  [
    ['audit.read', 'admin'],
    ['GET /v1/backups', 'GET /v1/configuration'],
  ],
  [
    ['admin'],
    [
      'GET /v1/admin/keys',
      'GET /v1/admin/sign-in',
      'GET /v1/admin/sessions',
      'DELETE /v1/admin/sessions/{id}',
      'POST /v1/admin/keys',
      'DELETE /v1/admin/keys/{id}',
      'POST /v1/anchors/retry',
      'POST /v1/sinks/{name}/skip',
      'POST /v1/backups/verified',
      'POST /v1/journal/checks',
      'POST /v1/journal/checks/recorded',
      'DELETE /v1/journal/checks/running',
      'POST /v1/tombstones',
      'POST /v1/tombstones/{fact}/undo',
    ],
  ],
];

test('every route is opened by the permissions that are meant for it, and by no other', async () => {
  const api = await createTestApi();
  const secrets = PERMISSIONS.map((permission) => {
    const name = `matrix-${permission.replace(':', '-')}`;
    return [permission, api.keyStore.create({ name, permissions: [permission] }, Date.now()).secret] as const;
  });
  const { paths } = (await (await api.send('/openapi.json')).json()) as { paths: Record<string, object> };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
  );
  const found: Record<string, string[]> = {};
  for (const [method, path] of routes) {
    api.advance(60_000); // Rates are not what is asked here.
    const opens: string[] = [];
    for (const [who, secret] of [[NOBODY, null] as const, ...secrets]) {
      const headers: Record<string, string> = secret === null ? {} : { authorization: `Bearer ${secret}` };
      const response = await api.send(path.replaceAll(/\{\w+\}/g, 'x'), { method, headers });
      // Whatever else is wrong with such a request is found behind the permission.
      if (response.status !== 401 && response.status !== 403) opens.push(who);
      await response.body?.cancel();
    }
    found[`${method} ${path}`] = opens.sort();
  }
  const expected = OPENED_BY.flatMap(([by, list]) => list.map((route) => [route, [...by].sort()] as const));
  assert.deepEqual(found, Object.fromEntries(expected));
  await api.close();
});
