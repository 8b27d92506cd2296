/**
 * What one thread could do at best with the same facts: decode, all hashes, raw insert; no network, no checks against a
 * peer, no guards, no log of its own. Run as a process of its own: argv is the number of facts and a folder.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { chainHash, eventHashOfText } from '../src/core/chain.ts';
import { cidOfText } from '../src/core/cid.ts';
import { encodeEntry } from '../src/core/entry.ts';
import { uuidV7 } from '../src/core/ids.ts';
import { entryLeafHashInto } from '../src/merkle/commitment.ts';
import { TreeBuilder } from '../src/merkle/tree-builder.ts';
import { realFacts } from './real-facts.ts';

const PAGE = 1_000;
const WAL_CHECKPOINT_PAGES = 20_000;

const [count = '100000', folder = '.'] = process.argv.slice(2);
const lines = entryLines(Number(count));
const db = new Database(join(folder, 'limit.db'));
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.pragma('cache_size = -32768');
db.pragma(`wal_autocheckpoint = ${WAL_CHECKPOINT_PAGES}`);
db.exec(`CREATE TABLE f (seq INTEGER PRIMARY KEY, id TEXT, entity TEXT, relation TEXT, value_type TEXT, value_v TEXT,
  source TEXT, scope TEXT, confidence REAL, timestamp TEXT, hlc TEXT, cid BLOB, event_hash BLOB, previous_hash BLOB,
  chain_hash BLOB, created_at TEXT, salt BLOB, leaf BLOB) STRICT; CREATE INDEX f_id ON f (id);`);
const insert = db.prepare(`INSERT INTO f VALUES (${Array(18).fill('?').join(',')})`);
const tree = new TreeBuilder();
const salt = Buffer.alloc(32, 7);
const started = performance.now();
for (let at = 0; at < lines.length; at += PAGE) takePage(at);
const seconds = (performance.now() - started) / 1000;
db.close();
console.log(JSON.stringify({ facts: lines.length, seconds, factsPerSecond: lines.length / seconds }));

function takePage(at: number): void {
  db.exec('BEGIN IMMEDIATE');
  const page = lines.slice(at, at + PAGE);
  const leaves = Buffer.allocUnsafe(page.length * 32);
  page.forEach((line, i) => {
    const entry = JSON.parse(line.toString('utf8'));
    if (cidOfText(entry.confidence, entry) !== entry.cid) throw new Error('cid');
    if (eventHashOfText(entry.confidence, entry) !== entry.event_hash) throw new Error('event hash');
    if (chainHash(entry) !== entry.chain_hash) throw new Error('chain hash');
    entryLeafHashInto(salt, line, leaves, i * 32);
    insert.run(cellsOf(entry, leaves.subarray(i * 32, (i + 1) * 32)));
  });
  tree.append(leaves);
  db.exec('COMMIT');
}

/** A line as JSON.parse gives it: the limit checks no shapes. */
type Line = Readonly<
  Record<
    | 'chain_seq'
    | 'fact_id'
    | 'entity'
    | 'relation'
    | 'value_type'
    | 'value_v'
    | 'source'
    | 'scope'
    | 'confidence'
    | 'timestamp'
    | 'hlc'
    | 'cid'
    | 'event_hash'
    | 'previous_hash'
    | 'chain_hash'
    | 'created_at',
    string
  >
>;

function cellsOf(e: Line, leaf: Buffer): unknown[] {
  const bytes = (text: string | null | undefined): Buffer | null =>
    text == null ? null : Buffer.from(text.slice(7), 'hex');
  return [
    e.chain_seq,
    e.fact_id,
    e.entity,
    e.relation,
    e.value_type,
    e.value_v,
    e.source,
    e.scope,
    Number(e.confidence),
    e.timestamp,
    e.hlc,
    bytes(e.cid),
    bytes(e.event_hash),
    bytes(e.previous_hash),
    bytes(e.chain_hash),
    e.created_at,
    salt,
    leaf,
  ];
}

/** Entry bytes as a page carries them. */
function entryLines(facts: number): Buffer[] {
  const made: Buffer[] = [];
  let previous: string | null = null;
  for (const fact of realFacts(facts)) {
    const chain_seq = made.length + 1;
    const created_at = '2026-01-01T00:00:00.000000+00:00';
    const fact_id = uuidV7(1_767_225_600_000 + chain_seq, Buffer.alloc(10, chain_seq));
    const { entity, relation, source, scope } = fact;
    const body = { entity, relation, source, scope, value_type: fact.value.type, value_v: String(fact.value.v) };
    const cid = cidOfText('1.0', body);
    const event_hash = eventHashOfText('1.0', { ...body, cid, fact_id, tenant_id: 'default' });
    const link = { chain_seq, created_at, event_hash, fact_id, previous_hash: previous, tenant_id: 'default' as const };
    const chain_hash = chainHash(link);
    previous = chain_hash;
    const rest = { attestation: null, confidence: '1.0', derived_from: [], feed_seq: chain_seq, garden_id: null };
    const times = { hlc: '1767225600000.000', timestamp: created_at, valid_until: null };
    const entry = { ...body, ...link, ...rest, ...times, cid, chain_hash, interpret_as: 'content', origin: null };
    made.push(Buffer.from(encodeEntry({ ...entry, received_from: null, v: 1 })));
  }
  return made;
}
