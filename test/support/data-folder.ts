/**
 * Real data folders: made as `init` makes them, opened with the real writer and reader threads. The API over one is the
 * product's own, asked without a network.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from '../../src/admin/api/route.ts';
import { openKeyStore } from '../../src/admin/keys.ts';
import * as NODE from '../../src/app.ts';
import { createDataFolder } from '../../src/cli/init.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import type { ConfigFlags } from '../../src/config/overlay.ts';
import type { AuditInput } from '../../src/journal/read-model.ts';
import { apiOf } from '../../src/node/api.ts';
import { type Base, openBase } from '../../src/node/base.ts';
import { drillsOffline } from '../../src/node/drills.ts';
import { mintKeys, type Role, type SendOptions, send } from './api-fixture.ts';
import { tamper } from './tampering.ts';

export interface DataFolder {
  readonly dir: string;
  readonly nodeId: string;
  readonly peerId: string;
  /** Secrets by role. */
  readonly keys: Readonly<Record<Role, string>>;
  remove(): void;
}

/** A new data folder with a key for every role. Remove it. */
export async function createFolder(authority = 'example'): Promise<DataFolder> {
  const root = mkdtempSync(join(tmpdir(), 'peerd-folder-'));
  const dir = join(root, 'data');
  const nodeId = `stigmem://${authority}`;
  const { peerId } = await createDataFolder(dir, nodeId, NODE, Date.now());
  const keys = mintKeys(openKeyStore(dataPaths(dir).apiKeys), Date.now());
  return { dir, nodeId, peerId, keys, remove: () => rmSync(root, { recursive: true, force: true }) };
}

export interface FolderApi extends Pick<DataFolder, 'dir' | 'nodeId' | 'keys'> {
  readonly base: Base;
  readonly api: OpenAPIHono<ApiEnv>;
  /** Sends a request with the key of a role, or without one. */
  send(path: string, options?: SendOptions): Promise<Response>;
  /** @returns the sequence of the last */
  audit(...records: readonly AuditInput[]): Promise<number>;
  /** Changes one stored column behind the node's back, its guards off, as somebody with the file can. */
  tamper(factId: string, column: string, value: string | number): Promise<void>;
  /** Ends the threads; a folder that was made for this goes too. */
  close(): Promise<void>;
}

/** The API over a data folder whose node does not run. Logs only what ends a process. */
export async function openFolderApi(folder?: DataFolder, flags: ConfigFlags = {}): Promise<FolderApi> {
  const own = folder === undefined ? await createFolder() : undefined;
  const { dir, nodeId, keys } = folder ?? (own as DataFolder);
  const owned = new AsyncDisposableStack();
  const base = await openBase(dir, { 'log.level': 'fatal', gardens: 'incident-42', ...flags }, owned);
  base.failed.catch(() => undefined);
  const api = apiOf(
    base,
    null,
    {
      nodeUrl: () => 'http://localhost:8765',
      notices: () => [],
      siem: null,
      drills: drillsOffline(base),
      checks: null,
    },
    owned,
  );
  return {
    dir,
    nodeId,
    keys,
    base,
    api,
    send: (path, how = {}) => send(api, keys, path, how),
    async audit(...records) {
      let seq = 0;
      for (const record of records) seq = await base.writer.audit(record);
      return seq;
    },
    tamper: async (factId, column, value) => {
      tamper(dir, (db) => {
        const { changes } = db.prepare(`UPDATE entries SET ${column} = ? WHERE fact_id = ?`).run(value, factId);
        if (changes !== 1) throw new Error(`${changes} rows of fact ${factId}`);
      });
    },
    async close() {
      await owned.disposeAsync();
      own?.remove();
    },
  };
}
