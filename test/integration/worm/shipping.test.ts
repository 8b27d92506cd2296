/** The export beside the append path: paused by failures, gone on with, and alarmed by a store that is not what was shipped. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { manifestPath } from '../../../src/wire/worm-manifest.ts';
import { FolderStore } from '../../../src/worm/folder-store.ts';
import { begunRecord, pinnedIn, resumedRecord, WORM_BEGUN_EVENT } from '../../../src/worm/pinned-place.ts';
import { Shipping } from '../../../src/worm/shipping.ts';
import type { WormError } from '../../../src/worm/store.ts';
import {
  appendOwn,
  fillJournal,
  NOW_MS,
  newJournal,
  openJournal,
  temporaryFolder,
} from '../../support/journal-fixture.ts';
import { copyJournal } from '../../support/tampering.ts';
import { find, RETAIN_MS, readBack, ship, wormSource } from '../../support/worm-source.ts';

const DEADLINE_MS = 30_000;

async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + DEADLINE_MS;
  while (!(await look())) {
    assert.ok(performance.now() < endMs, what);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function stage(t: TestContext) {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  fillJournal(journal, 20, 3);
  t.after(() => journal.close());
  const failures: WormError[] = [];
  const store = new FolderStore(out, async () => {});
  let isReady = true;
  const start = (): Shipping => {
    const shipping = new Shipping({
      source: wormSource(folder, journal),
      openStore: () => store,
      target: out,
      stateFile: join(folder, 'worm-state.json'),
      pinned: async () => {
        const { records } = new AuditReader(journal.db).page({ event: WORM_BEGUN_EVENT, order: 'desc', limit: 10 });
        return pinnedIn(records, out);
      },
      pin: async (place) => void journal.audit(begunRecord(out, place), NOW_MS),
      statements: [],
      retainMs: RETAIN_MS,
      intervalMs: 5,
      retryMs: 5,
      nowMs: Date.now,
      isReady: () => isReady,
      onRestored: async (place, why) => void journal.audit(resumedRecord(out, place, why), NOW_MS),
      onShipped: () => {},
      onFailed: async (error) => void failures.push(error),
    });
    shipping.start();
    t.after(() => shipping.stop());
    return shipping;
  };
  const hold = (held: boolean): void => {
    isReady = !held;
  };
  return { folder, journal, out, store, failures, start, hold };
}

test('what is appended is shipped; a restart goes on where it was; while the guard holds nothing leaves', async (t) => {
  const { failures, hold, journal, out, start, store } = stage(t);
  hold(true);
  const first = start();
  assert.ok((await first.status()).lagSeconds > 0, 'what waits has an age');
  assert.equal(existsSync(out), false);
  hold(false);
  const isThere = (shipping: Shipping) => async () => (await shipping.status()).waiting.journal === 0;
  await until('shipped', isThere(first));
  await first.stop();
  appendOwn(journal, 4);
  const second = start();
  assert.ok((await second.status()).manifests > 0, 'it is known without the store what was shipped');
  await until('gone on', isThere(second));
  await second.stop();
  const report = await readBack(store, 2);
  assert.deepEqual([report.problems, failures], [[], []]);
  assert.equal((await second.status()).lagSeconds, 0);
});

test('a store that is down holds up nobody, and is tried again until it is back', async (t) => {
  const { failures, journal, out, start, store } = stage(t);
  // A file where the folder should be.
  writeFileSync(out, '');
  const shipping = start();
  await until('it has failed three times', () => failures.length >= 3);
  assert.deepEqual([...new Set(failures.map(({ code }) => code))], ['store_unusable']);
  assert.match(shipping.notice() ?? '', /not shipped to the WORM store/);
  appendOwn(journal, 3);
  rmSync(out);
  await until('shipped', async () => (await shipping.status()).waiting.journal === 0);
  await until('nothing is told any more', () => shipping.notice() === null);
  await shipping.stop();
  assert.deepEqual((await readBack(store)).problems, []);
});

test('a store that loses its newest manifest is found out, at once and after a restart', async (t) => {
  const { failures, out, start } = stage(t);
  const first = start();
  await until('shipped', async () => (await first.status()).manifests > 0);
  await until('at rest', async () => (await first.status()).waiting.audit === 0);
  const { manifests } = await first.status();
  rmSync(join(out, manifestPath(manifests)));
  await until('told', () => failures.some(({ code }) => code === 'store_lost'));
  await first.stop();
  failures.length = 0;
  const second = start();
  await until('told again', () => failures.some(({ code }) => code === 'store_lost'));
  await second.stop();
  assert.equal(existsSync(join(out, manifestPath(manifests))), false, 'nothing is put in its place');
});

test('a store that was emptied is not begun anew, although nothing beside the journal remembers it', async (t) => {
  const { failures, folder, journal, out, start } = stage(t);
  const first = start();
  await until('shipped, with the record of its beginning', async () => (await first.status()).waiting.audit === 0);
  await first.stop();
  const begun = new AuditReader(journal.db).page({ event: WORM_BEGUN_EVENT, order: 'asc', limit: 10 }).records;
  assert.deepEqual(
    begun.map(({ detail }) => [detail['target'], detail['manifest']]),
    [[out, 1]],
    'once',
  );
  rmSync(join(folder, 'worm-state.json'));
  rmSync(out, { recursive: true });
  const second = start();
  await until('it is missed', () => failures.length > 0);
  await second.stop();
  assert.equal(failures[0]?.code, 'store_lost');
  assert.equal(existsSync(join(out, manifestPath(1))), false);
});

test('an older copy that goes on while this node runs is found out at the next round, and nothing is shipped over it', async (t) => {
  const { failures, folder, journal, start, store } = stage(t);
  const happen = (): unknown => journal.audit({ event: 'something_happened' }, NOW_MS);
  const shipping = start();
  const atRest = async (): Promise<boolean> => (await shipping.status()).waiting.audit === 0;
  await until('shipped', async () => (await shipping.status()).manifests > 0 && (await atRest()));
  const at = copyJournal(folder, temporaryFolder(t), 'copy');
  happen();
  await until('shipped too', atRest);
  const copy = openJournal(at);
  t.after(() => copy.close());
  const source = wormSource(at, copy);
  copy.audit({ event: 'something_else_happened' }, NOW_MS);
  const found = await find(store, source);
  assert.equal(found.kind, 'restored');
  await ship(store, source, found.place);
  const { manifests } = await readBack(store, 0, 1);
  happen();
  await until('told', () => failures.some(({ code }) => code === 'store_forked'));
  assert.equal(failures[0]?.code, 'store_conflict', 'at once');
  await shipping.stop();
  const report = await readBack(store, 0, 1);
  assert.deepEqual([report.problems, report.manifests], [[], manifests]);
});
