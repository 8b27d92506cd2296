/** The console of an API in memory, under TLS and without a provider; a request that fails is the test's failure. */
import assert from 'node:assert/strict';
import { DEFAULT_API_LIMITS } from '../../src/admin/api-limits.ts';
import { mountConsole } from '../../src/admin/console/mount.ts';
import type { TestApi } from './api-fixture.ts';

export function mountTestConsole(node: TestApi, nowMs: () => number): void {
  mountConsole(node.api, {
    keys: node.keyStore,
    events: { requestFailed: (route, error) => assert.fail(`${route}: ${String(error)}`) },
    node: { nodeId: 'stigmem://example', version: '1' },
    limits: DEFAULT_API_LIMITS,
    nowMs,
    secure: true,
    sessions: node.sessions,
    links: node.links,
    audit: async (input) => node.audit(input),
    oidc: null,
  });
}
