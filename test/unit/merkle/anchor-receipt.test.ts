/** Receipts: one text each, and no single change is taken. A log of our own stands for Rekor; the real ones: test/interop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AnchorReceipt,
  checkAnchorReceipt,
  formatAnchorReceipt,
  parseAnchorReceipt,
} from '../../../src/merkle/anchor-receipt.ts';
import { parseTrustedRoot } from '../../../src/merkle/trusted-root.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { SmallRekor } from '../../support/small-rekor.ts';

const peer = new HonestPeer().appendMany(3);
const REKOR = new SmallRekor(1);
const TRUST_ROOT = REKOR.trustRoot;
const logs = parseTrustedRoot(TRUST_ROOT);
assert.ok(logs.ok);
const TRUST = { origin: peer.origin, anchorKey: peer.anchorSigner.publicKey, logs: logs.value };

const { checkpoint: ANCHORED } = JSON.parse(peer.anchor()) as AnchorReceipt;
const RECEIPT = REKOR.receipt(ANCHORED, TRUST.anchorKey);

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
