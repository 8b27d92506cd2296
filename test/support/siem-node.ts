/** A node with sinks in this process: from its configuration to what its receivers get. Nothing listens. */
import { appendFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { dataPaths } from '../../src/config/data-dir.ts';
import { apiOf } from '../../src/node/api.ts';
import { type Base, openBase } from '../../src/node/base.ts';
import { type Siem, startSiem } from '../../src/node/siem.ts';
import { send } from './api-fixture.ts';
import { createFolder, type DataFolder } from './data-folder.ts';

/** What answers of the API are asked for here. */
export interface Answer {
  readonly sinks: readonly {
    readonly acked: number;
    readonly lag_events: number;
    readonly attempts: number;
    readonly sentence: string;
  }[];
  readonly gaps: readonly {
    readonly audit_seq: number;
    readonly first: number;
    readonly last: number;
    readonly reason: string;
    readonly sink: string;
  }[];
  readonly taken: boolean;
  readonly detail: { readonly code: string };
}
export interface Running {
  readonly base: Base;
  readonly siem: Siem;
  ask(path: string, body?: object): Promise<{ readonly status: number; readonly json: Answer; readonly text: string }>;
  stop(): Promise<void>;
}

export async function start(folder: DataFolder): Promise<Running> {
  await using starting = new AsyncDisposableStack();
  const base = await openBase(folder.dir, { 'log.level': 'fatal' }, starting);
  base.failed.catch(() => undefined);
  const siem = await startSiem(base, starting);
  const api = apiOf(base, null, { nodeUrl: () => 'http://localhost:8765', notices: () => [], siem }, starting);
  const owned = starting.move();
  return {
    base,
    siem,
    async ask(path, body) {
      const how = body === undefined ? {} : { body };
      const response = await send(api, folder.keys, path, { as: 'admin', ...how });
      const text = await response.text();
      return { status: response.status, json: JSON.parse(text.startsWith('{') ? text : '{}') as Answer, text };
    },
    stop: () => owned.disposeAsync(),
  };
}

export async function folderWith(t: TestContext, tables: string): Promise<DataFolder> {
  const folder = await createFolder('acme.example');
  t.after(() => folder.remove());
  appendFileSync(dataPaths(folder.dir).config, `\n${tables}`);
  return folder;
}

export async function record(base: Base, count: number, reason = 'cid_mismatch'): Promise<void> {
  for (let i = 0; i < count; i++)
    await base.writer.audit({ event: 'federation_integrity_rejected', reason, peer: 'stigmem://globex.example' });
}
