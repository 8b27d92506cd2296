/**
 * The two builds of the client judge alike: the one for Node, over OpenSSL, and the one for browsers, over its stand-ins
 * and run here under Node. Thousands of inputs, each true one changed in one place.
 */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { browserBuild } from '../../.ci/browser-build.mjs';
import * as nodeBuild from '../../src/client/node.ts';
import { cosign } from '../../src/merkle/cosignature.ts';
import { createAnchorSigner } from '../../src/merkle/ecdsa.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1, formatNote, parseNote } from '../../src/merkle/note.ts';
import { formatTlogProof, parseTlogProof } from '../../src/merkle/tlog-proof.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { decodeFactBundle, encodeFactBundle } from '../../src/wire/fact-bundle.ts';
import { type ClientNode, openClientNode } from '../support/client-node.ts';
import { until } from '../support/until.ts';

type Verifiers = Pick<
  typeof nodeBuild,
  'verifyErasureProof' | 'verifyFactBundle' | 'verifyCheckpoint' | 'verifyFactCid' | 'verifyEvidence'
>;
interface Shim {
  verify(algorithm: 'sha256' | null, message: Uint8Array, key: unknown, signature: Uint8Array): boolean;
  createPublicKey(options: { key: Uint8Array; format: 'der'; type: 'spki' }): unknown;
}

let folder: string;
let node: ClientNode;
let browser: Verifiers;
let shim: Shim;
let bundle: string;
let trust: nodeBuild.TrustOptions;
const MUTANTS = 2_500;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'peerd-browser-'));
  const outfile = join(folder, 'client.mjs');
  await build(browserBuild(outfile));
  browser = (await import(pathToFileURL(outfile).href)) as Verifiers;
  const crypto = join(folder, 'crypto.mjs');
  await build({ ...browserBuild(crypto), entryPoints: ['src/client/shims/crypto.ts'] });
  shim = (await import(pathToFileURL(crypto).href)) as Shim;
  node = await openClientNode({ 'tombstones.undo_window_s': '0' });
  const stored = await node.client().assert({
    entity: 'stigmem://example/service/web',
    relation: 'ops:state',
    value: 'naïve “state” 🙂',
    source: 'stigmem://example/agent/a',
    scope: 'public',
    confidence: 0.7,
  });
  for (let i = 0; i < 40; i++)
    await node.client().assert({
      entity: `stigmem://example/service/s${i}`,
      relation: 'ops:state',
      value: i,
      source: 'stigmem://example/agent/a',
      scope: 'public',
    });
  const answer = await node.api.send(`/v1/facts/${stored.id}/proof`, { as: 'ro' });
  bundle = witnessed(await answer.text());
  const witness = createLogSigner('w.example/witness', Buffer.alloc(32, 9));
  const vkey = formatVerifierKey({ name: witness.name, algorithm: ALG_COSIGNATURE_V1, publicKey: witness.publicKey });
  trust = {
    nodes: [{ nodeId: node.api.nodeId, peerId: node.api.base.peerId }],
    policy: `witness w ${vkey}\nquorum w\n`,
  };
});
after(async () => {
  await node.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The same bundle with a cosignature on its checkpoint. */
function witnessed(text: string): string {
  const read = decodeFactBundle(text);
  assert.ok(read.ok);
  const proof = parseTlogProof(read.value.proof);
  assert.ok(proof.ok);
  const note = parseNote(proof.value.checkpoint);
  assert.ok(note.ok);
  const line = cosign(note.value.text, 1_764_000_000, createLogSigner('w.example/witness', Buffer.alloc(32, 9)));
  const checkpoint = formatNote({ text: note.value.text, signatures: [...note.value.signatures, line] });
  return encodeFactBundle({ ...read.value, proof: formatTlogProof({ ...proof.value, checkpoint }) });
}

/** Random numbers that are the same in each run. */
function random(seed: string): (below: number) => number {
  let state = createHash('sha256').update(seed).digest();
  return (below) => {
    state = createHash('sha256').update(state).digest();
    return state.readUInt32BE() % below;
  };
}

function mutate(text: string, draw: (below: number) => number): string {
  const at = draw(text.length);
  const chars = [...'AQgw09/+= \n\\"{}[],:aZ—é'];
  const char = chars[draw(chars.length)] ?? '';
  switch (draw(5)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + char + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at, at + 1 + draw(40)).repeat(2) + text.slice(at + 1 + draw(40));
    case 3: {
      const other = draw(text.length);
      return text.slice(0, at) + (text[other] ?? '') + text.slice(at + 1);
    }
    default:
      return text.slice(0, at) + char + text.slice(at + 1);
  }
}

test('bundles', () => {
  const whole = nodeBuild.verifyFactBundle(bundle, trust);
  assert.ok(whole.ok, JSON.stringify(whole));
  assert.deepEqual(browser.verifyFactBundle(bundle, trust), whole);
  assert.equal(whole.value.proof?.cosigned[0]?.timeSeconds, 1_764_000_000);
  const draw = random('bundles');
  let accepted = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const mutant = mutate(bundle, draw);
    const [ours, theirs] = [nodeBuild.verifyFactBundle(mutant, trust), browser.verifyFactBundle(mutant, trust)];
    assert.deepEqual(theirs, ours, mutant);
    if (ours.ok && mutant !== bundle) {
      assert.deepEqual(ours.value, whole.value);
      accepted++;
    }
  }
  assert.ok(accepted < MUTANTS / 20, `${accepted} accepted`);
});

test('proofs that a fact is erased', async () => {
  const { facts } = await node.client().query({ limit: 2 });
  const body = { fact: facts[1]?.id };
  assert.equal((await node.api.send('/v1/tombstones', { as: 'admin', method: 'POST', body })).status, 200);
  let erased: { readonly proof: object }[] = [];
  await until('its tombstone is written', async () => {
    const answer = await node.api.send('/v1/changes?limit=100', { as: 'ro', headers: { 'stigmem-verify': 'full' } });
    ({ erased } = (await answer.json()) as { erased: { proof: object }[] });
    return erased.length === 1;
  });
  const proof = JSON.stringify(erased[0]?.proof);
  const own = { nodes: trust.nodes ?? [] };
  const whole = nodeBuild.verifyErasureProof(proof, own);
  assert.ok(whole.ok, JSON.stringify(whole));
  assert.deepEqual(browser.verifyErasureProof(proof, own), whole);
  const draw = random('erasures');
  let accepted = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const mutant = mutate(proof, draw);
    const ours = nodeBuild.verifyErasureProof(mutant, own);
    assert.deepEqual(browser.verifyErasureProof(mutant, own), ours, mutant);
    if (ours.ok && mutant !== proof) accepted++;
  }
  assert.ok(accepted < MUTANTS / 20, `${accepted} accepted`);
});

test('checkpoints', () => {
  const read = decodeFactBundle(bundle);
  const proof = read.ok ? parseTlogProof(read.value.proof) : read;
  assert.ok(read.ok && proof.ok);
  const { declaration } = read.value;
  const draw = random('checkpoints');
  for (let i = 0; i < MUTANTS; i++) {
    const mutant: string = i === 0 ? proof.value.checkpoint : mutate(proof.value.checkpoint, draw);
    const ours: ReturnType<typeof nodeBuild.verifyCheckpoint> = nodeBuild.verifyCheckpoint(mutant, trust, declaration);
    assert.equal(ours.ok || i > 0, true);
    assert.deepEqual(browser.verifyCheckpoint(mutant, trust, declaration), ours, mutant);
  }
});

test('CIDs and evidence', async () => {
  const listed = await node.api.send('/v1/facts?limit=3', { as: 'ro' });
  const records = /\{"id".*?\}\}|\{"id"[\s\S]*?"derived_from":\[\]\}/g.exec(await listed.text());
  const record = records?.[0] ?? '';
  assert.ok(nodeBuild.verifyFactCid(record).ok, record);
  const draw = random('cids');
  for (let i = 0; i < MUTANTS; i++) {
    const mutant = i === 0 ? record : mutate(record, draw);
    assert.deepEqual(browser.verifyFactCid(mutant), nodeBuild.verifyFactCid(mutant), mutant);
    if (i % 20 === 0) assert.deepEqual(browser.verifyEvidence(mutant), nodeBuild.verifyEvidence(mutant), mutant);
  }
});

test('Ed25519 and P-256 signatures, at the edges of their encodings', async () => {
  const openssl = await import('node:crypto');
  const draw = random('signatures');
  const message = Buffer.from('message');
  const ed = generateKeyPairSync('ed25519');
  const edSpki = ed.publicKey.export({ format: 'der', type: 'spki' });
  const anchor = createAnchorSigner('a', Buffer.alloc(32, 7));
  const inputs: [Uint8Array, 'sha256' | null, Buffer][] = [
    [edSpki, null, sign(null, message, ed.privateKey)],
    [anchor.publicKey, 'sha256', Buffer.from(anchor.sign(message))],
  ];
  let verified = 0;
  for (const [spki, algorithm, signature] of inputs) {
    for (let i = 0; i < 800; i++) {
      const [key, changed] = [Buffer.from(spki), Buffer.from(signature)];
      if (i % 3 === 1) changed[draw(changed.length)] = draw(256);
      if (i % 30 === 2) changed.fill(i % 60 === 2 ? 0 : 255, draw(changed.length));
      if (i % 7 === 3) key[draw(key.length)] = draw(256);
      const sent = i % 11 === 4 ? changed.subarray(0, draw(changed.length)) : changed;
      const judge = (library: Shim): boolean | 'no key' => {
        try {
          const object = library.createPublicKey({ key, format: 'der', type: 'spki' });
          return library.verify(
            algorithm,
            message,
            algorithm === null ? object : { key: object, dsaEncoding: 'der' },
            sent,
          );
        } catch {
          return 'no key';
        }
      };
      const ours = judge(openssl as unknown as Shim);
      if (ours === true) verified++;
      // Keys of other kinds, which OpenSSL knows and the verifiers refuse, are no keys here.
      assert.equal(judge(shim) === true, ours === true, `${key.toString('hex')} ${sent.toString('hex')}`);
    }
  }
  assert.ok(verified > 250);
});
