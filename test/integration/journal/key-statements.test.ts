/** Statements of key successions in the journal: once each, not without end, and what they add to a witness policy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { cosign } from '../../../src/merkle/cosignature.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1, formatNote, parseNote, signEd25519 } from '../../../src/merkle/note.ts';
import { checkWitnessPolicy, parsePolicy } from '../../../src/merkle/tlog-policy.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { openStatements } from '../../../src/verify/key-chain.ts';
import { type OpenedSuccession, signSuccession } from '../../../src/wire/succession.ts';
import { NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const NODE = 'stigmem://globex.example';
const TIMES = { effective_at: '2026-01-01T00:00:00Z', overlap_until: '2026-01-08T00:00:00Z' };
const keyOf = (n: number): LogSigner => {
  const seed = Buffer.alloc(32);
  seed.writeUInt32BE(n + 1);
  return createLogSigner('globex.example/witness', seed);
};
const vkeyOf = ({ name, publicKey }: LogSigner): string =>
  formatVerifierKey({ name, algorithm: ALG_COSIGNATURE_V1, publicKey });

/** The witness key n is succeeded by n + 1. */
function statement(n: number): OpenedSuccession {
  const [old, next] = [keyOf(n), keyOf(n + 1)];
  const said = { ...TIMES, use: 'witness', old: vkeyOf(old), new: vkeyOf(next) } as const;
  const signers = { old: (text: string) => signEd25519(text, old), new: (text: string) => signEd25519(text, next) };
  const [opened] = openStatements([signSuccession(NODE, said, signers)], NODE);
  assert.ok(opened);
  return opened;
}

test('a statement is kept once, and a node that changes keys without end is not followed', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const all = Array.from({ length: 300 }, (_, n) => statement(n));
  assert.equal(journal.saveSuccessions(all.slice(0, 2), NOW_MS), 2);
  assert.equal(journal.saveSuccessions(all.slice(0, 2), NOW_MS), 0);
  const before = journal.auditSize;
  assert.equal(journal.saveSuccessions(all, NOW_MS), 254);
  assert.equal(journal.auditSize - before, 254);
  assert.equal(journal.statements.of(NODE).length, 256);
});

test('a policy that names a witness key takes its successors too, as soon as they are known', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const policy = parsePolicy(`witness globex ${vkeyOf(keyOf(0))}\nquorum globex\n`);
  assert.ok(policy.ok);
  const text = formatCheckpoint('acme.example/journal/aa', 1, Buffer.alloc(32, 1));
  const cosigned = parseNote(formatNote({ text, signatures: [cosign(text, 1_767_225_600, keyOf(2))] }));
  assert.ok(cosigned.ok);
  const isMet = (): boolean => checkWitnessPolicy(journal.statements.withSuccessors(policy.value), cosigned.value).ok;

  assert.equal(isMet(), false);
  journal.saveSuccessions([statement(0)], NOW_MS);
  assert.equal(isMet(), false, 'the second change is not known yet');
  journal.saveSuccessions([statement(1)], NOW_MS);
  assert.equal(isMet(), true);
});
