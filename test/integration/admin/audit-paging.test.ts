/** 10,000 audit records in a real folder: read to the last one, each once, in every form, while new ones arrive. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AuditEntry } from '../../../src/admin/api/audit-entry.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { readSeedFile } from '../../../src/config/secret-file.ts';
import { Journal } from '../../../src/journal/journal.ts';
import type { AuditInput } from '../../../src/journal/read-model.ts';
import { createFolder, type DataFolder, type FolderApi, openFolderApi } from '../../support/data-folder.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { pullPage } from '../../support/journal-fixture.ts';

const RECORDS = 10_000;
const REFUSED = 1_200;
const FEDERATE = { as: 'federate' } as const;

let folder: DataFolder;
let api: FolderApi;

before(async () => {
  folder = await createFolder('globex.example');
  const seed = readSeedFile(dataPaths(folder.dir).logKey, 'log');
  assert.ok(seed.ok);
  fill(folder.dir, seed.value);
  api = await openFolderApi(folder);
});
after(async () => {
  await api.close();
  folder.remove();
});

/** As they are written one by one: a flood of them would be summarized. */
const REFUSALS = [
  { event: 'scope_violation', reason: 'source_not_owned', peer: 'stigmem://acme.example', feed: 'public' },
  { event: 'scope_violation', reason: 'source_not_owned', peer: 'stigmem://initech.example', feed: 'company' },
];

/** Refusals of two peers in two feeds, and records of other kinds between them. */
function fill(dir: string, logSeed: Uint8Array): void {
  const journal = Journal.open(dir, { logSeed, cacheMiB: 8, random: (bytes) => crypto.getRandomValues(bytes) });
  const peers = ['acme.example', 'initech.example'].map((authority, i) =>
    new HonestPeer({ authority, journal: `00000000000000a${i}` }).appendMany(REFUSED / 2, (n) => ({
      source: 'stigmem://hooli.example/agent/stolen',
      scope: n % 3 === 0 ? 'company' : 'public',
    })),
  );
  for (const peer of peers) {
    for (const feed of ['public', 'company']) {
      while (journal.peers.cursor(peer.nodeId, feed) < peer.feedLength(feed)) pullPage(journal, peer, 500, { feed });
    }
  }
  // Only these records: waiting for the disk at each of them would take most of the test's time.
  journal.db.pragma('synchronous = OFF');
  while (journal.auditSize < RECORDS) {
    const n = journal.auditSize;
    const event = n % 5 === 0 ? 'peer_changed' : 'connection_refused';
    const detail = { n };
    if (n % 8 === 0) journal.audit({ ...REFUSALS[(n / 8) % 2], detail } as AuditInput, Date.now());
    journal.audit({ event, reason: n % 2 === 0 ? 'even' : null, peer: 'stigmem://acme.example', detail }, Date.now());
  }
  journal.close();
}

/** Appends records until told to stop: the log grows under the reader. */
function growing(): { readonly stop: () => Promise<number> } {
  let stopped = false;
  let written = 0;
  const work = (async () => {
    while (!stopped) {
      const event = written % 2 === 0 ? 'peer_changed' : 'arrived';
      await api.audit({ event, peer: 'stigmem://acme.example', detail: { written: written++ } });
    }
  })();
  return {
    async stop() {
      stopped = true;
      await work;
      return written;
    },
  };
}

interface Page {
  readonly entries: readonly AuditEntry[];
  readonly cursor: string | null;
  readonly has_more: boolean;
}

async function page(query: string): Promise<Page> {
  const response = await api.send(`/v1/federation/audit?${query}`, FEDERATE);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Page;
}

/** Every page up to `has_more: false`. */
async function pageThrough(query: string): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  for (let cursor: string | null = null; ; ) {
    const next: Page = await page(cursor === null ? query : `${query}&cursor=${cursor}`);
    found.push(...next.entries);
    if (!next.has_more) return found;
    assert.notEqual(next.cursor, cursor, 'the cursor moves');
    cursor = next.cursor;
  }
}

async function exported(query = ''): Promise<AuditEntry[]> {
  const response = await api.send(`/v1/federation/audit?format=jsonl${query}`, FEDERATE);
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  const text = await response.text();
  assert.ok(text.endsWith('\n'));
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEntry);
}

function sequences(entries: readonly AuditEntry[]): number[] {
  return entries.map(({ seq }) => seq);
}

function range(from: number, to: number): number[] {
  const step = from <= to ? 1 : -1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => from + i * step);
}

test('oldest first: every record that there was, and every one that came, once', async () => {
  const arriving = growing();
  const found = sequences(await pageThrough('order=asc&limit=97'));
  const written = await arriving.stop();
  assert.ok(written > 0 && found.length >= RECORDS, `${found.length} found, ${written} arrived`);
  assert.deepEqual(found, range(1, found.length));
});

test('newest first: from the newest at the first page down to 1, whatever arrives', async () => {
  const newest = (await page('limit=1')).entries[0]?.seq ?? 0;
  const arriving = growing();
  const found = sequences(await pageThrough('order=desc&limit=113'));
  assert.ok((await arriving.stop()) > 0);
  assert.ok((found[0] ?? 0) >= newest);
  assert.deepEqual(found, range(found[0] ?? 0, 1));
});

const FILTERS: readonly (readonly [string, (record: AuditEntry) => boolean])[] = [
  ['event_type=peer_changed', ({ event_type }) => event_type === 'peer_changed'],
  [
    'peer_id=stigmem://initech.example&feed=company',
    (r) => r.peer_id === 'stigmem://initech.example' && r.feed === 'company',
  ],
  [
    'reason=source_not_owned&feed=public&peer_id=stigmem://acme.example',
    (r) => r.reason === 'source_not_owned' && r.feed === 'public' && r.peer_id === 'stigmem://acme.example',
  ],
  ['reason=even&event_type=connection_refused', (r) => r.reason === 'even' && r.event_type === 'connection_refused'],
];

for (const order of ['asc', 'desc'] as const) {
  test(`filters, ${order}: all that match and nothing else, once, while matching ones arrive`, async () => {
    for (const [query, matches] of FILTERS) {
      const arriving = growing();
      const found = sequences(await pageThrough(`${query}&order=${order}&limit=71`));
      await arriving.stop();
      const newest = Math.max(...found);
      const expected = sequences((await exported()).filter(matches)).filter((seq) => seq <= newest);
      assert.ok(expected.length > 150, query);
      assert.deepEqual(found, order === 'asc' ? expected : expected.reverse(), query);
    }
  });
}

test('fact, CID and time select single records out of all', async () => {
  const all = await exported();
  const one = all.find(({ fact_id }) => fact_id !== null) as AuditEntry;
  assert.deepEqual(await pageThrough(`fact_id=${one.fact_id}`), [one]);
  assert.ok((await pageThrough(`cid=${one.cid}`)).some(({ seq }) => seq === one.seq));
  const last = all.at(-1) as AuditEntry;
  const since = await pageThrough(`since=${encodeURIComponent(last.ts)}&until=${encodeURIComponent(last.ts)}`);
  assert.deepEqual(since, all.filter(({ ts }) => ts === last.ts).reverse());
  // Beyond what microseconds in a double can say.
  assert.equal((await page('limit=1&until=9999-12-31T23:59:59.999999Z')).entries.length, 1);
  assert.equal((await page('limit=1&since=2281-01-01')).entries.length, 0);
});

test('the export gives every record, chained, also while new ones arrive', async () => {
  const arriving = growing();
  const all = await exported();
  await arriving.stop();
  assert.ok(all.length >= RECORDS);
  assert.deepEqual(sequences(all), range(1, all.length));
  assert.equal(all[0]?.previous_hash, null);
  assert.ok(all.slice(1).every(({ previous_hash }) => previous_hash?.startsWith('sha256:')));
  assert.equal(new Set(all.map(({ previous_hash }) => previous_hash)).size, all.length);
});

interface Event {
  readonly id: number;
  readonly record: AuditEntry;
}

/** Reads events of one connection until `enough`, then drops it. @returns what was read and the id to go on from */
async function listen(query: string, lastId: number, enough: (events: readonly Event[]) => boolean): Promise<Event[]> {
  const headers = { accept: 'text/event-stream', 'last-event-id': String(lastId) };
  const response = await api.send(`/v1/federation/audit?${query}`, { ...FEDERATE, headers });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const events: Event[] = [];
  let text = '';
  while (!enough(events)) {
    const { value, done } = await reader.read();
    assert.equal(done, false);
    text += Buffer.from(value as Uint8Array).toString('utf8');
    const pieces = text.split('\n\n');
    text = pieces.pop() ?? '';
    for (const piece of pieces) {
      const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(piece) ?? [];
      if (id !== undefined && data !== undefined)
        events.push({ id: Number(id), record: JSON.parse(data) as AuditEntry });
    }
  }
  await reader.cancel();
  return events;
}

test('events: a client that is cut off again and again goes on where it was, from the beginning into the present', async () => {
  const arriving = growing();
  const seen: Event[] = [];
  for (const chunk of [1, 499, 500, 3_000, 1, 2_000]) {
    seen.push(...(await listen('', seen.at(-1)?.id ?? 0, (events) => events.length >= chunk)));
  }
  // Into what has not happened yet when the connection opens.
  const newest = (await page('limit=1')).entries[0]?.seq ?? 0;
  seen.push(...(await listen('', seen.at(-1)?.id ?? 0, (events) => (events.at(-1)?.id ?? 0) > newest)));
  await arriving.stop();
  assert.ok(seen.length > RECORDS);
  assert.deepEqual(
    seen.map(({ id }) => id),
    range(1, seen.length),
  );
  assert.ok(seen.every(({ id, record }) => record.seq === id));
});

test('events under a filter: as the pages, in pieces', async () => {
  const arriving = growing();
  const query = 'event_type=peer_changed';
  const seen: number[] = [];
  const pieces = [100, 10, 200];
  for (const piece of pieces) {
    const events = await listen(query, seen.at(-1) ?? 0, (got) => got.length >= piece);
    seen.push(...events.map(({ id }) => id));
  }
  await arriving.stop();
  const all = sequences(await pageThrough(`${query}&order=asc&limit=500`));
  assert.deepEqual(seen, all.slice(0, seen.length));
});
