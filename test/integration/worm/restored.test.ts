/** A node is put back from a copy: the chain in the store goes on by itself, says so, and hides nothing of what it had. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Journal } from '../../../src/journal/journal.ts';
import { statedSize } from '../../../src/merkle/checkpoint.ts';
import { createAnchorSigner } from '../../../src/merkle/ecdsa.ts';
import { MAX_RESTORES, manifestPath, onlyBefore, type WormRestore } from '../../../src/wire/worm-manifest.ts';
import { FolderStore } from '../../../src/worm/folder-store.ts';
import { Manifests } from '../../../src/worm/manifests.ts';
import { newestCheckpoint, newestNumber } from '../../../src/worm/newest.ts';
import type { Place } from '../../../src/worm/place.ts';
import { restoreAt } from '../../../src/worm/restored.ts';
import type { WormSource } from '../../../src/worm/source.ts';
import type { WormStore } from '../../../src/worm/store.ts';
import {
  appendOwn,
  fillJournal,
  IDENTITY,
  LOG_KEY,
  NOW_MS,
  newJournal,
  openJournal,
  temporaryFolder,
} from '../../support/journal-fixture.ts';
import { filesBelow } from '../../support/published.ts';
import { copyJournal } from '../../support/tampering.ts';
import { DyingStore, find, RETAIN_MS, readBack, ship, wormSource } from '../../support/worm-source.ts';

interface Copy {
  readonly folder: string;
  readonly journal: Journal;
  readonly source: WormSource;
}

const NEVER = new AbortController().signal;

function stage(t: TestContext) {
  const out = join(temporaryFolder(t), 'worm');
  const opened = (folder: string, journal: Journal): Copy => {
    t.after(() => journal.close());
    return { folder, journal, source: wormSource(folder, journal) };
  };
  const home = temporaryFolder(t);
  const live = opened(home, newJournal(home));
  fillJournal(live.journal, 20, 3);
  /** A copy of this moment, that can be put back more than once. */
  const copyOf = ({ folder }: Copy): (() => Copy) => {
    const kept = copyJournal(folder, temporaryFolder(t), 'kept');
    return () => {
      const at = copyJournal(kept, temporaryFolder(t), 'restored');
      return opened(at, openJournal(at));
    };
  };
  return { copyOf, live, out, store: new FolderStore(out, async () => {}) };
}

function record({ journal }: Copy, count = 3): void {
  for (let i = 0; i < count; i++) journal.audit({ event: 'something_happened', detail: { i } }, NOW_MS);
}

/** A round as the export makes it: find, then ship. */
async function round(store: WormStore, { source }: Copy): Promise<void> {
  const { place } = await find(store, source);
  await ship(store, source, place);
}

async function rounds(store: WormStore, copy: Copy, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    record(copy);
    await round(store, copy);
  }
}

/** A place as whoever holds the log key can claim it: as after a restore that went back to `base`. */
async function claimed(store: WormStore, base: number, lies: Partial<WormRestore> = {}): Promise<Place> {
  const manifests = new Manifests(store, { keys: [LOG_KEY], origin: IDENTITY.journalOrigin }, NEVER);
  const number = await newestNumber(store, 0, NEVER);
  const newest = await manifests.open(number);
  assert.ok(newest);
  const restored = { ...restoreAt(newest, base === 0 ? null : await manifests.open(base), NOW_MS), ...lies };
  return { number, digest: newest.digest, ends: restored.from, madeAt: null, restored };
}

async function found(store: WormStore, { source }: Copy): Promise<unknown> {
  const one = await find(store, source);
  return one.kind === 'past' ? 'past' : [one.why, one.place.restored.base];
}

async function problems(store: WormStore): Promise<readonly string[]> {
  return (await readBack(store, 0, null)).problems.map(({ code, path }) => `${code} ${path}`);
}

/** Sizes of the journal that the restore guard is shown. */
async function shown(store: WormStore, nowMs = NOW_MS): Promise<readonly [kind: string, ...sizes: number[]]> {
  const options = { keys: [LOG_KEY], origin: IDENTITY.journalOrigin, atLeast: 0, nowMs, signal: NEVER };
  const newest = await newestCheckpoint(store, options);
  return [newest.kind, ...(newest.kind === 'none' ? [] : newest.notes.map(statedSize))];
}

test('the chain goes on from what copy and store have in common, again and again; what was there stays', async (t) => {
  const { copyOf, live, out, store } = stage(t);
  await rounds(store, live, 2);
  const restore = copyOf(live);
  const had = (await live.source.ends()).audit;
  await rounds(store, live, 3);
  const before = filesBelow(out);
  const lost = (await live.source.ends()).audit;

  const first = restore();
  assert.deepEqual(await found(store, first), ['audit_ahead', 2]);
  // By the time that it is looked at the audit log may be longer than what was shipped: another one all the same.
  record(first, 40);
  assert.deepEqual(await found(store, first), ['audit_differs', 2]);
  await rounds(store, first, 2);
  assert.equal(await found(store, first), 'past', 'after a restart it goes on as any other');
  // The same copy once more, and then one of the history behind a restore.
  const second = restore();
  await rounds(store, second, 2);
  const later = copyOf(second);
  await rounds(store, second, 1);
  const third = later();
  appendOwn(third.journal, 5);
  await rounds(store, third, 2);
  for (const [path, bytes] of before) assert.deepEqual(readFileSync(join(out, path)), bytes, path);

  const report = await readBack(store, 12, 3);
  assert.deepEqual([report.problems, report.manifests, report.ends], [[], 12, await third.source.ends()]);
  const told = report.restores.map(({ base, count, number }) => [count, base, number]);
  assert.deepEqual(told, [
    [1, 2, 6],
    [2, 2, 8],
    [3, 9, 11],
  ]);
  const [one] = report.restores;
  assert.deepEqual(one && onlyBefore(one), [{ stream: 'audit', first: had + 1, last: lost }]);
  const unknown = (await readBack(store, 0, 1)).problems.map(({ code, path }) => [code, path]);
  assert.deepEqual(unknown, [['restore_unknown', manifestPath(8)]], 'one more than the reader knows of');
});

test('a copy from before the first manifest begins anew behind what is there', async (t) => {
  const { copyOf, live, store } = stage(t);
  const restore = copyOf(live);
  await rounds(store, live, 2);
  const copy = restore();
  await rounds(store, copy, 2);
  const { ends, problems: wrong, restores } = await readBack(store, 4, 1);
  assert.deepEqual([wrong, ends, restores[0]?.base], [[], await copy.source.ends(), 0]);
});

test('anchors are in no tree: those that the copy does not have are missed all the same', async (t) => {
  const { copyOf, live, store } = stage(t);
  const anchor = ({ journal }: Copy, minute: number): void => {
    const signer = createAnchorSigner(IDENTITY.journalOrigin, Buffer.alloc(32, 3));
    assert.ok(journal.makeAnchor('journal', signer, NOW_MS + minute * 60_000));
  };
  appendOwn(live.journal, 2);
  await rounds(store, live, 2);
  const restore = copyOf(live);
  anchor(live, 1);
  await round(store, live);
  const { anchors: lost } = await live.source.ends();
  const copy = restore();
  assert.deepEqual(await found(store, copy), ['anchors_differ', 2]);
  // Another one in its place, so that the number says nothing.
  anchor(copy, 2);
  assert.deepEqual(await found(store, copy), ['anchors_differ', 2]);
  await round(store, copy);
  const { problems: wrong, restores } = await readBack(store, 4, 1);
  assert.deepEqual(wrong, []);
  assert.deepEqual(restores.map(onlyBefore), [[{ stream: 'anchors', first: lost, last: lost }]]);
  assert.equal(await found(store, copy), 'past');
});

test('killed before or behind any write of the first round, the next one goes on from the same manifest', async (t) => {
  for (const when of ['before', 'behind'] as const) {
    for (const at of [1, 2]) {
      const { copyOf, live, store } = stage(t);
      await rounds(store, live, 1);
      const restore = copyOf(live);
      await rounds(store, live, 1);
      const copy = restore();
      record(copy);
      await assert.rejects(round(new DyingStore(store, at, when), copy), /killed/);
      await round(store, copy);
      const { manifests, problems: wrong, restores } = await readBack(store, 0, 1);
      assert.deepEqual([wrong, restores[0]?.base, manifests], [[], 1, 3], `${when} write ${at}`);
    }
  }
});

test('the journal is one history: a copy that lacks entries or has others is refused as before', async (t) => {
  const { copyOf, live, store } = stage(t);
  await rounds(store, live, 1);
  const restore = copyOf(live);
  appendOwn(live.journal, 3);
  await rounds(store, live, 2);
  const copy = restore();
  await assert.rejects(find(store, copy.source), { code: 'store_ahead' });
  appendOwn(copy.journal, 4);
  await assert.rejects(find(store, copy.source), { code: 'store_contradicts' });
});

test('whoever lacks nothing was not restored: another copy has gone on, and nothing is shipped over it', async (t) => {
  const { copyOf, live, store } = stage(t);
  await rounds(store, live, 1);
  const restore = copyOf(live);
  await rounds(store, live, 2);
  const other = restore();
  await rounds(store, other, 2);
  record(live);
  await assert.rejects(find(store, live.source), { code: 'store_forked' });
  await rounds(store, other, 1);
  await assert.rejects(find(store, live.source), { code: 'store_forked' });
  // Done all the same, it is found by whoever reads.
  await ship(store, live.source, await claimed(store, 3));
  assert.deepEqual(await problems(store), [`restore_forked ${manifestPath(7)}`]);
});

test('who holds the log key of an old copy hides nothing by a restore: the guard is shown what was left, the reader is told', async (t) => {
  const { copyOf, live, store } = stage(t);
  await rounds(store, live, 2);
  const restore = copyOf(live);
  const { journal: had } = await live.source.ends();
  appendOwn(live.journal, 10);
  await rounds(store, live, 2);
  assert.deepEqual(await shown(store), ['head', had + 10]);

  // The thief's copy lacks ten entries, and says that it was restored.
  const thief = restore();
  record(thief);
  await ship(store, thief.source, await claimed(store, 2));
  assert.deepEqual(await shown(store), ['head', had, had + 10]);
  assert.deepEqual(await problems(store), [`restore_rewound ${manifestPath(5)}`]);
  // Others in their place: longer than what was signed, and not the same.
  appendOwn(thief.journal, 20);
  await round(store, thief);
  assert.deepEqual(await shown(store), ['head', had + 20, had + 10]);
  const told = await problems(store);
  assert.ok(told.includes(`restore_rewound ${manifestPath(5)}`), told.join());
  assert.ok(told.includes(`root_mismatch ${manifestPath(4)}`), told.join());
});

test('what a restore says of the chain is compared with it', async (t) => {
  const { copyOf, live, store } = stage(t);
  await rounds(store, live, 2);
  const restore = copyOf(live);
  await rounds(store, live, 2);
  const copy = restore();
  record(copy);
  const honest = await claimed(store, 2);
  const ends = honest.restored?.left;
  assert.ok(ends);
  const kept = filesBelow(store.name);
  const lies: readonly Partial<WormRestore>[] = [
    { base_digest: `sha256:${'0'.repeat(64)}` },
    { base: 3 },
    { base: 4 },
    { base: 9 },
    { count: 2 },
    { left: { ...ends, audit: ends.audit - 1 } },
  ];
  for (const lie of lies) {
    await ship(store, copy.source, await claimed(store, 2, lie));
    const told = await problems(store);
    assert.ok(told.includes(`restore_invalid ${manifestPath(5)}`), `${JSON.stringify(lie)}: ${told.join()}`);
    for (const path of filesBelow(store.name).keys()) if (!kept.has(path)) rmSync(join(store.name, path));
  }
  // Named by none of the manifests behind it, or by one that began elsewhere.
  await ship(store, copy.source, honest);
  assert.deepEqual(await problems(store), []);
  record(copy);
  const { place } = await find(store, copy.source);
  await ship(store, copy.source, { ...place, restored: null });
  const told = await problems(store);
  assert.ok(told.includes(`restore_invalid ${manifestPath(6)}`), told.join());
});

test('behind a restore what was signed before has to be shipped again', async (t) => {
  const { copyOf, live, store } = stage(t);
  await rounds(store, live, 1);
  const restore = copyOf(live);
  appendOwn(live.journal, 10);
  await rounds(store, live, 1);
  // It names the newest checkpoint, and ships nothing that it covers.
  const thief = restore();
  record(thief);
  const { journal } = await live.source.heads().then((heads) => heads ?? assert.fail());
  const heads = async (): ReturnType<WormSource['heads']> => {
    const own = await thief.source.heads();
    return own === undefined ? undefined : { audit: own.audit, journal };
  };
  await ship(store, { ...thief.source, heads }, await claimed(store, 1));
  assert.deepEqual(await problems(store), [`restore_rewound ${manifestPath(3)}`]);
});

test('a chain is gone on with after so many restores', async (t) => {
  const { copyOf, live, store } = stage(t);
  await rounds(store, live, 1);
  const restore = copyOf(live);
  await rounds(store, live, 1);
  const first = restore();
  record(first);
  await ship(store, first.source, await claimed(store, 1, { count: MAX_RESTORES }));
  await assert.rejects(claimed(store, 1), { code: 'store_conflict' });
});

test('what was left at a restore and is gone is a claim, until the store need keep it no longer', async (t) => {
  const { copyOf, live, out, store } = stage(t);
  const keeping: WormStore = {
    name: out,
    hasRetention: true,
    weakness: null,
    read: (path, version, maxBytes) => store.read(path, version, maxBytes),
    exists: (path) => store.exists(path),
    put: (path, bytes) => store.put(path, bytes),
    shadowed: () => store.shadowed(),
  };
  await rounds(keeping, live, 1);
  const restore = copyOf(live);
  await rounds(keeping, live, 1);
  await rounds(keeping, restore(), 2);
  const { journal } = await live.source.ends();
  assert.deepEqual(await shown(keeping), ['head', journal, journal]);
  rmSync(join(out, manifestPath(2)));
  assert.deepEqual(await shown(keeping), ['unreadable', journal]);
  rmSync(join(out, manifestPath(3)));
  assert.deepEqual(await shown(keeping), ['unreadable', journal], 'nor does it help to hide the one behind it');
  assert.deepEqual(await shown(keeping, NOW_MS + RETAIN_MS + 1_000), ['head', journal]);
});
