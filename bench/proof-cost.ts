/**
 * What a proof and the index of words cost in a long journal: `node bench/proof-cost.ts [entries]`, 10^6 unless told.
 * Prints one JSON line.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataPaths } from '../src/config/data-dir.ts';
import { readSeedFile } from '../src/config/secret-file.ts';
import { openDatabase } from '../src/journal/database.ts';
import { EntryReader } from '../src/journal/entry-reader.ts';
import { FactProver } from '../src/journal/fact-prover.ts';
import { JOURNAL_FILE } from '../src/journal/files.ts';
import { Journal } from '../src/journal/journal.ts';
import { createLogSigner } from '../src/merkle/ed25519.ts';
import { parseTlogProof } from '../src/merkle/tlog-proof.ts';
import { FactReader } from '../src/projections/fact-reader.ts';
import { RecallIndex } from '../src/projections/recall-index.ts';
import { RecallReader } from '../src/projections/recall-reader.ts';
import { decodeFactBundle } from '../src/wire/fact-bundle.ts';
import { fill, makeNode } from './nodes.ts';
import { realFacts } from './real-facts.ts';

const entries = Number(process.argv[2] ?? 1_000_000);
const PROOFS = 500;
/** As the daemon's steps. */
const STEP_MS = 5;
const QUERIES = ['afrikaans', 'languages name', 'firefox support', 'territories germany deutschland', 'nosuchword'];

const folder = mkdtempSync(join(tmpdir(), 'peerd-proof-cost-'));
try {
  console.log(JSON.stringify(await measure()));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(): Promise<object> {
  const node = await makeNode(folder, 'bench.example');
  const size = fill(node, facts(entries));
  const index = indexed(node.dir);
  const db = openDatabase(join(node.dir, JOURNAL_FILE), { readonly: true, cacheMiB: 8 });
  const { head, origin, seed } = headOf(node.dir);
  const ids = db.prepare<[number], string>('SELECT fact_id FROM entries WHERE chain_seq = ?').pluck();
  const prover = new FactProver(db);
  const ms: number[] = [];
  let path = 0;
  let bundle = 0;
  for (let i = 0; i < PROOFS; i++) {
    const factId = ids.get(1 + ((i * 7_919) % size)) ?? '';
    const started = performance.now();
    const proven = prover.prove({
      factIds: [factId],
      erased: [],
      head,
      declaration: 'd'.repeat(1_500),
      withChain: false,
    });
    ms.push(performance.now() - started);
    const text = proven.kind === 'proven' ? (proven.facts[0]?.bundle ?? '') : '';
    const read = decodeFactBundle(text);
    const proof = read.ok ? parseTlogProof(read.value.proof) : read;
    if (!proof.ok || !read.ok) throw new Error(`no proof of ${factId}`);
    path = Math.max(path, read.value.proof.length - proof.value.checkpoint.length);
    bundle = Math.max(bundle, Buffer.byteLength(text));
  }
  const entryReader = new EntryReader(db, createLogSigner(origin, seed));
  const recall = new RecallReader(db, new FactReader(db, entryReader));
  const recalls = QUERIES.map((query) => [query, recallMs(recall, query)]);
  db.close();
  return {
    entries: size,
    proof_header_index_and_path_bytes: path,
    bundle_bytes: bundle,
    proof_ms: { median: quantile(ms, 0.5), p99: quantile(ms, 0.99), max: quantile(ms, 1) },
    index: { ...index, recall_ms: Object.fromEntries(recalls) },
  };
}

/** Real facts under as many names as it takes. */
function* facts(count: number): Generator<ReturnType<typeof realFacts> extends Generator<infer F> ? F : never> {
  let left = count;
  for (let round = 0; left > 0; round++) {
    for (const fact of realFacts(left)) {
      left--;
      yield round === 0 ? fact : { ...fact, entity: `${fact.entity}/round-${round}` };
    }
  }
}

function indexed(dir: string): object {
  const file = join(dir, JOURNAL_FILE);
  const db = openDatabase(file, { readonly: false, cacheMiB: 16 });
  db.pragma('wal_checkpoint(TRUNCATE)');
  const before = statSync(file).size;
  const index = new RecallIndex(db);
  const started = performance.now();
  const steps: number[] = [];
  let last = started;
  const stepped = (): number => index.advance(() => performance.now() - last >= STEP_MS);
  while (stepped() > 0) {
    const now = performance.now();
    steps.push(now - last);
    last = now;
  }
  const took = performance.now() - started;
  db.pragma('wal_checkpoint(TRUNCATE)');
  const bytes = statSync(file).size - before;
  const count = index.position;
  db.close();
  if (steps.length === 0) throw new Error('the index was filled before it was measured');
  return {
    us_per_fact: round((took * 1_000) / count),
    bytes_per_fact: round(bytes / count),
    journal_bytes_per_fact: round(before / count),
    step_ms: { median: quantile(steps, 0.5), p99: quantile(steps, 0.99), max: quantile(steps, 1) },
  };
}

function headOf(dir: string): {
  head: { size: number; note: string; chainHash: string | null };
  origin: string;
  seed: Uint8Array;
} {
  const seed = readSeedFile(dataPaths(dir).logKey, 'log');
  if (!seed.ok) throw new Error(seed.error.message);
  const journal = Journal.open(dir, { logSeed: seed.value, cacheMiB: 16, random: (bytes) => bytes });
  const { size, checkpoint, chainHash, origin } = journal.head(0);
  journal.close();
  return { head: { size, note: checkpoint, chainHash }, origin, seed: seed.value };
}

function recallMs(recall: RecallReader, query: string): number {
  const ms: number[] = [];
  for (let i = 0; i < 9; i++) {
    const started = performance.now();
    recall.recall({
      query,
      scope: 'public',
      tokenBudget: 4_000,
      minConfidence: 0.1,
      limit: 100,
      weights: { lexical: 0.35, recency: 0.05 },
      nowIso: new Date().toISOString(),
    });
    ms.push(performance.now() - started);
  }
  return quantile(ms, 0.5);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
