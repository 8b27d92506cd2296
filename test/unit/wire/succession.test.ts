import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnchorSigner, signAnchor } from '../../../src/merkle/ecdsa.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1, ALG_ECDSA, ALG_ED25519, signEd25519 } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { type KeyUse, openSuccession, type Succession, signSuccession } from '../../../src/wire/succession.ts';

const NODE = 'stigmem://acme.example';
const ORIGIN = 'acme.example/journal/00000000000000aa';
const TIMES = { effective_at: '2026-01-01T00:00:00Z', overlap_until: '2026-01-08T00:00:00Z' };
const seed = (n: number): Uint8Array => new Uint8Array(32).fill(n);

function keyOf(use: KeyUse, n: number, name = nameOf(use)) {
  if (use === 'anchor') {
    const signer = createAnchorSigner(name, seed(n));
    const vkey = formatVerifierKey({ name, algorithm: ALG_ECDSA, publicKey: signer.publicKey });
    return { vkey, sign: (text: string) => signAnchor(text, signer) };
  }
  const signer = createLogSigner(name, seed(n));
  const algorithm = use === 'witness' ? ALG_COSIGNATURE_V1 : ALG_ED25519;
  const vkey = formatVerifierKey({ name, algorithm, publicKey: signer.publicKey });
  return { vkey, sign: (text: string) => signEd25519(text, signer) };
}

function nameOf(use: KeyUse): string {
  return use === 'node' ? NODE : use === 'witness' ? 'acme.example/witness' : ORIGIN;
}

function statement(use: KeyUse, changed: Partial<Succession> = {}, by: readonly [number, number] = [1, 2]): string {
  const [old, next] = [keyOf(use, by[0]), keyOf(use, by[1])];
  const said = { ...TIMES, use, old: keyOf(use, 1).vkey, new: keyOf(use, 2).vkey, ...changed };
  return signSuccession(NODE, said, { old: old.sign, new: next.sign });
}

for (const use of ['log', 'witness', 'anchor', 'node'] as const) {
  test(`a statement of a ${use} key opens to what was signed`, () => {
    const note = statement(use);
    const opened = openSuccession(note, NODE);
    assert.ok(opened.ok);
    const { old, new: next, nodeId } = opened.value;
    assert.deepEqual([old, next, nodeId, opened.value.note], [keyOf(use, 1).vkey, keyOf(use, 2).vkey, NODE, note]);
  });

  test(`a statement of a ${use} key needs both signatures`, () => {
    const note = statement(use);
    const lines = note.trimEnd().split('\n');
    for (const left of [-1, -2]) {
      const cut = `${lines.filter((_, i) => i !== lines.length + left).join('\n')}\n`;
      assert.equal(openSuccession(cut, NODE).ok, false, `without line ${left}`);
    }
    assert.throws(() => statement(use, {}, [3, 2]), TypeError, 'another old key has signed');
    assert.throws(() => statement(use, {}, [1, 3]), TypeError, 'another new key has signed');
  });
}

test('what is no succession is refused', () => {
  const note = statement('log');
  assert.equal(openSuccession(note, 'stigmem://globex.example').ok, false, 'of another node');
  assert.equal(openSuccession(note.replace('"v":1', '"v":2'), NODE).ok, false, 'another version');
  assert.equal(openSuccession(`${note}${note}`, NODE).ok, false, 'two notes');
  assert.equal(openSuccession('', NODE).ok, false);
  assert.equal(openSuccession('x'.repeat(4_097), NODE).ok, false, 'too long');
  assert.throws(() => statement('log', { new: keyOf('log', 1).vkey }), TypeError, 'the same key');
  assert.throws(
    () => statement('log', { overlap_until: '2025-12-31T00:00:00Z' }),
    TypeError,
    'an overlap that ends before',
  );
  assert.throws(() => statement('log', { effective_at: 'soon' }), TypeError, 'no time');
  assert.throws(() => statement('node', { new: keyOf('log', 2).vkey }), TypeError, 'a key of another use');
  assert.throws(() => statement('witness', { use: 'node' }), TypeError, 'the use of another key');
});

test('any changed character refuses a statement', () => {
  const note = statement('log');
  for (let i = 0; i < note.length; i += 7) {
    const other = note[i] === 'A' ? 'B' : 'A';
    assert.equal(openSuccession(`${note.slice(0, i)}${other}${note.slice(i + 1)}`, NODE).ok, false, `at ${i}`);
  }
});
