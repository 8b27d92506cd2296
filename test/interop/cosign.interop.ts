/** `cosign verify-blob` accepts what Rekor v1 and v2 say of an anchored checkpoint, with nothing but key and trusted root. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cosignVerifyBlob } from './programs/cosign.ts';
import { startRekorV1 } from './programs/rekor-v1.ts';
import { startRekorV2 } from './programs/rekor-v2.ts';
import { entryOfV1, postV1, postV2, type Signed, sigstoreBundle, type V1LogEntry } from './rekor-requests.ts';
import { smallLog } from './small-log.ts';

const LOG = smallLog('acme.example', 2);

function signed(size: number): Signed {
  const text = LOG.text(size);
  return { text, signature: LOG.anchor.sign(Buffer.from(text)), publicKey: LOG.anchor.publicKey };
}

test('an entry of Rekor v2; not for another checkpoint', async (t) => {
  const { url, trustedRoot } = await startRekorV2(t);
  const one = signed(1);
  const entry = (await (await postV2(url, one)).json()) as object;
  const blob = { blob: one.text, publicKey: one.publicKey, bundle: sigstoreBundle(one, entry), trustedRoot };
  const good = await cosignVerifyBlob(t, blob);
  assert.ok(good.ok, good.output);
  const bad = await cosignVerifyBlob(t, { ...blob, blob: LOG.text(2) });
  assert.equal(bad.ok, false, bad.output);
});

test('an entry of Rekor v1; not with the root of another log', async (t) => {
  const { url, trustedRoot } = await startRekorV1(t);
  const one = signed(1);
  const [entry] = Object.values((await (await postV1(url, one)).json()) as Record<string, V1LogEntry>);
  assert.ok(entry);
  const blob = { blob: one.text, publicKey: one.publicKey, bundle: sigstoreBundle(one, entryOfV1(entry)), trustedRoot };
  const good = await cosignVerifyBlob(t, blob);
  assert.ok(good.ok, good.output);
  const { trustedRoot: stranger } = await startRekorV1(t);
  const bad = await cosignVerifyBlob(t, { ...blob, trustedRoot: stranger });
  assert.equal(bad.ok, false, bad.output);
});
