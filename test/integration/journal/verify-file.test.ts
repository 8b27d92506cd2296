/**
 * The auditor's check: a journal file and anchors, nothing else. Each attack is done on real files by somebody who has
 * the file, takes every guard off and, where it says so, has the log key too.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type Database from 'better-sqlite3';
import { encodeEntry } from '../../../src/core/entry.ts';
import { parseJson } from '../../../src/core/json.ts';
import { checkpointPayload } from '../../../src/core/reference/checkpoint.ts';
import { type LogLine, nextLogLine } from '../../../src/core/reference/local-log.ts';
import { prepareAppend } from '../../../src/journal/appended.ts';
import { entryOf } from '../../../src/journal/entry-row.ts';
import { JOURNAL_FILE } from '../../../src/journal/files.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { locatorSums } from '../../../src/journal/locator.ts';
import { edgeId, tileId } from '../../../src/journal/stored-tiles.ts';
import type { EntryRow } from '../../../src/journal/tables-logs.ts';
import type { AnchorReceipt } from '../../../src/merkle/anchor-receipt.ts';
import { signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { entryLeafHash } from '../../../src/merkle/commitment.ts';
import { appendSignature } from '../../../src/merkle/cosignature.ts';
import { createAnchorSigner } from '../../../src/merkle/ecdsa.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_ECDSA, ALG_ED25519, parseNote } from '../../../src/merkle/note.ts';
import { TreeBuilder } from '../../../src/merkle/tree-builder.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { type CliFixture, createCliFixture } from '../../support/cli-fixture.ts';
import {
  appendOwn,
  IDENTITY,
  LOG_KEY,
  LOG_SEED,
  newJournal,
  openJournal,
  openRaw,
} from '../../support/journal-fixture.ts';
import { SmallRekor } from '../../support/small-rekor.ts';
import { copyJournal, tamper } from '../../support/tampering.ts';

const VKEY = formatVerifierKey({ name: IDENTITY.journalOrigin, algorithm: ALG_ED25519, publicKey: LOG_KEY });
/** Entries at which the journal of these tests was anchored. */
const ANCHORED = [100, 300, 520];

let cli: CliFixture;
let origin: string;
let old: string;
let anchors: string;
let work: string;

before(async () => {
  cli = await createCliFixture();
  work = mkdtempSync(join(tmpdir(), 'peerd-verify-'));
  origin = join(work, 'origin');
  mkdirSync(origin);
  const journal = newJournal(origin);
  const lines: string[] = [];
  let line: LogLine | null = null;
  for (const size of ANCHORED) {
    appendOwn(journal, size - journal.size);
    line = anchor(journal, line, lines);
    if (size === 300) old = copyJournal(origin, work, 'yesterday');
  }
  appendOwn(journal, 30);
  journal.close();
  anchors = join(work, 'anchors.jsonl');
  writeFileSync(anchors, lines.join(''));
});
after(async () => {
  await cli.close();
  rmSync(work, { recursive: true, force: true });
});

/** One line of a local log, with the note of the same tree size. */
function anchor(journal: Journal, previous: LogLine | null, lines: string[]): LogLine {
  const head = journal.head(0);
  const payload = checkpointPayload({
    tenant_id: 'default',
    chain_seq: head.size,
    chain_hash: head.chainHash ?? '',
    created_at: '2026-11-24T00:00:00.000000+00:00',
  });
  const parsed = parseJson(payload);
  assert.ok(parsed.ok);
  const line = nextLogLine(previous, parsed.value, 1_764_000_000);
  lines.push(line.text.replace(/\}\n$/, `,"note":${JSON.stringify(head.checkpoint)}}\n`));
  return line;
}

interface Found {
  readonly code: string;
  readonly row: number | string;
  readonly field: string | null;
  readonly detail: string;
}

async function verify(
  folder: string,
  ...more: string[]
): Promise<{ exit: number; problems: readonly Found[]; notices: string[] }> {
  const file = join(folder, JOURNAL_FILE);
  const ran = await cli.runBare(['verify', file, '--anchors', anchors, '--log-key', VKEY, '--json', ...more]);
  const report = ran.json();
  assert.ok(report.problems !== undefined, ran.stdout + ran.stderr);
  return {
    exit: ran.code,
    problems: report.problems,
    notices: report.notices.map((one: { code: string }) => one.code),
  };
}

let copies = 0;
function attacked(attack: (db: Database.Database) => void, from = origin): string {
  const folder = copyJournal(from, work, `copy-${++copies}`);
  rmSync(join(folder, 'signed-heads.json'));
  tamper(folder, attack);
  return folder;
}

test('a journal that is what it was: clean, with what no anchor covers told', async () => {
  const found = await verify(origin);
  assert.deepEqual(
    [found.exit, found.problems, found.notices],
    [0, [], ['projection_behind', 'recall_index_behind', 'rows_behind_anchor']],
  );
});

const EDITS: readonly [string, string, number, string][] = [
  ['a value is edited', "UPDATE entries SET value_v = 'forged' WHERE chain_seq = 250", 250, 'value_v'],
  [
    'interpret_as is flipped',
    "UPDATE entries SET interpret_as = 'instruction' WHERE chain_seq = 77",
    77,
    'interpret_as',
  ],
  ['a row is deleted', 'DELETE FROM entries WHERE chain_seq = 123', 123, 'chain_seq'],
];
for (const [what, sql, row, field] of EDITS) {
  test(`${what}: entry and field are named`, async () => {
    const { exit, problems } = await verify(attacked((db) => db.exec(sql)));
    assert.equal(exit, 4);
    assert.deepEqual([problems[0]?.row, problems[0]?.field], [row, field]);
  });
}

test('two rows change places: both are named', async () => {
  const folder = attacked((db) =>
    db.exec(`UPDATE entries SET chain_seq = -1 WHERE chain_seq = 40; UPDATE entries SET chain_seq = 40 WHERE chain_seq = 41;
      UPDATE entries SET chain_seq = 41 WHERE chain_seq = -1`),
  );
  const { exit, problems } = await verify(folder);
  assert.equal(exit, 4);
  assert.ok([40, 41].every((row) => problems.some((one) => one.row === row)));
});

test('the tail is cut off and every trace of it in the file with it: the anchor beyond the end says so', async () => {
  const folder = attacked((db) =>
    db.exec(`DELETE FROM entries WHERE chain_seq > 300; DELETE FROM checkpoints WHERE tree_size > 300;
      DELETE FROM tiles WHERE tile_id % 1099511627776 >= 1; DELETE FROM lookup; DELETE FROM tile_edges; DELETE FROM state`),
  );
  const { exit, problems } = await verify(folder);
  assert.equal(exit, 4);
  const cut = problems.find(({ code }) => code === 'truncated');
  assert.match(cut?.detail ?? '', /anchors\.jsonl line 3 anchors 520 rows, the journal ends at row 300/);
  assert.equal(cut?.row, 301);
});

test('yesterday’s copy: clean by itself, found by the newest anchor', async () => {
  const { exit, problems } = await verify(old);
  assert.equal(exit, 4);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['truncated'],
  );
});

test('rebuilt from yesterday’s copy with the log key: rows, tree and checkpoints agree, the anchor does not', async () => {
  const folder = copyJournal(old, work, 'fork');
  const journal = openJournal(folder);
  appendOwn(journal, 260);
  journal.head(0);
  journal.close();
  const { exit, problems } = await verify(folder);
  assert.equal(exit, 4);
  assert.deepEqual(
    problems.map(({ code, row }) => [code, row]),
    [['anchor_contradicted', 520]],
  );
  assert.match(
    problems[0]?.detail ?? '',
    /line 3 anchors chain hash .* rows 301 to 520 are not those that were anchored/,
  );
});

test('salts made anew with the log key: the chain agrees with the anchors, the tree does not', async () => {
  const folder = attacked((db) => {
    const tree = new TreeBuilder();
    const update = db.prepare('UPDATE entries SET salt = ?, leaf_hash = ?, sum1 = ?, sum2 = ? WHERE chain_seq = ?');
    db.exec('DELETE FROM tiles; DELETE FROM checkpoints; DELETE FROM tile_edges');
    const insert = db.prepare('INSERT INTO tiles (tile_id, hashes) VALUES (?, ?)');
    const edge = db.prepare('INSERT INTO tile_edges (tile_id, hashes) VALUES (?, ?)');
    for (const row of db.prepare<[], EntryRow>('SELECT * FROM entries ORDER BY chain_seq').all()) {
      const salt = row.chain_seq < 310 ? row.salt : createHash('sha256').update(`${row.chain_seq}`).digest();
      const leaf = entryLeafHash(salt, encodeEntry(entryOf(row)));
      const { sum1, sum2 } = locatorSums('entries', { ...row, salt, leaf_hash: leaf });
      update.run(salt, leaf, sum1, sum2, row.chain_seq);
      for (const { level, index, bytes } of tree.append(leaf)) insert.run(tileId('journal', level, index), bytes);
    }
    for (const { level, bytes } of tree.partialTiles()) if (level > 0) edge.run(edgeId('journal', level), bytes);
    const root = tree.root();
    const note = signCheckpoint(
      IDENTITY.journalOrigin,
      tree.size,
      root,
      createLogSigner(IDENTITY.journalOrigin, LOG_SEED),
    );
    prepareAppend(db, 'checkpoints')({ log: 1, tree_size: tree.size, root, note });
  });
  const { exit, problems } = await verify(folder);
  assert.equal(exit, 4);
  assert.deepEqual(
    problems.map(({ code, row, field }) => [code, row, field]),
    [['anchor_contradicted', 301, 'leaf_hash']],
  );
  assert.match(problems[0]?.detail ?? '', /line 3 anchors root .* rows 301 to 520 are not those/);
});

test('a line of the anchors that was changed, taken out or signed by another key is named', async () => {
  const lines = readFileSync(anchors, 'utf8').split('\n').filter(Boolean);
  const check = async (name: string, text: string, detail: RegExp) => {
    const file = join(work, name);
    writeFileSync(file, `${text}\n`);
    const ran = await cli.runBare([
      'verify',
      join(origin, JOURNAL_FILE),
      '--anchors',
      file,
      '--log-key',
      VKEY,
      '--json',
    ]);
    assert.equal(ran.code, 4, name);
    assert.match(JSON.stringify(ran.json().problems), detail, name);
  };
  const [first = '', second = '', third = ''] = lines;
  await check(
    'changed.jsonl',
    [first.replace(/("covered_chain_seq": ?)100/, '$1101'), second].join('\n'),
    /line 1.*the line was changed/,
  );
  await check('short.jsonl', [first, third].join('\n'), /line 2.*a line was taken out, added or moved/);
  await check('junk.jsonl', `${first}\n{"nothing":1}`, /line 2.*expected payload/);
  const other = formatVerifierKey({
    name: IDENTITY.journalOrigin,
    algorithm: ALG_ED25519,
    publicKey: Buffer.alloc(32, 9),
  });
  const ran = await cli.runBare([
    'verify',
    join(origin, JOURNAL_FILE),
    '--anchors',
    anchors,
    '--log-key',
    other,
    '--json',
  ]);
  assert.ok(ran.json().problems.some((one: Found) => one.code === 'checkpoint_signature_invalid'));
});

test('anchors of another journal are not taken for this one’s', async () => {
  const file = join(work, 'other.checkpoint');
  writeFileSync(
    file,
    'acme.example/journal/0000000000000001\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— a AAAAAAAA\n',
  );
  const ran = await cli.runBare(['verify', join(origin, JOURNAL_FILE), '--anchors', file, '--json']);
  assert.equal(ran.code, 4);
  assert.equal(ran.json().problems[0].code, 'anchor_of_other_log');
});

test('without guards, key or configuration, from a folder that cannot be written to', async () => {
  const folder = join(work, 'readonly');
  mkdirSync(folder);
  const db = openRaw(origin);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  copyFileSync(join(origin, JOURNAL_FILE), join(folder, JOURNAL_FILE));
  chmodSync(join(folder, JOURNAL_FILE), 0o444);
  chmodSync(folder, 0o555);
  chmodSync(work, 0o755);
  const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
  const args = [main, 'verify', join(folder, JOURNAL_FILE), '--json'];
  // Root may write anywhere; nobody may not.
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const ran = spawnSync(process.execPath, args, { ...user, encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(JSON.parse(ran.stdout).checked.entries, 550);
  assert.deepEqual(readdirSync(folder), [JOURNAL_FILE], 'nothing is left beside it');
  chmodSync(folder, 0o755);
});

test('what is no journal is said to be none', async () => {
  const missing = await cli.runBare(['verify', join(work, 'none.db')]);
  assert.equal(missing.code, 3);
  const file = join(work, 'text.db');
  writeFileSync(file, 'no database '.repeat(100));
  assert.equal((await cli.runBare(['verify', file])).code, 4);
  const bad = await cli.runBare(['verify', join(origin, JOURNAL_FILE), '--log-key', 'nonsense']);
  assert.equal(bad.code, 2);
});

test('receipts of transparency logs are verified by the trust root, and without one said to be compared only', async () => {
  const signer = createAnchorSigner(IDENTITY.journalOrigin, Buffer.alloc(32, 5));
  const { name, publicKey, keyId } = signer;
  const [line = ''] = readFileSync(anchors, 'utf8').split('\n');
  const { note } = JSON.parse(line) as { note: string };
  const parsed = parseNote(note);
  assert.ok(parsed.ok);
  const signature = Buffer.from(signer.sign(Buffer.from(parsed.value.text)));
  const anchored = appendSignature(note, { name, keyId, signature });
  const write = (file: string, receipt: AnchorReceipt): string => {
    writeFileSync(join(work, file), `${JSON.stringify(receipt)}\n`);
    return join(work, file);
  };
  const run = async (file: string, ...more: readonly string[]) => {
    const journal = join(origin, JOURNAL_FILE);
    const ran = await cli.runBare(['verify', journal, '--anchors', file, '--log-key', VKEY, '--json', ...more]);
    return { exit: ran.code, report: ran.json(), stderr: ran.stderr };
  };
  const anchorKey = ['--anchor-key', formatVerifierKey({ name, algorithm: ALG_ECDSA, publicKey })];
  for (const version of [1, 2] as const) {
    const [log, other] = [new SmallRekor(version), new SmallRekor(version)];
    const rootFile = join(work, `root-${version}.json`);
    writeFileSync(rootFile, log.trustRoot);
    const trust = ['--trust-root', rootFile, ...anchorKey];
    const good = write(`good-${version}.json`, log.receipt(anchored, publicKey));

    const verified = await run(good, ...trust);
    assert.deepEqual([verified.exit, verified.report.checked.verified_receipts], [0, 1], JSON.stringify(verified));
    assert.ok(!JSON.stringify(verified.report.notices).includes('receipts_not_verified'));
    const compared = await run(good);
    assert.deepEqual([compared.exit, compared.report.checked.verified_receipts], [0, 0]);
    assert.match(
      JSON.stringify(compared.report.notices),
      /1 receipt was compared, not verified: give --trust-root and --anchor-key/,
    );
    const invented = await run(write(`invented-${version}.json`, other.receipt(anchored, publicKey)), ...trust);
    assert.deepEqual(
      [invented.exit, invented.report.problems.map(({ code }: Found) => code)],
      [4, ['anchor_receipt_invalid']],
    );
    const half = await run(good, '--trust-root', rootFile);
    assert.deepEqual([half.exit, /go together/.test(half.stderr)], [2, true]);
  }
  const junk = await run(write('junk.json', { backend: 'rekor', checkpoint: anchored } as AnchorReceipt));
  assert.match(JSON.stringify(junk.report.problems), /expected an anchor receipt/);
});
