/** A WORM store, a snapshot and a relay's page as the product makes them, and what somebody may do to them. */
import { appendFileSync, chmodSync, cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredEntry } from '../../../src/drill/peer-log.ts';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import { checkSnapshot, logSignerOf, makeSnapshot } from '../../../src/node/snapshots.ts';
import type { SignedPageFrames } from '../../../src/wire/page.ts';
import { manifestPath } from '../../../src/wire/worm-manifest.ts';
import { FolderStore } from '../../../src/worm/folder-store.ts';
import { createFolder, openFolderApi } from '../../support/data-folder.ts';
import {
  appendOwn,
  fillJournal,
  IDENTITY,
  LOG_KEY,
  newJournal,
  temporaryFolder,
} from '../../support/journal-fixture.ts';
import { judge } from '../../support/judging.ts';
import { filesBelow } from '../../support/published.ts';
import { RelayLog } from '../../support/relay-log.ts';
import { readBack, ship, wormSource } from '../../support/worm-source.ts';

interface Test {
  after(clean: () => void | Promise<void>): void;
}

export type StoreCase = Readonly<Record<string, unknown>> & { readonly folder: string };
/** What is done to a copy; each has to be found. */
type Harm = readonly [name: string, harm: (folder: string) => void];

/** A store of two rounds. */
export async function wormFolder(t: Test): Promise<{ readonly folder: string; readonly harms: readonly Harm[] }> {
  const [data, folder] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(data);
  fillJournal(journal, 120);
  const [store, source] = [new FolderStore(folder, async () => {}), wormSource(data, journal)];
  const first = await ship(store, source);
  appendOwn(journal, 5);
  await ship(store, source, first.place);
  journal.close();
  const segment = (stream: string): string =>
    [...filesBelow(folder).keys()].find((path) => path.startsWith(`${stream}/`)) ?? '';
  const harms: readonly Harm[] = [
    ['the last manifest is gone', (copy) => rmSync(join(copy, manifestPath(2)))],
    ['the first manifest is gone', (copy) => rmSync(join(copy, manifestPath(1)))],
    ['manifests change places', (copy) => swap(join(copy, manifestPath(1)), join(copy, manifestPath(2)))],
    ['a manifest says another number', (copy) => replaceIn(join(copy, manifestPath(2)), '"number":2', '"number":3')],
    ...['journal', 'audit', 'anchors', 'receipts'].flatMap((stream): Harm[] => [
      [`${stream}: a record is changed`, (copy) => replaceIn(join(copy, segment(stream)), '"seq":1', '"seq":2')],
      [`${stream}: a line more`, (copy) => append(join(copy, segment(stream)), '{}\n')],
      [`${stream}: the segment is gone`, (copy) => rmSync(join(copy, segment(stream)))],
    ]),
  ];
  return { folder, harms };
}

export function wormCase(folder: string): StoreCase {
  const { journalOrigin: origin, auditOrigin: audit } = IDENTITY;
  return { kind: 'worm', folder, origin, audit, keys: [encodeBase64(LOG_KEY)], at_least: 2 };
}

export async function isWormSound(folder: string): Promise<boolean> {
  return (await readBack(new FolderStore(folder, async () => {}), 2)).ok;
}

/** A snapshot of a node with some facts, restored and checked. */
export async function snapshotFolder(t: Test): Promise<StoreCase> {
  const folder = await createFolder('example');
  t.after(() => folder.remove());
  const api = await openFolderApi(folder);
  const facts = Array.from({ length: 20 }, (_, i) => ({
    entity: `${folder.nodeId}/service/s${i}`,
    relation: 'memory:status',
    value: { type: 'text', v: `state ${i}` },
    source: `${folder.nodeId}/agent/a1`,
    scope: 'public',
  }));
  await api.send('/v1/facts', { as: 'full', method: 'POST', body: { facts } });
  await api.base.writer.head();
  await api.close();
  const run = { nowMs: Date.now, signal: new AbortController().signal };
  const directory = temporaryFolder(t);
  const { path } = await makeSnapshot(folder.dir, directory, false, run);
  const { proof } = await checkSnapshot(folder.dir, path, directory, run);
  if (proof === null) throw new Error('the snapshot is not proven');
  const { name: origin, publicKey } = logSignerOf(folder.dir);
  return { kind: 'snapshot', folder: path, origin, keys: [encodeBase64(publicKey)] };
}

export const SNAPSHOT_HARMS: readonly Harm[] = [
  ['a file is changed', (copy) => append(join(copy, 'journal.db'), 'x')],
  ['a file is gone', (copy) => rmSync(join(copy, 'journal.db'))],
  ['the manifest says another size', (copy) => replaceIn(join(copy, 'snapshot.note'), '"size":20', '"size":21')],
  [
    'the proof is of another snapshot',
    (copy) => replaceIn(join(copy, 'verified.note'), '"journal_size":20', '"journal_size":19'),
  ],
];

/** Under another name beside it, each harm to a copy of its own. */
export function harmed(folder: string, harms: readonly Harm[]): readonly string[] {
  return harms.map(([, harm], i) => {
    const copy = `${folder}-${i}`;
    cpSync(folder, copy, { recursive: true });
    harm(copy);
    return copy;
  });
}

function writable(path: string): void {
  chmodSync(path, 0o600);
}

function append(path: string, text: string): void {
  writable(path);
  appendFileSync(path, text);
}

function replaceIn(path: string, from: string, to: string): void {
  writable(path);
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  writeFileSync(path, text.replace(from, to));
}

function swap(one: string, other: string): void {
  renameSync(one, `${one}.tmp`);
  renameSync(other, one);
  renameSync(`${one}.tmp`, other);
}

/** Pages of a relay: true ones, with entries withheld, and with what an origin never said. What ours makes of each place. */
export function relayedCases(): readonly { readonly case: object; readonly here: readonly string[] }[] {
  const log = new RelayLog();
  log.pass(log.origin.append(), { value_v: 'another word' });
  log.relay.append({ feed: log.feed });
  // A line that nobody can read says nothing of its place with the origin, and takes its batch with it.
  const garbled = new RelayLog();
  garbled.pass(garbled.origin.append(), {}, { bytes: (text) => `${text} ` });
  const sizeOf = (place: number): number => (place === 5 ? garbled.origin.size : 5);
  return [
    relayedCase(log, log.page()),
    relayedCase(log, log.page({ after: 1, count: 3 }), 1),
    relayedCase(log, withheld(log)),
    relayedCase(
      log,
      log.page({}, (origins) => ({ ...origins, batches: [] })),
    ),
    relayedCase(garbled, garbled.page()),
    relayedCase(
      garbled,
      garbled.page({}, () => garbled.origins(garbled.relay.entries, sizeOf)),
    ),
  ];
}

function relayedCase(log: RelayLog, frames: SignedPageFrames, after = 0): { case: object; here: readonly string[] } {
  const frame = (one: Uint8Array | null): string | null => one && encodeBase64(one);
  const [relay, from] = [log.relay, log.origin].map(({ nodeId, origin, signer }) => [
    nodeId,
    origin,
    encodeBase64(signer.publicKey),
  ]);
  const shown = [frames.header, frames.entries, frames.proof, frames.note].map(frame);
  return { case: { kind: 'relayed', frames: shown, relay, from }, here: placesHere(log, frames, after) };
}

function withheld(log: RelayLog): SignedPageFrames {
  const without = (entry: StoredEntry, place: number): StoredEntry =>
    place === 0 ? { ...entry, salt: entry.leaf, bytes: Buffer.alloc(0) } : entry;
  return log.page(
    {},
    (origins) => {
      const [batch] = log.origins(log.relay.entries.slice(1)).batches;
      const batches = batch === undefined ? [] : [{ ...batch, places: batch.places.map((place) => place + 1) }];
      return { ...origins, batches, entries: origins.entries.with(0, null) };
    },
    { content: (page) => ({ ...page, entries: (page.entries as readonly StoredEntry[]).map(without) }) },
  );
}

function placesHere(log: RelayLog, frames: SignedPageFrames, after: number): readonly string[] {
  const verdict = judge(frames, log.context({ after }));
  if (verdict.kind !== 'verified') return [verdict.kind];
  const { batch } = verdict;
  const said = Array.from({ length: batch.to - batch.after }, () => 'withheld');
  for (const { index } of batch.accepted) said[index - after] = 'taken';
  for (const { position, reason } of batch.refused)
    said[position] = reason.startsWith('entry_') ? 'unreadable' : reason;
  return said;
}
