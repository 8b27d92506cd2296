/** A node whose policy asks for a cosignature of another project's witness, over HTTP as C2SP says. */
import assert from 'node:assert/strict';
import { cpSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkCosignature } from '../../src/merkle/cosignature.ts';
import { parseNote } from '../../src/merkle/note.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';
import { startLitewitness } from './programs/litewitness.ts';

const POLICY = { 'witness.policy_file': 'policy' };
const witness = await startLitewitness({ after });
const node = await MeshNode.create('acme.example');
writeFileSync(join(node.folder.dir, 'policy'), `witness lite ${witness.vkey} ${witness.url}/\nquorum lite\n`);
await node.start(POLICY);
after(() => node.stop());

function guardIs(disputed: boolean, detail: RegExp | null): boolean {
  const status = node.federation.guard.status();
  const isSaid = detail === null ? status.detail === null : detail.test(status.detail ?? '');
  return status.state === 'clear' && status.disputed === disputed && isSaid;
}

async function isMet(size: number): Promise<boolean> {
  const state = await node.base.writer.policyState();
  return state?.isMet === true && state.metSize === size;
}

test('a witness that does not know our log cosigns nothing; once it does, checkpoints are served with its line', async () => {
  await node.assertFact('s1');
  await node.federation.witness.collect();
  assert.equal((await node.base.writer.policyState())?.metSize, null);

  witness.addLog(node.base.keys.log.vkey);
  await node.federation.witness.collect();
  await until('the policy is met', () => isMet(1));
  const { size, note } = await node.base.writer.servedHead(0);
  const parsed = parseNote(note);
  assert.ok(size === 1 && parsed.ok);
  assert.ok(checkCosignature(parsed.value, { name: witness.name, key: witness.publicKey }).ok);
});

test('growth is proved from the size that it cosigned last', async () => {
  for (let i = 0; i < 20; i++) await node.assertFact(`g${i}`);
  await until('the policy is met again', () => isMet(21));
});

test('after a restart the size is learned from its 409', async () => {
  await node.restart(POLICY);
  await node.assertFact('s2');
  await until('the policy is met again', () => isMet(22));
});

test('a node that was put back learns from its 409 how much it has cosigned', async () => {
  const journal = join(node.folder.dir, 'journal.db');
  const heads = join(node.folder.dir, 'signed-heads.json');
  const files = [journal, heads];
  await node.halt();
  for (const file of files) cpSync(file, `${file}.copy`);
  await node.start(POLICY);
  await until('it names what is here', () => guardIs(false, null));
  await node.assertFact('lost');
  await until('the policy is met again', () => isMet(23));

  await node.halt();
  for (const file of files) renameSync(`${file}.copy`, `${file}.kept`);
  for (const file of files) renameSync(file, `${file}.newest`);
  for (const file of files) renameSync(`${file}.kept`, file);
  await node.start(POLICY);
  await until('it names more', () => guardIs(true, /^lite says that it has cosigned 23 entries of this log/));

  await node.halt();
  for (const file of files) renameSync(`${file}.newest`, file);
  await node.start(POLICY);
  await until('it names what is here again', () => guardIs(false, null));
});

test('while it is down nothing new is served, and afterwards it is', async () => {
  await witness.server.stop();
  await node.assertFact('s3');
  await node.federation.witness.collect();
  assert.equal((await node.base.writer.servedHead(0)).size, 23);
  await witness.server.start();
  await node.federation.witness.collect();
  await until('the policy is met again', () => isMet(24));
});
