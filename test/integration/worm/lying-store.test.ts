/** A store that takes everything and promises nothing: what it was asked for is not what it says afterwards. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { readNetwork } from '../../../src/core/address.ts';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import { FolderStore } from '../../../src/worm/folder-store.ts';
import { S3Store } from '../../../src/worm/s3-store.ts';
import { appendOwn, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';
import { filesBelow } from '../../support/published.ts';
import { startS3Store } from '../../support/s3-store.ts';
import { readBack, ship, wormSource } from '../../support/worm-source.ts';

/** Files that the test can remove. */
const plainStore = (folder: string): FolderStore => new FolderStore(folder, async () => {});

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

test('who reads a chain back is told that the store did not let it look at versions', async (t) => {
  const server = await startS3Store();
  t.after(() => server.close());
  const out = temporaryFolder(t);
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  t.after(() => journal.close());
  appendOwn(journal, 3);
  await ship(plainStore(out), wormSource(folder, journal));
  for (const [path, bytes] of filesBelow(out)) server.place(`acme/${path}`, bytes);
  const http = createHttpClient(['127.0.0.0/8'].flatMap((text) => readNetwork(text) ?? []));
  const account = { region: 'eu-test-1', accessKeyId: 'key', secretAccessKey: 'secret', http, retries: 0 };
  const read = await readBack(new S3Store({ bucket: 'logs', prefix: 'acme', endpoint: server.url, ...account }));
  assert.deepEqual([read.ok, read.manifests, read.problems], [true, 1, []]);
  assert.match(read.weakness ?? '', /cannot list the versions .*ListBucketVersions/);
  assert.equal((await readBack(plainStore(out))).weakness, null);
});

test('a store that may not be asked for versions says so; one that lists without end is left', async (t) => {
  const server = await startS3Store();
  t.after(() => server.close());
  const http = createHttpClient(['127.0.0.0/8'].flatMap((text) => readNetwork(text) ?? []));
  const account = { region: 'eu-test-1', accessKeyId: 'key', secretAccessKey: 'secret', http, retries: 0 };
  const store = new S3Store({ bucket: 'logs', prefix: 'acme', endpoint: server.url, ...account });
  assert.equal(store.weakness, null);
  server.fail(403);
  assert.deepEqual(await store.shadowed('manifest/', ''), { versions: [], isWhole: true });
  assert.match(store.weakness ?? '', /cannot list the versions .* 403 .*Until the credentials may ListBucketVersions/);

  let pages = 0;
  const older = '<Version><Key>acme/manifest/1</Key><VersionId>1</VersionId><IsLatest>false</IsLatest></Version>';
  const endless = createServer((_, answer) => {
    assert.ok(++pages <= 64, 'it is asked without end');
    answer.end(`<IsTruncated>true</IsTruncated><NextKeyMarker>acme/manifest/1</NextKeyMarker>${older}`);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    endless.close();
    endless.closeAllConnections();
  });
  await once(endless, 'listening');
  const endpoint = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`;
  const { isWhole, versions } = await new S3Store({ bucket: 'logs', prefix: 'acme', endpoint, ...account }).shadowed(
    'manifest/',
    '',
  );
  assert.deepEqual([isWhole, versions.length, versions[0]], [false, pages, { path: 'manifest/1', version: '1' }]);
});
