/** Somebody has the log key of an old copy, and may write to the store: what he claims hides nothing, and stops nothing unseen. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { statedSize } from '../../../src/merkle/checkpoint.ts';
import { signDocument } from '../../../src/wire/signed-document.ts';
import { manifestPath, WORM_MANIFEST, type WormManifest, type WormRestore } from '../../../src/wire/worm-manifest.ts';
import { FolderStore } from '../../../src/worm/folder-store.ts';
import { largestBelow, PROBES } from '../../../src/worm/largest.ts';
import { Manifests } from '../../../src/worm/manifests.ts';
import { newestCheckpoint } from '../../../src/worm/newest.ts';
import { type KnownPlace, NOWHERE } from '../../../src/worm/place.ts';
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
import { find, readBack, ship, wormSource } from '../../support/worm-source.ts';

const NEVER = new AbortController().signal;
const TRUST = { keys: [LOG_KEY], origin: IDENTITY.journalOrigin };

/** Four manifests, each with five entries more. */
async function stage(t: TestContext) {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  t.after(() => journal.close());
  fillJournal(journal, 5, 3);
  const store = new FolderStore(out, async () => {});
  const source = wormSource(folder, journal);
  let { place } = await ship(store, source, NOWHERE);
  for (let i = 1; i < 4; i++) {
    appendOwn(journal, 5);
    ({ place } = await ship(store, source, place));
  }
  const known: KnownPlace = { number: place.number, digest: place.digest ?? '' };
  const manifest = async (number: number): Promise<{ readonly manifest: WormManifest; readonly digest: string }> =>
    (await new Manifests(store, TRUST, NEVER).open(number)) ?? assert.fail(String(number));
  /** Behind the newest, with the checkpoints of an early one, and whatever else is claimed. */
  const forge = async (number: number, lies: Partial<WormManifest>): Promise<void> => {
    const before = await manifest(number - 1);
    const early = await manifest(1);
    const { audit, journal: note } = early.manifest;
    const claim = { ...before.manifest, audit, journal: note, number, previous: before.digest, segments: [], ...lies };
    await store.put(manifestPath(number), Buffer.from(signDocument(WORM_MANIFEST, claim, source.signer)));
  };
  return { forge, journal, known, manifest, out, source, store };
}

async function shown(store: WormStore, atLeast = 0): Promise<readonly (number | string)[]> {
  const newest = await newestCheckpoint(store, { ...TRUST, atLeast, nowMs: NOW_MS, signal: NEVER });
  return [newest.kind, ...(newest.kind === 'none' ? [] : newest.notes.map(statedSize))];
}

test('manifests behind the newest that name less than was signed hide nothing from the guard, nor from a reader', async (t) => {
  const { forge, manifest, store } = await stage(t);
  const [early, had] = await Promise.all([1, 4].map(async (n) => statedSize((await manifest(n)).manifest.journal)));
  for (let number = 5; number < 9; number++) await forge(number, {});
  assert.deepEqual(await shown(store), ['head', early, had]);
  assert.deepEqual(await shown(store, 3), ['head', early, had]);
  const { problems } = await readBack(store);
  assert.deepEqual(
    problems.map(({ code, path }) => [code, path]),
    [['checkpoint_invalid', manifestPath(5)]],
  );
});

test('nor do those that name more than was signed, which nobody has signed', async (t) => {
  const { forge, manifest, store } = await stage(t);
  const [early, had] = await Promise.all([1, 4].map(async (n) => statedSize((await manifest(n)).manifest.journal)));
  const { journal } = (await manifest(4)).manifest;
  await forge(5, {});
  await forge(6, { journal: journal.replace(/\n\d+\n/, '\n999999\n') });
  assert.deepEqual(await shown(store), ['head', 999_999, had]);
  await forge(7, {});
  assert.deepEqual(await shown(store), ['head', early, had]);
});

test('a restore that is said to have been long ago hides nothing that was shipped since', async (t) => {
  const { forge, manifest, store } = await stage(t);
  const { digest, manifest: first } = await manifest(1);
  const { manifest: second } = await manifest(2);
  const restored: WormRestore = {
    at: first.made_at,
    base: 1,
    base_digest: digest,
    count: 1,
    from: first.ends,
    left: second.ends,
    number: 3,
  };
  await forge(5, { restored, v: 2 });
  const sizes = await shown(store);
  assert.equal(sizes.at(-1), statedSize((await manifest(4)).manifest.journal), sizes.join());
});

test('of a long chain some are looked at, and between them the last before it gets less', async (t) => {
  const { manifest } = await stage(t);
  const { manifest: one, digest } = await manifest(4);
  const note = (size: number): string => one.journal.replace(/\n\d+\n/, `\n${size}\n`);
  const [honest, all] = [7_000, 20 * PROBES];
  let asked = 0;
  const open = async (number: number) => {
    asked++;
    return { digest, manifest: { ...one, number, journal: note(number <= honest ? number : 10) } };
  };
  const largest = await largestBelow(open, statedSize, await open(all), 0);
  assert.equal(largest === undefined ? 0 : statedSize(largest), honest);
  assert.ok(asked < PROBES + 32, `${asked}`);
});

test('what a forged manifest claims to have shipped is not passed over: the export stops, and says so', async (t) => {
  const lies = async ({ manifest }: Awaited<ReturnType<typeof stage>>): Promise<Partial<WormManifest>[]> => {
    const { audit, ends, journal } = (await manifest(4)).manifest;
    return [
      { ends: { ...ends, audit: ends.audit + 1_000, journal: ends.journal + 1_000 }, audit, journal },
      { ends: { ...ends, audit: 0, journal: 0 }, audit, journal },
      { ends },
    ];
  };
  for (const i of [0, 1, 2]) {
    const one = await stage(t);
    const { forge, journal, known, source, store } = one;
    await forge(5, (await lies(one))[i] ?? assert.fail());
    // Another one behind it, which follows.
    const { audit, journal: note } = (await one.manifest(5)).manifest;
    await forge(6, { audit, journal: note });
    appendOwn(journal, 3);
    await assert.rejects(find(store, source, known), (error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error && error.code === 'store_conflict', String(error));
      assert.match(error.message, /000[56]\.note does not follow .*: (expected|it ).* name a new, empty place/);
      return true;
    });
    await assert.rejects(find(store, source), { code: 'store_conflict' });
  }
});

test('a store with a hole before each manifest is left after a bounded number of questions', async (t) => {
  const { store } = await stage(t);
  let asked = 0;
  const liar: WormStore = {
    name: 'liar',
    hasRetention: false,
    weakness: null,
    read: (path, version, maxBytes) => store.read(path, version, maxBytes),
    put: (path, bytes) => store.put(path, bytes),
    shadowed: () => store.shadowed(),
    exists: async (path) => {
      assert.ok(++asked < 10_000, 'it is asked without end');
      return Number(/\d+/.exec(path)?.[0]) % 10 === 0;
    },
  };
  const newest = await newestCheckpoint(liar, { ...TRUST, atLeast: 0, nowMs: NOW_MS, signal: NEVER });
  assert.equal(newest.kind, 'unreadable');
});

test('a device in the place of a file is not read', async (t) => {
  const { out, store } = await stage(t);
  mkdirSync(join(out, 'keys'));
  for (const path of [manifestPath(5), 'keys/1.note']) {
    symlinkSync('/dev/null', join(out, path));
    await assert.rejects(store.read(path, null, 100), { code: 'store_unusable' });
    await assert.rejects(store.put(path, Buffer.alloc(0)), /is not a file/);
  }
});
