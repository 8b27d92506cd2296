/**
 * Every reason to refuse something, committed by hostile processes against a real node: the record, its evidence, the
 * facts around it, the cursor, and what it costs the peer. One node takes all of it, and its journal is checked at the end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEntry } from '../../src/admin/api/audit-entry.ts';
import type { PeerStatus } from '../../src/core/peer-status.ts';
import { FACT_EVENT, PENALTY } from '../../src/core/verdict.ts';
import type { StoredEntry } from '../../src/drill/peer-log.ts';
import { decodeBase64 } from '../../src/merkle/base64.ts';
import { checkInclusion } from '../../src/merkle/inclusion.ts';
import type { HonestPeer } from '../support/honest-peer.ts';
import { HostileProcess } from '../support/hostile-process.ts';
import { Bench, type Detail, type NodeProcess } from '../support/node-process.ts';
import {
  authorityOf,
  type EntryReason,
  FACT_LIES,
  LIES_AT,
  LOG_ENTRIES,
  lyingLog,
  PAGE_ENTRIES,
  sentBytes,
} from './fact-lies.ts';
import { HALF, type NamedCase, PAGE_CASES, PAGE_LIES, RELAYED_ORIGIN, WHOLE } from './page-lies.ts';

/** Of a key that nobody has. */
const ORIGIN_PEER_ID = '12D3KooWNoN9sn86jWjb9F2u6czwcaJuLR2nZSzLekFnhtpxV5Ue';
const FACT_MODULE = new URL('./fact-lies.ts', import.meta.url).href;
const PAGE_MODULE = new URL('./page-lies.ts', import.meta.url).href;
const FACT_REASONS = Object.keys(FACT_EVENT) as EntryReason[];
/** A node of this make at rest has some 120 MiB; a bomb that went off would show. */
const MAX_PEAK_MIB = 450;

test('every reason has a case', () => {
  assert.deepEqual(Object.keys(FACT_LIES).sort(), Object.keys(FACT_EVENT).sort());
  assert.deepEqual(Object.keys(PAGE_LIES).sort(), Object.keys(PENALTY).sort());
  for (const [reason, ways] of Object.entries(PAGE_LIES)) assert.notEqual(Object.keys(ways).length, 0, reason);
});

test('hostile peers against one node', async (t) => {
  const bench = new Bench(t);
  const settings = [`federation.page_entries=${PAGE_ENTRIES}`, 'federation.poll_interval_s=1'];
  const names = PAGE_CASES.map(({ name }) => name);
  const [victim, liars, cheats] = await Promise.all([
    bench.node('victim.example', settings).then((node) => node.start()),
    HostileProcess.start(bench, FACT_MODULE, FACT_REASONS),
    HostileProcess.start(bench, PAGE_MODULE, names),
  ]);
  for (const reason of FACT_REASONS) victim.writePeer(reason, liars.asPeer(reason));
  for (const one of PAGE_CASES) {
    const { name, witnesses, anchors = [] } = one;
    const peer = cheats.asPeer(name, { accept: [feedOf(one)] });
    victim.writePeer(name, { ...peer, anchors, ...(witnesses === undefined ? {} : { witnesses }) });
  }
  // Never met: known by what an operator wrote down.
  const { nodeId, logVkey } = RELAYED_ORIGIN;
  victim.writePeer('origin', { nodeId, peerId: ORIGIN_PEER_ID, addresses: [], logKey: logVkey });

  for (const reason of FACT_REASONS)
    await t.test(`one fact: ${reason}, at the first, a middle, the last and every place of a page`, () =>
      assertFactCase(victim, reason),
    );
  const asked = new Map<string, number>();
  for (const one of PAGE_CASES)
    await t.test(`a page: ${one.reason}, ${one.what}`, async () => {
      await assertPageCase(victim, one);
      asked.set(one.name, await pulls(cheats, one.name));
    });

  await t.test('a suspended peer is left alone; a peer that behaves again goes on where it was', async () => {
    for (const one of PAGE_CASES) await assertMended(victim, cheats, one, asked.get(one.name));
  });
  await t.test('the node stayed small, and its journal is clean', async () => {
    const memory = victim.memory();
    if (memory !== null) assert.ok(memory.peakMiB < MAX_PEAK_MIB, `it grew to ${memory.peakMiB} MiB`);
    assert.equal(await victim.stop(), 0);
    const report = await victim.fsck();
    assert.deepEqual([report.ok, report.problems], [true, []]);
  });
});

async function assertFactCase(victim: NodeProcess, reason: EntryReason): Promise<void> {
  const log = lyingLog(reason);
  const taken = reason === 'instruction_inbound' ? LOG_ENTRIES : LOG_ENTRIES - LIES_AT.size;
  const peer = await victim.peerUntil(
    reason,
    'is current',
    (now) => now.state === 'current' && cursorOf(now) === LOG_ENTRIES,
  );
  assert.deepEqual([peer.waiting_on, peer.accepted, peer.refused], [null, taken, LOG_ENTRIES - taken]);

  const rows = await victim.audit(`peer_id=${reason}&reason=${reason}`);
  const lies = log.entries.filter(({ index }) => LIES_AT.has(index));
  assert.equal(rows.length, lies.length);
  for (const [i, stored] of lies.entries()) await assertFactRecord(victim, reason, stored, rows[i]);
  for (const stored of log.entries) await assertHeld(victim, log, reason, stored);
}

async function assertFactRecord(
  victim: NodeProcess,
  reason: EntryReason,
  stored: StoredEntry,
  row?: AuditEntry,
): Promise<void> {
  assert.ok(row !== undefined);
  const { entry, index, feedSeq } = stored;
  const readable = !['entry_malformed', 'entry_noncanonical', 'cid_missing'].includes(reason);
  assert.deepEqual(
    [row.event_type, row.reason, row.peer_id, row.feed, row.chain_seq],
    [FACT_EVENT[reason], reason, `stigmem://${authorityOf(reason)}`, 'public', index + 1],
  );
  assert.deepEqual([row.fact_id, row.cid], readable ? [entry.fact_id, entry.cid] : [null, null]);
  const detail = await victim.evidence(row.seq);
  assert.ok(detail.intact);
  if (reason === 'instruction_inbound') return;
  assert.equal(row.detail?.['feed_seq'], feedSeq);
  assertFactEvidence(reason, stored, detail);
}

function assertFactEvidence(reason: EntryReason, stored: StoredEntry, { record, evidence }: Detail): void {
  const { field, class: kind = 'accusation' } = FACT_LIES[reason];
  const { entry, index, salt } = stored;
  assert.deepEqual([evidence.reason, evidence.first_difference, evidence.class], [reason, field, kind]);
  assert.deepEqual(record.detail?.['difference'], {
    field,
    claimed: evidence.claimed,
    computed: evidence.computed,
  });
  const claimed = (entry as unknown as Record<string, unknown>)[field];
  if (typeof claimed === 'string' && reason !== 'value_too_large' && evidence.claimed !== null)
    assert.equal(evidence.claimed, claimed);
  if (reason === 'cid_mismatch' || reason === 'event_hash_mismatch')
    assert.match(evidence.computed, /^sha256:[0-9a-f]{64}$/);

  const { received } = evidence;
  assert.deepEqual(Buffer.from(received.entry, 'base64'), sentBytes(reason, stored));
  assert.deepEqual([received.index, received.salt], [index, Buffer.from(salt).toString('base64')]);
  const log = lyingLog(reason);
  const path = (received.inclusion as string[]).map((hash) => decodeBase64(hash) ?? new Uint8Array(0));
  // What was sent stands in the signed tree; of the garbled entry, the one that was not sent does.
  assert.equal(checkInclusion(stored.leaf, index, path, log.root(), log.size), 'ok');
  assert.equal(evidence.checkpoint, log.checkpoint());
  const isRepeat = reason === 'fact_rewritten' || reason === 'valid_until_extended';
  assert.equal(evidence.known?.fact_id, isRepeat ? entry.fact_id : undefined);
}

/** The true facts are there as they were told; of the lies nothing can be read. */
async function assertHeld(
  victim: NodeProcess,
  log: HonestPeer,
  reason: EntryReason,
  stored: StoredEntry,
): Promise<void> {
  const { fact_id, cid, value_v, valid_until } = stored.entry;
  const { status, body } = await victim.get(`/v1/facts/${encodeURIComponent(fact_id)}`);
  if (!LIES_AT.has(stored.index)) {
    assert.deepEqual([status, body.cid, body.value.v, body.valid_until], [200, cid, value_v, valid_until]);
    assert.equal(body.received_from, log.nodeId);
    return;
  }
  const isRepeat = reason === 'fact_rewritten' || reason === 'valid_until_extended';
  if (isRepeat) assert.notDeepEqual([body.cid, body.valid_until], [cid, valid_until]);
  else if (reason === 'instruction_inbound') assert.equal(body?.quarantine_status ?? 'pending', 'pending');
  else assert.equal(status, 404);
}

async function assertPageCase(victim: NodeProcess, one: NamedCase): Promise<void> {
  const { reason, name, field, cursor } = one;
  const suspended = PENALTY[reason] === 'suspended';
  // A peer whose turn was over before its answer was there waits too.
  const pays = ({ state, last_error }: PeerStatus): boolean =>
    suspended ? state === 'suspended' : state === 'waiting' && (last_error ?? '').includes(reason);
  const wanted = (now: PeerStatus): boolean => pays(now) && cursorOf(now, feedOf(one)) >= HALF;
  const peer = await victim.peerUntil(name, 'pays for it', wanted);
  assert.deepEqual([cursorOf(peer, feedOf(one)), peer.accepted, peer.refused], [cursor, cursor, 0]);

  const rows = await victim.audit(`peer_id=${name}&event_type=federation_integrity_rejected`);
  const [row] = rows;
  assert.ok(row !== undefined);
  assert.deepEqual(new Set(rows.map((one) => one.reason)), new Set([reason]));
  assert.deepEqual([row.peer_id, row.feed, row.fact_id], [`stigmem://${one.authority}`, feedOf(one), null]);
  assert.equal(row.detail?.['effect'], suspended ? 'suspended' : 'backoff');
  const [mark, ...more] = await victim.audit(`peer_id=${name}&event_type=peer_suspended`);
  assert.deepEqual(more, []);
  if (suspended) {
    assert.deepEqual([mark?.reason, mark?.detail?.['audit_seq'], mark?.evidence], [reason, row.seq, row.evidence]);
    assert.match(
      peer.waiting_on ?? '',
      new RegExp(`^suspended since .* for ${reason} \\(audit record ${mark?.seq}\\)`),
    );
  } else {
    assert.equal(mark, undefined);
    assert.match(peer.waiting_on ?? '', new RegExp(`^next try in \\d+ s after \\d+ failures?: .*${reason}`));
  }

  assertPageEvidence(one, await victim.evidence(row.seq), field);
}

function assertPageEvidence(one: NamedCase, { record, evidence, intact }: Detail, field: string): void {
  const { reason, authority, build, lie } = one;
  const log = build(authority);
  assert.ok(intact);
  assert.deepEqual([evidence.reason, evidence.first_difference, evidence.class], [reason, field, one.class]);
  assert.deepEqual(record.detail?.['difference'], { field, claimed: evidence.claimed, computed: evidence.computed });
  assert.notEqual(evidence.claimed, evidence.computed);
  const sent = lie(log).at(-1);
  assert.ok(sent !== undefined);
  const { header, entries, proof } = evidence.received;
  assert.equal(header, Buffer.from(sent.header).toString('base64'));
  const isReadable = evidence.checkpoint !== null || header.length > 16;
  if (isReadable && entries !== null) assert.equal(entries, Buffer.from(sent.entries ?? []).toString('base64'));
  if (isReadable && proof !== null) assert.equal(proof, Buffer.from(sent.proof ?? []).toString('base64'));
  assert.ok(evidence.known.size >= HALF);
  assert.equal(evidence.known.note, log.checkpoint(evidence.known.size));
}

async function pulls(cheats: HostileProcess, name: string): Promise<number> {
  return (await cheats.report(name)).asked['pull'] ?? 0;
}

/** @param asked how often it had been pulled from when it was found out */
async function assertMended(
  victim: NodeProcess,
  cheats: HostileProcess,
  { name, reason, mends }: NamedCase,
  asked = 0,
): Promise<void> {
  assert.ok(asked > 0, name);
  if (PENALTY[reason] === 'suspended')
    assert.equal(await pulls(cheats, name), asked, `${name} was pulled from while suspended`);
  if (!mends) return;
  await cheats.behave(name);
  const { status, body } = await victim.post(`/v1/federation/peers/${name}/resume`);
  assert.equal(status, 200, JSON.stringify(body));
  const peer = await victim.peerUntil(
    name,
    'is current again',
    (now) => now.state === 'current' && cursorOf(now) === WHOLE,
  );
  assert.deepEqual([peer.accepted, peer.refused, peer.waiting_on], [WHOLE, 0, null]);
}

function feedOf({ relayed }: Pick<NamedCase, 'relayed'>): string {
  return relayed?.feed ?? 'public';
}

function cursorOf(peer: PeerStatus, of = 'public'): number {
  return peer.cursors.find(({ feed }) => feed === of)?.after ?? 0;
}
