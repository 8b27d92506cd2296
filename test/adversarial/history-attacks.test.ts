/**
 * The administrator's attacks on the files of his own stopped node: what he leaves behind checks clean on the spot. Who has
 * known the old history finds it: a peer and a witness at the next contact, a reader with the next answer, an auditor by the
 * anchors that were kept. docs/attacks.md has the table. Needs `npm run build` for `verify.mjs`.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, type TestContext, test } from 'node:test';
import { MemoryStore, StigmemClient, VerificationError, verifyFactBundle } from '../../src/client/node.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import { randomSeed, writeSeedFile } from '../../src/config/secret-file.ts';
import { runFsck } from '../../src/node/fsck.ts';
import { ANCHORED, AttackStage, FACTS, YESTERDAY } from '../support/attack-stage.ts';
import type { DataFolder } from '../support/data-folder.ts';
import { changed, type Rewrite, rewriteHistory } from '../support/history-attacks.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

/** The entry that the attacker wants to have been otherwise. */
const AT = 41;

interface Attack {
  /** What is done to the folder of the stopped node. */
  readonly attack: (folder: DataFolder) => void;
  /** Facts that are written behind the attack, before anybody looks. */
  readonly written: number;
  /** Event and reason of the peer's record, and what strangers make of its evidence; null: there is none. */
  readonly peer: readonly [string, string, 'b' | 'accusation' | null];
  /** What the witness answered; it has evidence of its own when it speaks of a contradiction. */
  readonly witness: string;
  readonly reader: string;
  /** Code, row and field of the first anchor that contradicts the file. */
  readonly auditor: readonly [string, number, string];
}

const [EARLY, , LATE] = ANCHORED;
const INTEGRITY = 'federation_integrity_rejected';

/** He has the log key and rewrites what is below the largest checkpoint: two signed heads that cannot both be true. */
const REWRITTEN = {
  written: 1,
  peer: [INTEGRITY, 'consistency_proof_invalid', 'b'],
  witness: 'contradiction',
  reader: 'history_rewritten',
  auditor: ['anchor_contradicted', YESTERDAY, 'chain_hash'],
} as const;

/**
 * Nothing is signed that was not signed before: whoever shows the older head may have kept it back himself. The witness
 * says how far it has come, which is an alarm at the node, and signs nothing.
 */
const GONE_BACK = {
  written: 0,
  peer: [INTEGRITY, 'checkpoint_rollback', 'accusation'],
  witness: 'ahead',
  reader: 'server_went_back',
  auditor: ['truncated', YESTERDAY + 1, 'chain_seq'],
} as const;

/** He goes on from an old state: the entries behind it are others than those that were signed. */
const FORKED = { ...REWRITTEN, written: 30, auditor: ['anchor_contradicted', LATE, 'chain_hash'] } as const;

const all: Rewrite = (records) => records.map((record) => changed(record, { value_v: 'never was' }));
const at =
  (change: Parameters<typeof changed>[1]): Rewrite =>
  (records) =>
    records.map((record, i) => (i === AT ? changed(record, change) : record));

let stage: AttackStage;
before(async () => {
  stage = await AttackStage.open();
});
after(() => stage?.close());

const rewritten = (rewrite: Rewrite) => (folder: DataFolder) => rewriteHistory(folder.dir, stage.logSeed, rewrite);

const ATTACKS: Readonly<Record<string, Attack>> = {
  'edits a value': { ...REWRITTEN, attack: rewritten(at({ value_v: 'down' })) },
  'flips interpret_as': {
    ...REWRITTEN,
    attack: rewritten(at({ interpret_as: 'instruction' })),
    // The chain does not cover it, the leaf does: the tree differs behind the anchor before.
    auditor: ['anchor_contradicted', EARLY + 1, 'leaf_hash'],
  },
  'deletes a row': { ...REWRITTEN, written: 2, attack: rewritten((records) => records.filter((_, i) => i !== AT)) },
  'drops a fact from its feed': { ...REWRITTEN, attack: rewritten(at({ scope: 'local' })) },
  'cuts the tail': { ...GONE_BACK, attack: rewritten((records) => records.slice(0, YESTERDAY)) },
  'cuts the tail and writes another': { ...FORKED, attack: rewritten((records) => records.slice(0, YESTERDAY)) },
  'rebuilds the whole chain and tree with the log key': {
    ...REWRITTEN,
    attack: rewritten(all),
    auditor: ['anchor_contradicted', EARLY, 'chain_hash'],
  },
  'rebuilds the whole chain and tree with a new log key': {
    ...REWRITTEN,
    attack: rebuildWithNewKey,
    // No key that is pinned has signed it: nothing to hold against the old signatures, and nothing is taken.
    peer: ['peer_declaration_refused', 'key_changed', null],
    witness: 'bad_signature',
    auditor: ['anchor_contradicted', EARLY, 'chain_hash'],
  },
  'restores yesterday’s copy': { ...GONE_BACK, attack: (folder) => stage.restoreYesterday(folder) },
  'restores yesterday’s copy and goes on': {
    ...FORKED,
    attack: (folder) => stage.restoreYesterday(folder),
    // It answers by the anchored checkpoint that the copy has, which is older than what the reader saw.
    reader: 'server_went_back',
  },
};

function rebuildWithNewKey(folder: DataFolder): void {
  const { logKey } = dataPaths(folder.dir);
  const seed = randomSeed('log');
  rmSync(logKey);
  writeSeedFile(logKey, 'log', seed);
  rewriteHistory(folder.dir, seed, all);
}

for (const [name, expected] of Object.entries(ATTACKS))
  test(`an administrator ${name}`, async (t) => {
    const folder = stage.copy('attacker');
    expected.attack(folder);
    assert.deepEqual((await runFsck(folder.dir, {})).problems, [], 'the attacker’s own check finds nothing');
    const attacker = await started(t, folder, true);
    await writeBehind(attacker, expected.written);

    await assertReader(t, attacker, expected.reader);
    await assertPeer(t, attacker, expected);
    await assertWitness(t, attacker, expected);
    await attacker.halt();
    await assertAuditor(t, folder, expected.auditor);
  });

async function assertReader(t: TestContext, attacker: MeshNode, code: string): Promise<void> {
  const since = performance.now();
  await assert.rejects(stage.reader(attacker).get(stage.kept.factId), codeOf(code));
  t.diagnostic(`reader: ${code} with the first answer, ${msSince(since)}`);
}

async function assertPeer(t: TestContext, attacker: MeshNode, { peer: expected }: Attack): Promise<void> {
  const [event, reason, kind] = expected;
  const peer = await started(t, stage.copy('peer'));
  const since = performance.now();
  introduce(attacker, peer, 'peer', { accept: ['public'] });
  await until('the peer finds it', async () => (await peer.audit(event)).length > 0);
  const found = `peer: ${reason} at the first contact, ${msSince(since)}`;
  const [record] = await peer.audit(event);
  assert.equal(record?.reason, reason);
  assert.equal((await peer.base.writer.stats()).entries, FACTS, 'nothing of the new history was taken');
  const { suspended } = await peer.base.writer.peerProgress(attacker.nodeId, ['public']);
  assert.equal(suspended !== null, event === INTEGRITY, 'an integrity fault suspends');
  await peer.halt();
  t.diagnostic(`${found}; evidence ${await evidence(peer, record, kind)}`);
}

async function assertWitness(t: TestContext, attacker: MeshNode, { witness: expected }: Attack): Promise<void> {
  const witness = await started(t, stage.copy('witness'));
  const since = performance.now();
  introduce(attacker, witness, 'witness', { share: ['public'] });
  let answer: string | undefined;
  await until('the witness has answered', async () => {
    const { body } = await attacker.base.metrics.scrape();
    answer = /^stigmem_peerd_witness_answers_total\{witness="witness",outcome="(\w+)"\} [1-9]/m.exec(body)?.[1];
    return answer !== undefined;
  });
  const found = `witness: ${expected} when it is first asked, ${msSince(since)}`;
  assert.equal(answer, expected);
  const [record] = await witness.audit(INTEGRITY);
  const { logs } = JSON.parse((await witness.get('/v1/witness')).text);
  assert.equal(logs[0].cosigned_size, FACTS, 'it stands for what it stood for');
  await witness.halt();
  const kind = expected === 'contradiction' ? 'b' : null;
  t.diagnostic(`${found}; evidence ${await evidence(witness, record, kind)}`);
}

/** @returns what to call it */
async function evidence(
  { folder }: MeshNode,
  record: { readonly seq: number; readonly evidence: unknown } | undefined,
  kind: Attack['peer'][2],
): Promise<string> {
  if (kind === null) {
    assert.equal(record?.evidence ?? null, null);
    return 'none';
  }
  const judged = await stage.judge(folder, record?.seq ?? 0);
  const accusation = { verdict: 'accusation', kind: null };
  assert.deepEqual(judged, kind === 'accusation' ? accusation : { verdict: 'contradiction', kind });
  return kind === 'accusation' ? 'not proven' : `proven (${kind})`;
}

async function assertAuditor(t: TestContext, folder: DataFolder, expected: Attack['auditor']): Promise<void> {
  const since = performance.now();
  const { exit, problems } = await stage.audit(folder);
  assert.equal(exit, 4);
  const first = problems.find(({ code }) => code === 'anchor_contradicted' || code === 'truncated');
  assert.deepEqual([first?.code, first?.row, first?.field], expected);
  assert.match(first?.detail ?? '', /^anchors\.jsonl line \d+ anchors /);
  t.diagnostic(`auditor: ${first?.detail}, ${msSince(since)}`);
}

/** The attacker has taken the restore guard out of his program: as it is, it would refuse to sign the new history. */
async function started(t: TestContext, folder: DataFolder, isPatched = false): Promise<MeshNode> {
  const node = await MeshNode.over(folder).start({}, isPatched);
  t.after(() => node.stop());
  return node;
}

async function writeBehind(node: MeshNode, count: number, from: number = FACTS): Promise<void> {
  if (count > 0) await node.assertFacts(Array.from({ length: count }, (_, i) => `behind${from + i}`));
}

/** Each gets the other's peer file; the one that found the old history dials. */
function introduce(
  attacker: MeshNode,
  node: MeshNode,
  name: string,
  grants: { readonly accept?: readonly string[]; readonly share?: readonly string[] },
): void {
  attacker.writePeer(name, node.asPeer({ share: ['public'] }, false));
  node.writePeer('attacker', attacker.asPeer(grants));
}

test('a bundle that was kept is enough of a memory, and stays proof of what was', async (t) => {
  const folder = stage.copy('attacker');
  rewriteHistory(folder.dir, stage.logSeed, all);
  const attacker = await started(t, folder, true);
  await writeBehind(attacker, 1);
  const { nodeId, peerId, keys } = folder;
  const trust = { nodes: [{ nodeId, peerId }] };
  const kept = verifyFactBundle(stage.kept.bundle, trust);
  assert.ok(kept.ok && kept.value.proof !== null);
  const { origin, root, treeSize: size } = kept.value.proof;
  const checkpoints = new MemoryStore();
  const note = JSON.parse(stage.kept.bundle).proof.split('\n\n').slice(1).join('\n\n');
  await checkpoints.save(origin, { size, root, note });
  const fetch: typeof globalThis.fetch = (input, init) => attacker.fetch(new Request(input, init));
  const reader = new StigmemClient({ url: 'http://node.invalid', key: keys.ro, trust, checkpoints, fetch });
  await assert.rejects(reader.get(stage.kept.factId), codeOf('history_rewritten'));
});

test('an administrator shows B one history and C another', async (t) => {
  const [one, two] = await Promise.all([0, 1].map(() => started(t, stage.copy('attacker'))));
  const [b, c] = await Promise.all((['peer', 'other'] as const).map((role) => started(t, stage.copy(role))));
  assert.ok(one !== undefined && two !== undefined && b !== undefined && c !== undefined);
  await writeBehind(one, 5);
  await writeBehind(two, 5, 2 * FACTS);
  introduce(one, b, 'peer', { accept: ['public'] });
  introduce(two, c, 'other', { accept: ['public'] });
  b.writePeer('other', c.asPeer());
  c.writePeer('peer', b.asPeer({}, false));
  for (const node of [b, c])
    await until('both have what they are shown', async () => (await node.base.writer.stats()).entries === FACTS + 5);
  await until('B and C are connected', () => b.federation.connected(c.folder.peerId));
  assert.deepEqual([await b.audit(INTEGRITY), await c.audit(INTEGRITY)], [[], []]);

  const since = performance.now();
  await b.federation.witness.gossipRound();
  for (const node of [b, c]) await until('it is suspended', async () => (await node.audit(INTEGRITY)).length > 0);
  t.diagnostic(`both peers: checkpoint_split_view in one round of gossip, ${msSince(since)}`);
  let shown = one;
  const reader = stage.reader({ folder: one.folder, nodeId: one.nodeId, fetch: (request) => shown.fetch(request) });
  await reader.query({ entity: `${one.nodeId}/service/behind${FACTS}` });
  shown = two;
  await assert.rejects(
    reader.query({ entity: `${one.nodeId}/service/behind${2 * FACTS}` }),
    (error) => error instanceof VerificationError && error.checkpoints.length === 2,
  );
  for (const node of [b, c]) {
    const [record] = await node.audit(INTEGRITY);
    assert.equal(record?.reason, 'checkpoint_split_view');
    await node.halt();
    assert.deepEqual(await stage.judge(node.folder, record?.seq ?? 0), { verdict: 'contradiction', kind: 'a' });
  }
});

function codeOf(code: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof VerificationError && error.code === code, String(error));
    return true;
  };
}

function msSince(ms: number): string {
  return `${Math.round(performance.now() - ms)} ms`;
}
