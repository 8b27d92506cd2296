/** The four nodes of the demo: who they are to each other, started and stopped. */
import { join } from 'node:path';
import type { Node, Runtime } from '../runtime.ts';
import { type Child, startChild } from './child.ts';
import type { HostileLine } from './hostile-node.ts';
import { HOSTILE_AUTHORITY } from './lies.ts';
import { addPartner, type Org, startOrg } from './org.ts';

export interface Mesh {
  readonly cldr: Org;
  readonly mdn: Org;
  readonly reader: Org;
  /** What the hostile node has signed so far. */
  hostile(): { readonly trueFacts: number; readonly lies: Readonly<Record<string, number>> };
}

/** @param started is told of every process as soon as there is one, so that it can be stopped whatever happens next */
export async function startMesh(
  folder: string,
  node: Node,
  runtime: Runtime,
  relentless: boolean,
  started: (child: Child) => void,
): Promise<Mesh> {
  const start = (authority: string): Promise<Org> => startOrg(folder, authority, node, runtime, started);
  const [cldr, mdn, reader] = await Promise.all([start('cldr.example'), start('mdn.example'), start('reader.example')]);

  const whom = ['--allow', reader.peerId, '--receiver', `stigmem://${reader.authority}`];
  const args = ['demo-hostile', ...whom, ...(relentless ? ['--relentless'] : [])];
  const child = startChild(HOSTILE_AUTHORITY, runtime.self, args, join(folder, 'mallory.log'), runtime.env);
  started(child);
  const listening = JSON.parse(await child.nextLine()) as Extract<HostileLine, { kind: 'listening' }>;
  const { peer_id: peerId, log_key: logKey, addresses } = listening;
  const mallory = { authority: HOSTILE_AUTHORITY, peerId, logKey, addresses };
  let signed = { trueFacts: 0, lies: {} };
  child.onLine((line) => {
    const { true_facts: trueFacts, lies } = JSON.parse(line) as Extract<HostileLine, { kind: 'signed' }>;
    signed = { trueFacts, lies };
  });

  addPartner(cldr, mdn, ['public'], ['public']);
  addPartner(cldr, reader, ['public'], []);
  addPartner(mdn, cldr, ['public'], ['public']);
  addPartner(mdn, reader, ['public'], []);
  for (const origin of [cldr, mdn, mallory]) addPartner(reader, origin, [], ['public']);
  return { cldr, mdn, reader, hostile: () => signed };
}
