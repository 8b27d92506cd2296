/** The newest checkpoint of a store that somebody has written to, hidden objects in, or that lies. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { statedSize } from '../../../src/merkle/checkpoint.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { MAX_MANIFEST_BYTES, manifestPath } from '../../../src/wire/worm-manifest.ts';
import { FolderStore } from '../../../src/worm/folder-store.ts';
import { type NewestCheckpoint, newestCheckpoint } from '../../../src/worm/newest.ts';
import { NOWHERE } from '../../../src/worm/place.ts';
import type { WormStore } from '../../../src/worm/store.ts';
import {
  appendOwn,
  fillJournal,
  IDENTITY,
  LOG_KEY,
  NOW_MS,
  newJournal,
  temporaryFolder,
} from '../../support/journal-fixture.ts';
import { find, ship, wormSource } from '../../support/worm-source.ts';

const NEVER = new AbortController().signal;
const MANIFESTS = 3;

/** A store with a few manifests; each holds five entries more than the one before. */
async function stage(t: TestContext) {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  t.after(() => journal.close());
  fillJournal(journal, 5, 3);
  const store = new FolderStore(out, async () => {});
  const source = wormSource(folder, journal);
  let { place } = await ship(store, source, NOWHERE);
  const more = async (from = source): Promise<void> => {
    appendOwn(journal, 5);
    ({ place } = await ship(store, from, place));
  };
  for (let i = 1; i < MANIFESTS; i++) await more();
  const write = (number: number, text: string): void => {
    mkdirSync(dirname(join(out, manifestPath(number))), { recursive: true });
    writeFileSync(join(out, manifestPath(number)), text);
  };
  const hide = (number: number): void => rmSync(join(out, manifestPath(number)));
  return { hide, more, source, store, write };
}

async function newest(store: WormStore, atLeast = 0): Promise<readonly [kind: string, size: number | null]> {
  const found: NewestCheckpoint = await newestCheckpoint(store, {
    keys: [LOG_KEY],
    origin: IDENTITY.journalOrigin,
    atLeast,
    nowMs: NOW_MS,
    signal: NEVER,
  });
  const [note] = found.kind === 'none' ? [] : found.notes;
  return [found.kind, note === undefined ? null : statedSize(note)];
}

test('nothing there, and the newest of those that are there', async (t) => {
  const { store } = await stage(t);
  assert.deepEqual(await newest(store), ['head', 83]);
  assert.deepEqual(await newest(store, 2), ['head', 83]);
  assert.deepEqual(await newest(new FolderStore(temporaryFolder(t), async () => {})), ['none', null]);
});

test('garbage behind the end, small or larger than any manifest, does not hide what is before it', async (t) => {
  const { store, write } = await stage(t);
  write(MANIFESTS + 1, 'garbage');
  assert.deepEqual(await newest(store), ['unreadable', 83]);
  write(MANIFESTS + 2, 'x'.repeat(MAX_MANIFEST_BYTES + 1));
  assert.deepEqual(await newest(store), ['unreadable', 83]);
});

test('the first manifest is hidden, or the newest: what is left is found, and what was known to be there is missed', async (t) => {
  const { hide, store } = await stage(t);
  hide(1);
  assert.deepEqual(await newest(store), ['head', 83]);
  hide(MANIFESTS);
  assert.deepEqual(await newest(store), ['head', 78]);
  assert.deepEqual(await newest(store, MANIFESTS), ['unreadable', 78]);
  hide(2);
  assert.deepEqual(await newest(store, MANIFESTS), ['unreadable', null]);
});

test('signed by a key that this copy does not know: the newest that it knows is found below, however many there are', async (t) => {
  const { more, source, store } = await stage(t);
  const rotated = { ...source, signer: createLogSigner(IDENTITY.journalOrigin, Buffer.alloc(32, 7)) };
  for (let i = 0; i < 20; i++) await more(rotated);
  assert.deepEqual(await newest(store), ['unreadable', 83]);
});

test('a store that has everything is left after a bounded number of questions, and when the node stops', async (t) => {
  const { source, store } = await stage(t);
  let asked = 0;
  const liar: WormStore = {
    name: 'liar',
    hasRetention: false,
    weakness: null,
    read: (path, version, maxBytes) => store.read(path, version, maxBytes),
    put: (path, bytes) => store.put(path, bytes),
    shadowed: () => store.shadowed(),
    exists: async () => {
      asked += 1;
      assert.ok(asked < 1_000, 'it is asked without end');
      return true;
    },
  };
  assert.deepEqual(await newest(liar), ['unreadable', null]);
  await assert.rejects(find(liar, source), { code: 'store_other_log' });
  await assert.rejects(find(liar, source, null, AbortSignal.abort(new Error('stopping'))), /stopping/);
});
