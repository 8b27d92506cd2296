/**
 * A peer that sends nothing but lies, against a real node: what it may add to the disk, what is told of it, and that the
 * node does not grow. `FLOOD_FACTS=1000000` is the size that docs/limits.md has the figures of.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { JOURNAL_FILE } from '../../src/journal/files.ts';
import { HostileProcess } from '../support/hostile-process.ts';
import { Bench, type NodeProcess } from '../support/node-process.ts';
import { FLOOD_FACTS, NEEDLE, NEEDLE_AT } from './flood-lies.ts';

const MODULE = new URL('./flood-lies.ts', import.meta.url).href;
const MAX_AUDIT_BYTES = 10_000_000;
const MAX_GROUPS = 100;
/** From the first tenth of the flood to its end, with room for what a heap does by itself. */
const MAX_GROWTH_MIB = 80;
const LONG_MS = 1_800_000;

test('a flood of lies', async (t) => {
  const bench = new Bench(t);
  const [victim, liars] = await Promise.all([
    // Without the pauses: what is looked at here is what a flood leaves behind.
    bench.node('victim.example', ['federation.refused_per_second=1000000']).then((node) => node.start()),
    HostileProcess.start(bench, MODULE, ['flood']),
  ]);
  victim.writePeer('flood', liars.asPeer('flood'));
  const refused = async (count: number) => {
    const look = async (): Promise<true | undefined> =>
      ((await victim.peer('flood'))?.refused ?? 0) >= count || undefined;
    await bench.until(`${count} are refused`, look, LONG_MS);
  };
  await refused(FLOOD_FACTS / 10);
  const early = victim.memory();
  await refused(FLOOD_FACTS);
  const late = await leastMemory(victim);

  const events = await victim.audit('peer_id=flood');
  const kinds = new Set(events.map(({ reason, feed }) => `${reason} ${feed}`));
  const [needle, ...more] = events.filter(({ reason }) => reason === NEEDLE);
  assert.deepEqual([needle?.detail?.['feed_seq'], more], [NEEDLE_AT + 1, []]);
  assert.ok((await victim.evidence(needle?.seq ?? 0)).intact);
  assert.ok(kinds.size <= MAX_GROUPS, `${kinds.size} kinds`);
  assert.equal(await victim.stop(), 0);
  const bytes = auditBytes(victim);
  t.diagnostic(JSON.stringify({ facts: FLOOD_FACTS, bytes, records: events.length, kinds: kinds.size, early, late }));
  assert.ok(bytes <= MAX_AUDIT_BYTES, `${bytes} bytes`);
  if (early !== null && late !== null)
    assert.ok(late.nowMiB - early.nowMiB < MAX_GROWTH_MIB, `it grew from ${early.nowMiB} to ${late.nowMiB} MiB`);
  assert.deepEqual((await victim.fsck()).problems, []);
});

test('a flood is judged at its pace, and the node says so', async (t) => {
  const bench = new Bench(t);
  const [victim, liars] = await Promise.all([
    // So few that judging a page takes no machine as long as paying for it.
    bench.node('victim.example', ['federation.refused_per_second=100']).then((node) => node.start()),
    HostileProcess.start(bench, MODULE, ['flood']),
  ]);
  victim.writePeer('flood', liars.asPeer('flood'));
  const slowed = await victim.peerUntil('flood', 'is slowed down', ({ waiting_on }) =>
    /refused_per_second/.test(waiting_on ?? ''),
  );
  // One page, and the one that was under way: its log has ten times as many.
  assert.ok(slowed.refused >= 1_000 && slowed.refused <= 2_000, `${slowed.refused} are refused`);
  assert.equal(slowed.state, 'catching_up');
  await victim.peerUntil('flood', 'goes on', ({ refused }) => refused > slowed.refused);
});

/** The lowest of two seconds: one reading may stand anywhere between two collections. */
async function leastMemory(node: NodeProcess): Promise<ReturnType<NodeProcess['memory']>> {
  let least = node.memory();
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = node.memory();
    if (least !== null && now !== null && now.nowMiB < least.nowMiB) least = now;
  }
  return least;
}

/** Audit log and evidence with their indexes, and what waits. */
function auditBytes({ dir }: NodeProcess): number {
  const db = new Database(join(dir, JOURNAL_FILE), { readonly: true });
  const sql = `SELECT sum(pgsize) FROM dbstat WHERE name IN ('audit', 'evidence', 'refusal_groups', 'refusal_budgets')
    OR name LIKE 'audit_by_%' OR name LIKE 'evidence_by_%'`;
  const bytes = Number(db.prepare<[], number>(sql).pluck().get());
  db.close();
  return bytes;
}
