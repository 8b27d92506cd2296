/** `cosign verify-blob` accepts the anchors that our backends get of Rekor v1 and v2, with nothing but key and trusted root. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRekorV1, createRekorV2, type RekorApi } from '../../src/anchor/rekor-api.ts';
import { createRekorBackend } from '../../src/anchor/rekor-backend.ts';
import { bundleOf } from '../../src/anchor/sigstore.ts';
import { encodeBase64 } from '../../src/merkle/base64.ts';
import { parseNote } from '../../src/merkle/note.ts';
import { readRekorEntry } from '../../src/merkle/rekor-entry.ts';
import { parseTrustedRoot, type TrustedLog } from '../../src/merkle/trusted-root.ts';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import { type BlobToVerify, cosignVerifyBlob } from './programs/cosign.ts';
import { startRekorV1 } from './programs/rekor-v1.ts';
import { startRekorV2 } from './programs/rekor-v2.ts';
import { serveFolder } from './programs/static-files.ts';
import type { TrustedRootJson } from './programs/trusted-root.ts';
import { smallLog } from './small-log.ts';

const LOG = smallLog('acme.example', 2);
const { publicKey } = LOG.anchor;

function logsOf(root: TrustedRootJson): readonly TrustedLog[] {
  const logs = parseTrustedRoot(JSON.stringify(root));
  assert.ok(logs.ok, JSON.stringify(logs));
  return logs.value;
}

/** Anchors a checkpoint as a node does; what somebody with the receipt hands to cosign. */
async function anchored(api: RekorApi, trustedRoot: TrustedRootJson): Promise<BlobToVerify> {
  const trustRoot = JSON.stringify(trustedRoot);
  const backend = createRekorBackend({ api, trustRoot, logs: logsOf(trustedRoot), anchorKey: publicKey });
  const note = LOG.checkpoint(1);
  const root = encodeBase64(LOG.root(1));
  const checkpoint = { id: 1, log: 'journal', treeSize: 1, root, chainHash: null, note, createdUs: 0 } as const;
  const receipt = await backend.submit(checkpoint, new AbortController().signal);
  const entry = readRekorEntry(JSON.parse(receipt.entry));
  const parsed = parseNote(note);
  assert.ok(entry.ok && parsed.ok);
  const { text, signatures } = parsed.value;
  const signature = signatures.find(({ keyId }) => keyId === LOG.anchor.keyId)?.signature;
  assert.ok(signature);
  const bundle = bundleOf(entry.value, { text, signature, publicKey }) as object;
  return { blob: text, publicKey, bundle, trustedRoot };
}

test('an anchor in Rekor v2; not for another checkpoint', async (t) => {
  const { url, logFolder, trustedRoot } = await startRekorV2(t);
  const api = createRekorV2(createHttpClient([]), url, await serveFolder(t, logFolder), logsOf(trustedRoot));
  const anchor = await anchored(api, trustedRoot);
  const good = await cosignVerifyBlob(t, anchor);
  assert.ok(good.ok, good.output);
  const bad = await cosignVerifyBlob(t, { ...anchor, blob: LOG.text(2) });
  assert.equal(bad.ok, false, bad.output);
});

test('an anchor in Rekor v1; not with the root of another log', async (t) => {
  const { url, trustedRoot } = await startRekorV1(t);
  const anchor = await anchored(createRekorV1(createHttpClient([]), url), trustedRoot);
  const good = await cosignVerifyBlob(t, anchor);
  assert.ok(good.ok, good.output);
  const stranger = await startRekorV1(t);
  const bad = await cosignVerifyBlob(t, { ...anchor, trustedRoot: stranger.trustedRoot });
  assert.equal(bad.ok, false, bad.output);
});
