/** What a node believes of what others say about its own keys: no more than its own keys have signed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_ED25519, signEd25519 } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { openStatements } from '../../../src/verify/key-chain.ts';
import { learnedSuccessions, newestKeys } from '../../../src/verify/own-successions.ts';
import { signSuccession } from '../../../src/wire/succession.ts';

const NODE = 'stigmem://acme.example';
const ORIGIN = 'acme.example/journal/00000000000000aa';
const TIMES = { effective_at: '2026-01-01T00:00:00Z', overlap_until: '2026-01-01T00:00:00Z' };

function keyOf(n: number) {
  const signer = createLogSigner(ORIGIN, new Uint8Array(32).fill(n));
  const vkey = formatVerifierKey({ name: ORIGIN, algorithm: ALG_ED25519, publicKey: signer.publicKey });
  return { vkey, sign: (text: string) => signEd25519(text, signer) };
}

function statement(from: number, to: number, nodeId = NODE): string {
  const [old, next] = [keyOf(from), keyOf(to)];
  const said = { ...TIMES, use: 'log', old: old.vkey, new: next.vkey } as const;
  return signSuccession(nodeId, said, { old: old.sign, new: next.sign });
}

const IN_USE = { log: keyOf(1).vkey, node: 'none', witness: 'none', anchor: 'none' };
const learned = (shown: readonly string[], known: readonly string[] = []): readonly string[] =>
  learnedSuccessions(shown, NODE, openStatements(known, NODE), IN_USE).map(({ note }) => note);

test('a chain from the key in use is learned whole, in any order and once', () => {
  const [first, second] = [statement(1, 2), statement(2, 3)];
  assert.deepEqual(learned([second, first, second]), [first, second]);
  assert.deepEqual(learned([second], [first]), [second], 'joined by what is known');
  assert.deepEqual(learned([first], [first]), [], 'no news');
});

test('a peer can make no statement up', () => {
  const forged = statement(1, 2).replace(/\n— [^\n]*\n/, '\n');
  for (const [what, note] of [
    ['between keys that are not ours', statement(7, 8)],
    ['in which a stranger names our key as the new one', statement(7, 1)],
    ['of another node', statement(1, 2, 'stigmem://globex.example')],
    ['without the signature of our key', forged],
    ['that is none', 'x'],
  ] as const)
    assert.deepEqual(learned([note]), [], what);
});

test('the key to put back is the last of the chain; after two that took over, either', () => {
  const newest = (notes: readonly string[], n = 1): readonly string[] =>
    newestKeys(openStatements(notes, NODE), 'log', keyOf(n).vkey, Date.parse('2026-06-01T00:00:00Z')).map(
      (one) => one.new,
    );
  assert.deepEqual(newest([statement(1, 2), statement(2, 3)]), [keyOf(3).vkey]);
  assert.deepEqual(newest([statement(1, 2), statement(1, 4)]), [keyOf(2).vkey, keyOf(4).vkey]);
  assert.deepEqual(newest([statement(1, 2)], 2), [], 'it is there');
});
