/** Our Rekor backends against the real servers: what they return verifies, by two verifiers, the first time and again. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AnchorBackend } from '../../src/anchor/backend.ts';
import { createRekorV1, createRekorV2, type RekorApi } from '../../src/anchor/rekor-api.ts';
import { createRekorBackend } from '../../src/anchor/rekor-backend.ts';
import type { AnchorCheckpoint, NewAnchorReceipt } from '../../src/journal/anchor-records.ts';
import { type AnchorReceipt, checkAnchorReceipt } from '../../src/merkle/anchor-receipt.ts';
import { encodeBase64 } from '../../src/merkle/base64.ts';
import { parseTrustedRoot, type TrustedLog } from '../../src/merkle/trusted-root.ts';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import { startRekorV1 } from './programs/rekor-v1.ts';
import { startRekorV2 } from './programs/rekor-v2.ts';
import { serveFolder } from './programs/static-files.ts';
import type { TrustedRootJson } from './programs/trusted-root.ts';
import { smallLog } from './small-log.ts';

const LOG = smallLog('acme.example', 300);
const SIGNAL = new AbortController().signal;
const v1 = await startRekorV1({ after });
const v2 = await startRekorV2({ after });
const published = await serveFolder({ after }, v2.logFolder);

const SERVERS = [
  { name: 'v1', root: v1.trustedRoot, api: createRekorV1(createHttpClient([]), v1.url) },
  {
    name: 'v2',
    root: v2.trustedRoot,
    api: createRekorV2(createHttpClient([]), v2.url, published, logsOf(v2.trustedRoot)),
  },
];

function logsOf(root: TrustedRootJson): readonly TrustedLog[] {
  const logs = parseTrustedRoot(JSON.stringify(root));
  assert.ok(logs.ok, JSON.stringify(logs));
  return logs.value;
}

function backendOf(root: TrustedRootJson, api: RekorApi): AnchorBackend {
  return createRekorBackend({
    api,
    trustRoot: JSON.stringify(root),
    logs: logsOf(root),
    anchorKey: LOG.anchor.publicKey,
  });
}

const NOTES = new Map<number, string>();

/** The same note each time, as a journal has it. */
function checkpointOf(size: number): AnchorCheckpoint {
  const note = NOTES.get(size) ?? LOG.checkpoint(size);
  NOTES.set(size, note);
  return {
    id: size,
    log: 'journal',
    treeSize: size,
    root: encodeBase64(LOG.root(size)),
    chainHash: null,
    note,
    createdUs: 0,
  };
}

function receiptOf(size: number, receipt: NewAnchorReceipt): AnchorReceipt {
  return {
    backend: 'rekor',
    checkpoint: checkpointOf(size).note,
    entry: JSON.parse(receipt.entry),
    integrated_time: receipt.integratedTime,
    leaf_hash: receipt.leafHash,
    log_id: receipt.logId,
    log_index: receipt.logIndex,
    tree_size: size,
    v: 1,
  };
}

for (const { name, root, api } of SERVERS) {
  const backend = backendOf(root, api);
  const trust = { origin: LOG.origin, anchorKey: LOG.anchor.publicKey, logs: logsOf(root) };

  test(`${name} takes checkpoints; each receipt verifies by itself`, async () => {
    for (let size = 1; size <= 12; size++) {
      const taken = await backend.submit(checkpointOf(size), SIGNAL);
      const checked = checkAnchorReceipt(receiptOf(size, taken), trust);
      assert.ok(checked.ok, JSON.stringify([size, checked, taken.entry]));
      assert.deepEqual([checked.value.treeSize, checked.value.logIndex], [size, size - 1]);
      assert.equal(checked.value.integratedTime === null, name === 'v2');
    }
  });

  test(`${name} has each once: submitted again, the same place comes back and verifies`, async () => {
    for (const size of [1, 5, 12]) {
      const again = await backend.submit(checkpointOf(size), SIGNAL);
      const checked = checkAnchorReceipt(receiptOf(size, again), trust);
      assert.ok(checked.ok, JSON.stringify([size, checked, again.entry]));
      assert.equal(again.logIndex, size - 1);
    }
    const next = await backend.submit(checkpointOf(13), SIGNAL);
    assert.equal(next.logIndex, 12);
  });

  test(`${name}: a receipt of another checkpoint, log or key is refused`, async () => {
    const taken = await backend.submit(checkpointOf(14), SIGNAL);
    const receipt = receiptOf(14, taken);
    const stranger = smallLog('stranger.example', 14);
    assert.deepEqual(checkAnchorReceipt({ ...receipt, checkpoint: checkpointOf(13).note, tree_size: 13 }, trust), {
      ok: false,
      error: 'rekor_body_mismatch',
    });
    assert.ok(!checkAnchorReceipt(receipt, { ...trust, anchorKey: stranger.anchor.publicKey }).ok);
    assert.deepEqual(checkAnchorReceipt(receipt, { ...trust, logs: [] }), { ok: false, error: 'rekor_log_unknown' });
  });

  test(`${name}: what the log will never take is refused for good; a log of another key is not believed`, async () => {
    const bad = checkpointOf(20);
    const lines = bad.note.trimEnd().split('\n');
    const anotherLine = checkpointOf(21).note.trimEnd().split('\n').at(-1);
    const note = `${[...lines.slice(0, -1), anotherLine].join('\n')}\n`;
    await assert.rejects(backend.submit({ ...bad, note }, SIGNAL), { code: 'refused' });
    const other = backendOf(name === 'v1' ? v2.trustedRoot : v1.trustedRoot, api);
    await assert.rejects(other.submit(checkpointOf(22), SIGNAL), { code: 'unverified' });
  });
}
