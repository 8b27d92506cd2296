/** A store that takes everything and promises nothing: what it was asked for is not what it says afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNetwork } from '../../../src/core/address.ts';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import { S3Store } from '../../../src/worm/s3-store.ts';
import { startS3Store } from '../../support/s3-store.ts';

test('retention is what the store says after the write: one that ignores it is found out at the first object', async (t) => {
  const server = await startS3Store();
  t.after(() => server.close());
  const http = createHttpClient(['127.0.0.0/8'].flatMap((text) => readNetwork(text) ?? []));
  const account = { region: 'eu-test-1', accessKeyId: 'key', secretAccessKey: 'secret', http, retries: 0 };
  const store = new S3Store({ bucket: 'logs', prefix: 'acme', endpoint: server.url, ...account });
  const put = store.put('audit/1', Buffer.from('a segment'), Date.now() + 86_400_000);
  await assert.rejects(put, (error: unknown) => {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'retention_broken');
    assert.match(error.message, /the store says none/);
    return true;
  });
  assert.equal(server.objects.size, 1, 'it was taken all the same');
  // The same bytes without a lock, which anybody may have put above ours: they are locked, and stop nothing.
  await store.put('audit/1', Buffer.from('a segment'), Date.now() + 86_400_000);
  assert.equal([...server.objects.keys()].filter((path) => path.includes('retention')).length, 1);
});
