/** Receipts: one text each, and no single change is taken. A log of our own stands for Rekor; the real ones: test/interop. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import {
  type AnchorReceipt,
  checkAnchorReceipt,
  formatAnchorReceipt,
  parseAnchorReceipt,
} from '../../../src/merkle/anchor-receipt.ts';
import { leafHash, nodeHash } from '../../../src/merkle/hash.ts';
import { ALG_ECDSA, parseNote } from '../../../src/merkle/note.ts';
import { rekorBody } from '../../../src/merkle/rekor-entry.ts';
import { parseTrustedRoot } from '../../../src/merkle/trusted-root.ts';
import { verifierKeyId } from '../../../src/merkle/verifier-key.ts';
import { HonestPeer } from '../../support/honest-peer.ts';

const peer = new HonestPeer().appendMany(3);
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const SPKI = publicKey.export({ format: 'der', type: 'spki' });
const KEY_ID = verifierKeyId({ name: '', algorithm: ALG_ECDSA, publicKey: SPKI });
const LOG_ID = Buffer.alloc(32, 9);
LOG_ID.writeUInt32BE(KEY_ID);
const TRUST_ROOT = JSON.stringify({
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  tlogs: [
    {
      baseUrl: 'https://rekor.example',
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: SPKI.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256' },
      logId: { keyId: LOG_ID.toString('base64') },
    },
  ],
});
const logs = parseTrustedRoot(TRUST_ROOT);
assert.ok(logs.ok);
const TRUST = { origin: peer.origin, anchorKey: peer.anchorSigner.publicKey, logs: logs.value };

/** What a Rekor v1 with one other entry answers. */
function rekorReceipt(): AnchorReceipt {
  const { checkpoint } = JSON.parse(peer.anchor()) as AnchorReceipt;
  const note = parseNote(checkpoint);
  assert.ok(note.ok);
  const signature = note.value.signatures[1]?.signature ?? Buffer.alloc(0);
  const body = Buffer.from(rekorBody(1, { text: note.value.text, signature, publicKey: TRUST.anchorKey }));
  const [other, leaf] = [Buffer.alloc(32, 1), leafHash(body)];
  const root = nodeHash(other, leaf);
  const text = `rekor.example - 42\n2\n${root.toString('base64')}\n`;
  const line = Buffer.concat([LOG_ID.subarray(0, 4), sign('sha256', Buffer.from(text), privateKey)]);
  const stated = {
    body: body.toString('base64'),
    integratedTime: 1_800_000_000,
    logID: LOG_ID.toString('hex'),
    logIndex: 1,
  };
  const inclusionProof = {
    checkpoint: `${text}\n— rekor.example ${line.toString('base64')}\n`,
    hashes: [other.toString('hex')],
    logIndex: 1,
    rootHash: root.toString('hex'),
    treeSize: 2,
  };
  const signedEntryTimestamp = sign('sha256', Buffer.from(canonicalJson(stated)), privateKey).toString('base64');
  return {
    backend: 'rekor',
    checkpoint,
    entry: { ...stated, uuid: leaf.toString('hex'), verification: { inclusionProof, signedEntryTimestamp } },
    integrated_time: stated.integratedTime,
    leaf_hash: leaf.toString('hex'),
    log_id: stated.logID,
    log_index: 1,
    tree_size: 3,
    v: 1,
  };
}

const RECEIPT = rekorReceipt();

test('a receipt verifies, and says what the log has signed', () => {
  const checked = checkAnchorReceipt(RECEIPT, TRUST);
  assert.ok(checked.ok, JSON.stringify(checked));
  const { treeSize, logIndex, integratedTime, root } = checked.value;
  assert.deepEqual([treeSize, logIndex, integratedTime], [3, 1, 1_800_000_000]);
  assert.deepEqual(Buffer.from(root), Buffer.from(peer.root()));
});

test('one text for each receipt', () => {
  const text = formatAnchorReceipt(RECEIPT);
  assert.deepEqual(parseAnchorReceipt(text), { ok: true, value: RECEIPT });
  for (const other of [
    `${text} `,
    text.replace('{"backend"', '{ "backend"'),
    text.replace('"v":1', '"v":1.0'),
    '',
    '[]',
    'null',
  ])
    assert.ok(!parseAnchorReceipt(other).ok, other.slice(0, 40));
  const members = Object.entries(RECEIPT).reverse();
  assert.ok(!parseAnchorReceipt(JSON.stringify(Object.fromEntries(members))).ok);
});

/** What is kept with an entry, and proves nothing. */
const UNPROVEN = /"uuid":"[0-9a-f]+"/;

test('no single changed character of a receipt is taken', () => {
  const text = formatAnchorReceipt(RECEIPT);
  const [uuid = ''] = UNPROVEN.exec(text) ?? [];
  const free = { from: text.indexOf(uuid), to: text.indexOf(uuid) + uuid.length };
  let refused = 0;
  for (let at = 0; at < text.length; at++) {
    if (at >= free.from && at < free.to) continue;
    const before = text[at] ?? '';
    for (const after of [before === '1' ? '2' : '1', before === 'A' ? 'B' : 'A']) {
      const read = parseAnchorReceipt(`${text.slice(0, at)}${after}${text.slice(at + 1)}`);
      if (read.ok && checkAnchorReceipt(read.value, TRUST).ok) {
        // The log key's line is for openCheckpoint to judge.
        const note = (read.value.checkpoint.split('\n')[4] ?? '') !== (RECEIPT.checkpoint.split('\n')[4] ?? '');
        assert.ok(note, `changed at ${at}: ${text.slice(at - 30, at + 30)}`);
      }
      refused++;
    }
  }
  assert.ok(refused > 2_000);
});

test('a local receipt whose line, index or note is another one is refused', () => {
  const receipt = JSON.parse(peer.anchor()) as AnchorReceipt & { entry: Record<string, unknown> };
  assert.ok(checkAnchorReceipt(receipt, TRUST).ok);
  for (const change of [{ index: 1 }, { note: 'x' }, { chain_hash: '00' }, { payload: null }, { prev_hash: '1' }])
    assert.ok(
      !checkAnchorReceipt({ ...receipt, entry: { ...receipt.entry, ...change } }, TRUST).ok,
      JSON.stringify(change),
    );
});

test('what a second implementation refuses is refused: stated times and places that nobody signed, other types and depths', () => {
  const local = JSON.parse(peer.anchor()) as AnchorReceipt & { entry: Record<string, unknown> };
  const previous = { ...local.entry, prev_hash: [local.entry['prev_hash']] };
  for (const receipt of [
    { ...local, integrated_time: 1 },
    { ...local, entry: previous },
  ])
    assert.ok(!checkAnchorReceipt(receipt, TRUST).ok);
  const entry = RECEIPT.entry as Record<string, unknown>;
  const asText = { ...entry, logIndex: String(entry['logIndex']) };
  assert.ok(!checkAnchorReceipt({ ...RECEIPT, entry: asText }, TRUST).ok);
  const text = formatAnchorReceipt(RECEIPT);
  for (const uuid of ['"\\ud800"', `${'['.repeat(20)}${']'.repeat(20)}`])
    assert.ok(!parseAnchorReceipt(text.replace(/"uuid":"[0-9a-f]+"/, `"uuid":${uuid}`)).ok, uuid);
});

test('a trust root that is none says what was expected; logs with other keys are left out', () => {
  for (const text of ['', '[]', '{}', '{"tlogs":[]}', TRUST_ROOT.replace('PKIX_ECDSA_P256_SHA_256', 'PKCS1_RSA_PSS')]) {
    const read = parseTrustedRoot(text);
    assert.ok(!read.ok && read.error.startsWith('expected'), text.slice(0, 40));
  }
});
