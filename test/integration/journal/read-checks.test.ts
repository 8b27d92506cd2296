/** Any change of any column of a fact is found when it is read: by id, by query, in a page for a peer, in a proof. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { CorruptRowError, EntryReader } from '../../../src/journal/entry-reader.ts';
import { FactProver } from '../../../src/journal/fact-prover.ts';
import type { EntryRow } from '../../../src/journal/tables-logs.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { FactReader } from '../../../src/projections/fact-reader.ts';
import { fillJournal, IDENTITY, LOG_SEED, NOW_MS, newJournal, openRaw } from '../../support/journal-fixture.ts';
import { changeColumn, copyJournal, storedColumns, tamper } from '../../support/tampering.ts';

let origin: string;
let rows: readonly number[];
before(() => {
  origin = mkdtempSync(join(tmpdir(), 'peerd-read-'));
  const journal = newJournal(origin);
  fillJournal(journal, 300, 5);
  // Under a full tile and above it, asserted here and received.
  rows = [1, 160, journal.size];
  journal.close();
});
after(() => rmSync(origin, { recursive: true, force: true }));

/** Diagnosis, and the key under which a row is found: fsck tells of those. */
const NOT_FACTS = new Set(['sum1', 'sum2', 'chain_seq']);
const IN_CID = new Set(['entity', 'relation', 'value_type', 'value_v', 'source', 'scope', 'confidence', 'cid']);

test('every column, by id, by query and in a page', () => {
  const base = mkdtempSync(join(tmpdir(), 'peerd-read-copy-'));
  const folder = copyJournal(origin, base, 'copy');
  const signer = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);
  const head = { size: rows[2] as number, note: '', chainHash: null };
  for (const seq of rows) {
    for (const column of storedColumns(openRaw(folder), 'entries')) {
      if (NOT_FACTS.has(column.name)) continue;
      const db = openRaw(folder);
      const row = db.prepare<[number], EntryRow>('SELECT * FROM entries WHERE chain_seq = ?').get(seq) as EntryRow;
      tamper(folder, (raw) => changeColumn(raw, 'entries', 'chain_seq', seq, column));
      const entries = new EntryReader(db, signer);
      const facts = new FactReader(db, entries);
      const prover = new FactProver(db);
      const id = column.name === 'fact_id' ? `x${row.fact_id.slice(1)}` : row.fact_id;
      const found = facts.byId(id);
      assert.equal(found.kind, 'corrupt', `${seq} ${column.name}`);
      if (found.kind === 'corrupt') {
        assert.equal(found.corrupt.difference.field, column.name, `${seq}`);
        assert.equal(found.corrupt.code, IN_CID.has(column.name) ? 'cid_mismatch' : 'leaf_mismatch', column.name);
      }
      const inRange = { after: row.feed_seq - 1, treeSize: rows[2] as number, maxEntries: 1, maxBytes: 1e6 };
      const feed = db.prepare<[number], string>('SELECT name FROM feeds WHERE feed_id = ?').pluck().get(row.feed_id);
      if (column.name !== 'feed_id' && column.name !== 'feed_seq') {
        assert.throws(() => entries.feedRange({ ...inRange, feed: feed as string }), CorruptRowError, column.name);
      }
      assert.equal(
        prover.prove({ factIds: [id], erased: [], head, declaration: 'd', withChain: false }).kind,
        'corrupt',
        column.name,
      );
      if (seq === rows[2]) {
        const page = facts.query({ limit: 5, nowIso: new Date(NOW_MS).toISOString(), includeContradicted: true });
        assert.equal(page.kind, 'corrupt', column.name);
      }
      tamper(folder, (raw) =>
        raw
          .prepare(`UPDATE entries SET ${column.name} = ? WHERE chain_seq = ?`)
          .run(row[column.name as keyof EntryRow], seq),
      );
      assert.equal(facts.byId(row.fact_id).kind, 'found', `${column.name} is back`);
      db.close();
    }
  }
  rmSync(base, { recursive: true, force: true });
});

test('a fact that was moved into another feed is not served there', () => {
  const base = mkdtempSync(join(tmpdir(), 'peerd-read-copy-'));
  const folder = copyJournal(origin, base, 'copy');
  const signer = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);
  tamper(folder, (raw) => {
    // The local fact takes the place of the first public one.
    const local = raw.prepare<[], number>("SELECT chain_seq FROM entries WHERE scope = 'local'").pluck().get();
    raw.exec(`UPDATE entries SET feed_id = 99 WHERE chain_seq = 1;
      UPDATE entries SET feed_id = 1, feed_seq = 1 WHERE chain_seq = ${local}`);
  });
  const db = openRaw(folder);
  const request = { feed: 'public', after: 0, treeSize: 300, maxEntries: 5, maxBytes: 1e6 };
  const range = { ...request, treeSize: rows[2] as number };
  assert.throws(() => new EntryReader(db, signer).feedRange(range), CorruptRowError);
  db.close();
  rmSync(base, { recursive: true, force: true });
});

test('a changed audit record says so when it is read', () => {
  const base = mkdtempSync(join(tmpdir(), 'peerd-read-copy-'));
  const folder = copyJournal(origin, base, 'copy');
  const first = openRaw(folder);
  const seq = Number(first.prepare(`SELECT min(seq) FROM audit WHERE body ->> 'evidence' IS NOT NULL`).pluck().get());
  first.close();
  const changes = [
    `UPDATE audit SET body = replace(body, '"v":1}', '"v":2}') WHERE seq = ${seq}`,
    `UPDATE audit SET salt = zeroblob(32) WHERE seq = ${seq}`,
    `UPDATE audit SET salt = zeroblob(5) WHERE seq = ${seq}`,
    `UPDATE audit SET leaf_hash = zeroblob(32) WHERE seq = ${seq}`,
    'UPDATE evidence SET body = zeroblob(5)',
  ];
  for (const sql of changes) {
    tamper(folder, (raw) =>
      raw.exec(`CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE proof AS SELECT * FROM evidence; ${sql}`),
    );
    const db = openRaw(folder);
    assert.equal(new AuditReader(db).detail(seq)?.intact, false, sql);
    db.close();
    tamper(folder, (raw) =>
      raw.exec(`UPDATE audit SET body = k.body, salt = k.salt, leaf_hash = k.leaf_hash FROM kept k WHERE k.seq = audit.seq;
        UPDATE evidence SET body = p.body FROM proof p WHERE p.evidence_id = evidence.evidence_id; DROP TABLE kept; DROP TABLE proof`),
    );
    const whole = openRaw(folder);
    assert.equal(new AuditReader(whole).detail(seq)?.intact, true);
    whole.close();
  }
  rmSync(base, { recursive: true, force: true });
});
