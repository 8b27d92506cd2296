/** What tests of erasures ask of whole nodes in this process: facts said, answers, pulls, and files that hold a text. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { MeshNode } from './mesh-node.ts';
import type { Answer } from './node-process.ts';
import { until } from './until.ts';

/** Erased in each test: three words that stand nowhere else. */
export const SECRET = 'Zebrafish-Quorum-Lantern';

export async function ask(
  node: MeshNode,
  path: string,
  body?: object,
  role: 'admin' | 'ro' = 'admin',
): Promise<Answer> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const headers = { authorization: `Bearer ${node.folder.keys[role]}`, 'content-type': 'application/json' };
  const response = await node.fetch(new Request(`http://node.invalid${path}`, { ...init, headers }));
  return { status: response.status, body: await response.json() };
}

/** Asserts a public fact for each value. @returns their ids */
export async function say(node: MeshNode, values: readonly string[]): Promise<readonly string[]> {
  const facts = values.map((v) => ({
    entity: `${node.nodeId}/thing/${v}`,
    relation: 'test:value',
    value: { type: 'string', v },
    source: `${node.nodeId}/agent/a`,
    confidence: 1,
    scope: 'public',
  }));
  const { status, body } = await ask(node, '/v1/facts', { facts });
  assert.equal(status, 201, JSON.stringify(body));
  return (body.results as { fact: { id: string } }[]).map(({ fact }) => fact.id);
}

/** Files of a node's data folder that hold a text in either case. */
export function filesWith(node: MeshNode, text: string): string[] {
  return filesIn(node.folder.dir, text);
}

/** The same of any folder. */
export function filesIn(folder: string, text: string): string[] {
  const needles = [text, text.toLowerCase()].map((one) => Buffer.from(one));
  const look = (dir: string): string[] =>
    readdirSync(dir).flatMap((name) => {
      // A file that is written anew has another name until it is whole.
      if (name.endsWith('.tmp')) return [];
      const path = join(dir, name);
      if (statSync(path).isDirectory()) return look(path);
      const bytes = readFileSync(path);
      return needles.some((needle) => bytes.includes(needle)) ? [name] : [];
    });
  return look(folder);
}

export async function pulled(from: MeshNode, by: MeshNode): Promise<void> {
  await until(`${by.nodeId} has pulled everything`, async () => {
    const { feeds } = await from.base.writer.head();
    const length = feeds.find(({ feed }) => feed === 'public')?.length ?? 0;
    const { cursors } = await by.base.writer.peerProgress(from.nodeId, ['public']);
    return cursors[0]?.after === length;
  });
}
