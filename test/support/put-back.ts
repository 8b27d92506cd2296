/** Folders of nodes that are copied, and put back later. */
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, NodeProcess } from './node-process.ts';

/** Public facts of a node, named by number. */
export function facts({ nodeId }: NodeProcess, from: number, count: number): readonly object[] {
  return Array.from({ length: count }, (_, i) => ({
    entity: `${nodeId}/service/s${from + i}`,
    relation: 'memory:status',
    value: { type: 'text', v: `state ${from + i}` },
    source: `${nodeId}/agent/a1`,
    confidence: 1,
    scope: 'public',
  }));
}

/** Writes facts in one transaction, as soon as writes are taken. */
export async function writeFacts(bench: Bench, node: NodeProcess, from: number, count: number): Promise<void> {
  await bench.until(`${count} facts are written`, async () => {
    const { status } = await node.post('/v1/facts', { facts: facts(node, from, count) });
    return status === 201 ? true : undefined;
  });
}

/** Stops a node and copies its folder, as `cp` does. */
export async function copyOf(bench: Bench, node: NodeProcess): Promise<string> {
  assert.equal(await node.stop(), 0);
  const copy = join(bench.root, `copy-of-${node.authority}`);
  cpSync(node.dir, copy, { recursive: true });
  return copy;
}

/** The whole folder, the file of signed checkpoints included. */
export function putBack(node: NodeProcess, copy: string): void {
  rmSync(node.dir, { recursive: true });
  cpSync(copy, node.dir, { recursive: true });
}

/** What the node says of its restore guard. */
export async function guardCheck(node: NodeProcess): Promise<{ readonly ok: boolean; readonly detail: string }> {
  const { body } = await node.get('/readyz');
  return body.checks.find(({ name }: { readonly name: string }) => name === 'guard');
}

/** The node knows what is missing, and neither writes nor signs. */
export async function assertStaysHeld(bench: Bench, node: NodeProcess, expected: RegExp): Promise<void> {
  const said = await bench.until('the account of what is missing', async () => {
    const { ok, detail } = await guardCheck(node);
    assert.equal(ok, false, detail);
    return expected.test(detail) ? detail : Promise.reject(new Error(detail));
  });
  assert.match(said, expected);
  const written = await node.post('/v1/facts', { facts: facts(node, 900, 1) });
  assert.equal(written.status, 503);
  assert.match(written.body.detail, /no writes are taken now/);
  assert.equal((await node.get('/v1/journal/head')).status, 503, 'nothing is signed');
  assert.equal((await node.get('/v1/facts?limit=1')).status, 200, 'reads are served');
}
