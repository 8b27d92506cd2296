import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { formatNote, signEd25519 } from '../../../src/merkle/note.ts';
import { type Declaration, openDeclaration, signDeclaration } from '../../../src/wire/declaration.ts';

const identity = createLogSigner('stigmem://acme.example', Buffer.alloc(32, 1));
const node = { nodeId: identity.name, nodeKey: identity.publicKey };
const declared: Omit<Declaration, 'v'> = {
  audit_origin: 'acme.example/audit/00',
  issued_at: '2026-01-01T00:00:00.000000+00:00',
  journal_origin: 'acme.example/journal/00',
  keys: [
    { algorithm: 'ed25519', not_after: null, not_before: '2026-01-01T00:00:00.000000+00:00', use: 'log', vkey: 'k' },
  ],
  node_id: identity.name,
  peer_id: '12D3KooW',
};

function refused(note: string, as = node): string {
  const opened = openDeclaration(note, as);
  assert.ok(!opened.ok, 'taken');
  return opened.error.at;
}

test('a declaration is read back as it was signed', () => {
  const note = signDeclaration(declared, identity);
  const opened = openDeclaration(note, node);
  assert.ok(opened.ok);
  assert.deepEqual(opened.value, { ...declared, v: 1 });
  assert.match(note, /^stigmem-declaration\/v1\nstigmem:\/\/acme\.example\n\{"audit_origin":/);
});

test('no byte can be changed', () => {
  const note = signDeclaration(declared, identity);
  for (let at = 0; at < note.length; at++) {
    const other = note[at] === 'A' ? 'B' : 'A';
    assert.ok(!openDeclaration(note.slice(0, at) + other + note.slice(at + 1), node).ok, `byte ${at}`);
  }
});

test('only the identity key of the node that is spoken to', () => {
  const note = signDeclaration(declared, identity);
  const other = createLogSigner(identity.name, Buffer.alloc(32, 2));
  assert.equal(refused(note, { ...node, nodeKey: other.publicKey }), 'signature');
  assert.equal(refused(note, { ...node, nodeId: 'stigmem://globex.example' }), 'node_id');
  assert.throws(() => signDeclaration(declared, { ...identity, name: 'stigmem://globex.example' }), TypeError);
});

test('signed, but not a declaration', () => {
  const signed = (text: string): string => formatNote({ text, signatures: [signEd25519(text, identity)] });
  assert.equal(refused('x'), '');
  assert.equal(refused(signed('stigmem-declaration/v2\nstigmem://acme.example\n{}\n')), '');
  assert.equal(refused(signed('stigmem-declaration/v1\nstigmem://acme.example\n{}\nmore\n')), '');
  assert.equal(refused(signed('stigmem-declaration/v1\nstigmem://acme.example\n{}\n')), '');
  const json = JSON.stringify({ ...declared, node_id: 'stigmem://globex.example', v: 1 });
  assert.equal(refused(signed(`stigmem-declaration/v1\nstigmem://acme.example\n${json}\n`)), 'node_id');
});
