/** A whole daemon in this process that ships what it writes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type RunningNode, runDaemon } from '../../src/app.ts';
import type { ConfigFlags } from '../../src/config/overlay.ts';
import type { DataFolder } from './data-folder.ts';
import { temporaryFolder } from './journal-fixture.ts';

export interface Asker {
  get(path: string): Promise<Record<string, never>>;
  text(path: string): Promise<string>;
  addKey(name: string): Promise<number>;
  write(count: number): Promise<number>;
}

export function asker(folder: DataFolder, node: RunningNode): Asker {
  // A connection that was idle may be closed at the moment in which it is used again.
  const headers = {
    authorization: `Bearer ${folder.keys.full}`,
    'content-type': 'application/json',
    connection: 'close',
  };
  return {
    get: async (path: string) =>
      (await fetch(`${node.api}${path}`, { headers })).json() as Promise<Record<string, never>>,
    text: async (path: string) => (await fetch(`${node.api}${path}`, { headers })).text(),
    addKey: async (name: string) => {
      const body = JSON.stringify({ name, permissions: ['audit.read'] });
      const admin = { ...headers, authorization: `Bearer ${folder.keys.admin}` };
      return (await fetch(`${node.api}/v1/admin/keys`, { method: 'POST', headers: admin, body })).status;
    },
    write: async (count: number) => {
      const facts = Array.from({ length: count }, (_, i) => ({
        entity: `${folder.nodeId}/service/s${i}`,
        relation: 'memory:status',
        value: { type: 'text', v: `state ${i} of ${count}` },
        source: `${folder.nodeId}/agent/a1`,
        confidence: 1,
        scope: 'public',
      }));
      const answer = await fetch(`${node.api}/v1/facts`, { method: 'POST', headers, body: JSON.stringify({ facts }) });
      return answer.status;
    },
  };
}

export interface Backups {
  readonly worm: {
    readonly manifests: number;
    readonly restores: number;
    readonly sentence: string;
    readonly waiting: { readonly audit: number };
  };
}

interface Stage {
  readonly out: string;
  readonly shelf: string;
  readonly start: (more?: ConfigFlags) => Promise<RunningNode>;
}

/** A node that ships to a folder of its own, with nobody else to ask. */
export function stage(t: TestContext, folder: DataFolder): Stage {
  const shelf = temporaryFolder(t);
  const out = mkdtempSync(join(tmpdir(), 'peerd-worm-'));
  // Files there are immutable where that can be set.
  t.after(() => {
    spawnSync('chattr', ['-R', '-i', out]);
    rmSync(out, { recursive: true });
  });
  const flags = {
    'api.port': '0',
    'listen.p2p': '/ip4/127.0.0.1/tcp/0',
    'log.level': 'fatal',
    'anchor.backends': 'off',
    'worm.target': out,
    'guard.wait_s': '4',
    'worm.interval_s': '1',
    'worm.backoff_s': '1',
    'snapshot.directory': shelf,
    'snapshot.every_hours': '1',
  };
  return { out, shelf, start: (more = {}) => runDaemon(folder.dir, { ...flags, ...more }) };
}
