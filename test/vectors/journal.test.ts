import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { chainHash, eventHash, verifyChain } from '../../src/core/chain.ts';
import { cidBody, cidOfText, computeCid } from '../../src/core/cid.ts';
import { decodeEntry, type Entry, encodeEntry } from '../../src/core/entry.ts';
import { authorityOf } from '../../src/core/node-id.ts';
import { feedOf, isFeed, receivedFeed } from '../../src/core/scope.ts';

interface JournalEntry {
  feed: string | null;
  cid_body: string;
  bytes: string;
}
const journal = JSON.parse(readFileSync(new URL('./journal.json', import.meta.url), 'utf8')) as {
  entries: JournalEntry[];
};

function decoded(one: JournalEntry): Entry {
  const result = decodeEntry(Buffer.from(one.bytes));
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

test('journal: every entry decodes to what its JSON says and encodes to the same bytes', () => {
  assert.equal(journal.entries.length, 300);
  for (const one of journal.entries) {
    const entry = decoded(one);
    assert.deepEqual(entry, JSON.parse(one.bytes));
    assert.equal(encodeEntry(entry), one.bytes);
  }
});

test('journal: CID bodies, CIDs and event hashes', () => {
  for (const one of journal.entries) {
    const entry = decoded(one);
    const body = { ...entry, confidence: Number(entry.confidence) };
    assert.equal(cidBody(body), one.cid_body);
    assert.equal(computeCid(body), entry.cid);
    assert.equal(cidOfText(entry.confidence, entry), entry.cid);
    assert.equal(eventHash(body), entry.event_hash);
    assert.equal(chainHash(entry), entry.chain_hash);
  }
});

test('journal: the entries form one chain', () => {
  const rows = journal.entries.map((one) => {
    const entry = decoded(one);
    return { ...entry, fact: { ...entry, confidence: Number(entry.confidence) } };
  });
  const report = verifyChain(rows);
  assert.equal(report.valid, true);
  assert.equal(report.checked_entries, rows.length);
});

test('journal: each entry is in the feed of its scope, garden or origin, numbered without holes', () => {
  const lengths = new Map<string, number>();
  for (const one of journal.entries) {
    const entry = decoded(one);
    const feed =
      entry.origin === null ? feedOf(entry) : receivedFeed(authorityOf(entry.origin.node_id) ?? '', entry.scope);
    assert.ok(feed.ok && isFeed(feed.value));
    // Local facts are numbered too, but the vectors name no feed for what never leaves.
    if (entry.scope !== 'local') assert.equal(feed.value, one.feed);
    if (one.feed === null) continue;
    const next = (lengths.get(feed.value) ?? 0) + 1;
    assert.equal(entry.feed_seq, next);
    lengths.set(feed.value, next);
  }
});
