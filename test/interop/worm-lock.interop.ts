/**
 * Records under Object Lock at an S3 server of others, with and without versions of objects: what is shipped can be read back
 * with public keys alone, the store refuses to delete or overwrite it while it is kept, and one that keeps nothing is found out.
 */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { AwsClient } from 'aws4fetch';
import { readNetwork } from '../../src/core/address.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { statedSize } from '../../src/merkle/checkpoint.ts';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import { signDocument } from '../../src/wire/signed-document.ts';
import { manifestPath, WORM_MANIFEST } from '../../src/wire/worm-manifest.ts';
import { Manifests } from '../../src/worm/manifests.ts';
import { newestCheckpoint } from '../../src/worm/newest.ts';
import { NOWHERE, type Place } from '../../src/worm/place.ts';
import { S3Store } from '../../src/worm/s3-store.ts';
import type { WormSource } from '../../src/worm/source.ts';
import {
  appendOwn,
  fillJournal,
  IDENTITY,
  LOG_KEY,
  NOW_MS,
  newJournal,
  openJournal,
  temporaryFolder,
} from '../support/journal-fixture.ts';
import { copyJournal } from '../support/tampering.ts';
import { find, RETAIN_MS, readBack, ship, wormSource } from '../support/worm-source.ts';
import { type S3, startS3 } from './programs/s3.ts';

const LOOPBACK = ['127.0.0.0/8'].flatMap((text) => readNetwork(text) ?? []);
/** The store goes by the real clock. */
const KEEP_MS = RETAIN_MS + (Date.now() - NOW_MS);
const PLAIN = await startS3({ after });
const VERSIONED = await startS3({ after }, true);

function clientOf({ accessKeyId, secretAccessKey, region }: S3): AwsClient {
  return new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 0 });
}

async function lockedBucket(s3: S3, bucket: string): Promise<S3Store> {
  const headers = { 'x-amz-bucket-object-lock-enabled': 'true' };
  const made = await clientOf(s3).fetch(`${s3.url}/${bucket}`, { method: 'PUT', headers });
  assert.equal(made.status, 200, await made.text());
  return storeIn(s3, bucket);
}

function storeIn({ accessKeyId, region, secretAccessKey, url }: S3, bucket: string): S3Store {
  const http = createHttpClient(LOOPBACK);
  return new S3Store({ bucket, prefix: 'acme', endpoint: url, region, accessKeyId, secretAccessKey, http, retries: 0 });
}

function filled(t: TestContext) {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  fillJournal(journal, 30, 3);
  t.after(() => journal.close());
  return { folder, journal, source: wormSource(folder, journal) };
}

/** The log goes on after the copy, and is shipped; then the copy takes its place. */
async function restoreFrom(old: string, journal: Journal, source: WormSource, store: S3Store): Promise<void> {
  const round = async (from: WormSource): Promise<void> => {
    const { place } = await find(store, from);
    await ship(store, from, place, KEEP_MS);
  };
  for (let i = 0; i < 3; i++) journal.audit({ event: 'something_happened', detail: { i } }, NOW_MS);
  await round(source);
  const copy = openJournal(old);
  copy.audit({ event: 'something_else_happened' }, NOW_MS);
  await round(wormSource(old, copy));
  copy.close();
}

for (const [name, s3, hasVersions] of [
  ['without versions', PLAIN, false],
  ['with versions', VERSIONED, true],
] as const) {
  test(`${name}: shipped, gone on with after a restore too, read back; deletion and overwrite refused while it is kept`, async (t) => {
    const bucket = hasVersions ? 'worm-versions' : 'worm-plain';
    const store = await lockedBucket(s3, bucket);
    const { folder, journal, source } = filled(t);
    const first = await ship(store, source, undefined, KEEP_MS);
    appendOwn(journal, 7);
    const { place } = await find(store, source, { number: 1, digest: first.place.digest ?? '' });
    const second = await ship(store, source, place, KEEP_MS);
    assert.equal(second.place.number, 2);
    await restoreFrom(copyJournal(folder, temporaryFolder(t), 'old'), journal, source, store);
    const report = await readBack(store, 4, 1);
    assert.deepEqual([report.problems, report.manifests, report.unlocked], [[], 4, 0]);
    assert.deepEqual(
      report.restores.map(({ base, number }) => [base, number]),
      [[2, 4]],
    );

    const client = clientOf(s3);
    // What a restore has left is kept like all else.
    const object = `${s3.url}/${bucket}/acme/${manifestPath(3)}`;
    const head = await client.fetch(object, { method: 'HEAD' });
    assert.equal(head.headers.get('x-amz-object-lock-mode'), 'COMPLIANCE');
    const version = head.headers.get('x-amz-version-id');
    const exact = version === null ? object : `${object}?versionId=${version}`;
    assert.equal(version !== null, hasVersions);
    for (const headers of [{}, { 'x-amz-bypass-governance-retention': 'true' }]) {
      const deleted = await client.fetch(exact, { method: 'DELETE', headers });
      assert.equal(deleted.status, 403, await deleted.text());
    }
    const retention = `${exact}${version === null ? '?' : '&'}retention=`;
    const soon = new Date(Date.now() + 60_000).toISOString();
    const shorter = await client.fetch(retention, {
      method: 'PUT',
      body: `<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>GOVERNANCE</Mode><RetainUntilDate>${soon}</RetainUntilDate></Retention>`,
    });
    assert.ok(shorter.status >= 400, `retention was made shorter: ${shorter.status}`);
    const overwritten = await client.fetch(object, { method: 'PUT', body: 'other' });
    if (!hasVersions) {
      assert.equal(overwritten.status, 403, await overwritten.text());
      assert.deepEqual((await readBack(store, 4, 1)).problems, []);
      return;
    }
    // A store with versions puts the new one above: the locked one stays, and what is above is told.
    assert.equal(overwritten.status, 200);
    assert.deepEqual((await readBack(store, 4, 1)).problems[0]?.code, 'manifest_signature_invalid');
    const kept = await client.fetch(exact);
    assert.match(await kept.text(), /^stigmem-worm-manifest\/v1\n/);
  });
}

test('with versions: a manifest under a delete marker is missed, and nothing is put in its place', async (t) => {
  const store = await lockedBucket(VERSIONED, 'worm-deleted');
  const { journal, source } = filled(t);
  const { place } = await ship(store, source, undefined, KEEP_MS);
  appendOwn(journal, 2);
  await ship(store, source, place, KEEP_MS);
  const object = `${VERSIONED.url}/worm-deleted/acme/${manifestPath(2)}`;
  const deleted = await clientOf(VERSIONED).fetch(object, { method: 'DELETE' });
  assert.equal(deleted.status, 204, await deleted.text());
  // Nothing but the store remembers it, as in a folder that was put back from an older copy.
  await assert.rejects(find(store, source), { code: 'store_lost' });
  const problems = (await readBack(store)).problems.map(({ code, path }) => `${code} ${path}`);
  assert.deepEqual(problems, [`manifest_missing ${manifestPath(2)}`]);
  const options = { keys: [LOG_KEY], origin: IDENTITY.journalOrigin, atLeast: 0, nowMs: NOW_MS };
  const newest = await newestCheckpoint(store, { ...options, signal: new AbortController().signal });
  assert.equal(newest.kind, 'unreadable');
});

test('a bucket without Object Lock is refused at the first object, with what to do', async (t) => {
  const { source } = filled(t);
  const store = storeIn(PLAIN, PLAIN.bucket);
  await assert.rejects(ship(store, source, undefined, KEEP_MS), (error: unknown) => {
    assert.ok(error instanceof Error && 'code' in error);
    assert.ok(['store_unusable', 'retention_broken'].includes(String(error.code)), String(error.code));
    assert.match(error.message, /make the bucket with Object Lock/);
    return true;
  });
});

test('what a killed round left is kept for as long as the next one asks for', async () => {
  const store = await lockedBucket(PLAIN, 'worm-longer');
  const bytes = Buffer.from('a segment');
  const day = 86_400_000;
  const until = (days: number): number => Math.ceil(Date.now() / 1_000) * 1_000 + days * day;
  await store.put('audit/1', bytes, until(1));
  const again = await store.put('audit/1', bytes, until(3));
  assert.equal(again.existed, true);
  const kept = (await store.read('audit/1', null, 100))?.lockedUntilMs ?? 0;
  assert.ok(Math.abs(kept - until(3)) < 60_000, new Date(kept).toISOString());
  await assert.rejects(store.put('audit/1', Buffer.from('another'), until(1)), { code: 'store_conflict' });
});

test('with versions: the same bytes that somebody puts above ours, without a lock, are locked and stop nothing', async () => {
  const store = await lockedBucket(VERSIONED, 'worm-shadowed');
  const bytes = Buffer.from('a change of keys');
  const untilMs = Math.ceil((Date.now() + KEEP_MS) / 1_000) * 1_000;
  await store.put('keys/1.note', bytes, untilMs);
  const object = `${VERSIONED.url}/worm-shadowed/acme/keys/1.note`;
  const above = await clientOf(VERSIONED).fetch(object, { method: 'PUT', body: bytes });
  assert.equal(above.status, 200, await above.text());
  const unlocked = await clientOf(VERSIONED).fetch(object, { method: 'HEAD' });
  assert.equal(unlocked.headers.get('x-amz-object-lock-mode'), null);
  const { version } = await store.put('keys/1.note', bytes, untilMs);
  assert.equal(version, unlocked.headers.get('x-amz-version-id'));
  assert.ok(((await store.read('keys/1.note', version, 100))?.lockedUntilMs ?? 0) >= untilMs - 1_000);
});

test('with versions: a manifest that is put above a larger one, under the key of an old copy, hides nothing from the guard', async (t) => {
  const store = await lockedBucket(VERSIONED, 'worm-above');
  const { journal, source } = filled(t);
  const sizes: number[] = [];
  let place: Place = NOWHERE;
  for (let i = 0; i < 3; i++) {
    ({ place } = await ship(store, source, place, KEEP_MS));
    sizes.push(place.ends.journal);
    appendOwn(journal, 2);
  }
  const manifests = new Manifests(
    store,
    { keys: [LOG_KEY], origin: IDENTITY.journalOrigin },
    new AbortController().signal,
  );
  const [early, before] = [await manifests.open(1), await manifests.open(2)];
  assert.ok(early && before);
  const { audit, journal: note } = early.manifest;
  const claim = { ...before.manifest, audit, journal: note, number: 3, previous: before.digest, segments: [] };
  const object = `${VERSIONED.url}/worm-above/acme/${manifestPath(3)}`;
  const above = await clientOf(VERSIONED).fetch(object, {
    method: 'PUT',
    body: Buffer.from(signDocument(WORM_MANIFEST, claim, source.signer)),
  });
  assert.equal(above.status, 200, await above.text());
  for (const atLeast of [0, 3]) {
    const options = { keys: [LOG_KEY], origin: IDENTITY.journalOrigin, atLeast, nowMs: NOW_MS };
    const newest = await newestCheckpoint(store, { ...options, signal: new AbortController().signal });
    assert.ok(newest.kind === 'head');
    assert.equal(Math.max(...newest.notes.map(statedSize)), sizes[2], String(atLeast));
  }
  assert.equal(store.weakness, null);
  const told = (await readBack(store)).problems.map(({ code, path }) => `${code} ${path}`);
  assert.ok(told.includes(`checkpoint_invalid ${manifestPath(3)}`), told.join());
});

test('with versions: a manifest above ours that agrees with the chain is told of', async (t) => {
  const store = await lockedBucket(VERSIONED, 'worm-twice');
  const { source } = filled(t);
  await ship(store, source, NOWHERE, KEEP_MS);
  const object = `${VERSIONED.url}/worm-twice/acme/${manifestPath(1)}`;
  const bytes = await (await clientOf(VERSIONED).fetch(object)).arrayBuffer();
  assert.deepEqual((await readBack(store)).problems, []);
  const above = await clientOf(VERSIONED).fetch(object, { method: 'PUT', body: bytes });
  assert.equal(above.status, 200, await above.text());
  assert.deepEqual(
    (await readBack(store)).problems.map(({ code, path }) => `${code} ${path}`),
    [`manifest_chain ${manifestPath(1)}`],
  );
});
