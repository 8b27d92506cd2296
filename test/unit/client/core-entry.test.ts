/** A stranger's check: everything from the public entry point, nothing from anywhere else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as core from '../../../src/client/core.ts';

interface Journal {
  readonly origin: string;
  readonly public_key: string;
  readonly verifier_key: string;
  readonly entries: readonly {
    readonly feed: string | null;
    readonly cid_body: string;
    readonly bytes: string;
    readonly salt: string;
    readonly leaf_data: string;
    readonly leaf_hash: string;
  }[];
  readonly roots: readonly { readonly size: number; readonly root: string }[];
  readonly inclusion: readonly { readonly size: number; readonly index: number; readonly proof: readonly string[] }[];
  readonly consistency: readonly { readonly from: number; readonly to: number; readonly proof: readonly string[] }[];
  readonly page_proofs: readonly {
    readonly size: number;
    readonly indexes: readonly number[];
    readonly proof: readonly string[];
  }[];
  readonly checkpoint: { readonly size: number; readonly note: string };
  readonly cosigned: {
    readonly witness: string;
    readonly witness_public_key: string;
    readonly time: number;
    readonly note: string;
  };
  readonly feed_head: { readonly feed: string; readonly length: number; readonly size: number; readonly note: string };
  readonly empty_feed_head: { readonly feed: string; readonly note: string };
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'));
const journal = read('journal') as Journal;
const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');
const leaves = journal.entries.map((entry) => bytes(entry.leaf_hash));
const log = { origin: journal.origin, key: bytes(journal.public_key) };

test('journal.json: entries, CIDs, hashes, feeds, commitments, leaves', () => {
  assert.equal(journal.entries.length, 300);
  for (const { bytes: text, cid_body, feed, salt, leaf_data, leaf_hash } of journal.entries) {
    const decoded = core.decodeEntry(Buffer.from(text));
    assert.ok(decoded.ok);
    const entry = decoded.value;
    assert.equal(core.encodeEntry(entry), text);
    assert.deepEqual(Object.keys(entry), core.ENTRY_KEYS);
    const body = { ...entry, confidence: Number(entry.confidence) };
    assert.equal(core.cidBody(body), cid_body);
    assert.equal(core.computeCid(body), entry.cid);
    assert.equal(core.eventHash(body), entry.event_hash);
    assert.equal(core.chainHash(entry), entry.chain_hash);
    const own =
      entry.origin === null
        ? core.feedOf(entry)
        : core.receivedFeed(core.authorityOf(entry.origin.node_id) ?? '', entry.scope);
    assert.ok(own.ok);
    if (feed !== null) assert.equal(own.value, feed);
    const data = core.leafData(core.commitment(bytes(salt), Buffer.from(text)));
    assert.equal(core.encodeBase64(data), leaf_data);
    assert.equal(core.encodeBase64(core.leafHash(data)), leaf_hash);
    assert.equal(core.encodeBase64(core.entryLeafHash(bytes(salt), text)), leaf_hash);
  }
});

test('journal.json: the chain holds, and a change in it is found', () => {
  const rows = journal.entries.map((one): core.ChainRow => {
    const entry = core.decodeEntry(Buffer.from(one.bytes));
    assert.ok(entry.ok);
    return { ...entry.value, fact: { ...entry.value, confidence: Number(entry.value.confidence) } };
  });
  const report = core.verifyChain(rows);
  assert.deepEqual([report.valid, report.checked_entries, report.head_hash], [true, 300, rows.at(-1)?.chain_hash]);
  const [first, ...rest] = rows as [core.ChainRow, ...core.ChainRow[]];
  const tampered = core.verifyChain([{ ...first, created_at: `${first.created_at} ` }, ...rest]);
  assert.equal(tampered.mismatch_reason, 'chain_hash_mismatch');
});

test('journal.json: roots, and all proofs from the plain list of leaves', () => {
  const rootAt = new Map(journal.roots.map(({ size, root }) => [size, bytes(root)]));
  const rootOf = (size: number): Buffer => rootAt.get(size) ?? core.rootOf(leaves, size);
  for (const { size, root } of journal.roots) {
    assert.equal(core.encodeBase64(core.rootOf(leaves.slice(0, size))), root);
    assert.equal(core.encodeBase64(core.rootOf(leaves, size)), root);
  }
  for (const { size, index, proof } of journal.inclusion) {
    const path = core.inclusionProof(leaves, index, size);
    assert.deepEqual(path, proof.map(bytes));
    assert.equal(core.checkInclusion(leaves[index] as Buffer, index, path, rootOf(size), size), 'ok');
    assert.equal(path.length, core.inclusionLength(index, size));
  }
  for (const { from, to, proof } of journal.consistency) {
    const path = core.consistencyProof(leaves, from, to);
    assert.deepEqual(path, proof.map(bytes));
    assert.equal(core.checkConsistency(from, rootOf(from), to, rootOf(to), path), 'ok');
  }
  for (const { size, indexes, proof } of journal.page_proofs) {
    const hashes = core.pageProof(leaves, indexes, size);
    assert.deepEqual(hashes, proof.map(bytes));
    const listed = indexes.map((index) => leaves[index] as Buffer);
    assert.deepEqual(core.rootOfPage(size, indexes, listed, hashes), { ok: true, value: rootOf(size) });
    const packed = core.packHashes(listed);
    assert.deepEqual(core.foldPage(size, indexes, packed, core.packHashes(hashes)), { ok: true, value: rootOf(size) });
    assert.equal(core.rootOfPage(size, indexes, listed, [...hashes, core.EMPTY_ROOT]).ok, false);
    assert.equal(core.rootOfPage(size, indexes, listed, [Buffer.alloc(31)]).ok, false);
  }
});

test('journal.json: tiles give the same proofs as the list', () => {
  const tiles = core.tilesOf(leaves);
  assert.deepEqual(core.rootAt(300, tiles), core.rootOf(leaves));
  assert.deepEqual(core.proveInclusion(7, 300, tiles), core.inclusionProof(leaves, 7));
  assert.deepEqual(core.proveConsistency(5, 299, tiles), core.consistencyProof(leaves, 5, 299));
  assert.deepEqual(core.unpackHashes(core.provePage([1, 2, 9], 300, tiles)), core.pageProof(leaves, [1, 2, 9]));
  assert.throws(() => tiles.tile(3, 0, 1), RangeError);
  assert.throws(() => core.rootOf(leaves, 301), RangeError);
});

test('journal.json: verifier key, checkpoint, cosignature, feed heads', () => {
  const key = { name: log.origin, algorithm: core.ALG_ED25519, publicKey: log.key };
  assert.equal(core.formatVerifierKey(key), journal.verifier_key);
  assert.deepEqual(core.parseVerifierKey(journal.verifier_key), { ok: true, value: key });

  const opened = core.openCheckpoint(journal.checkpoint.note, log);
  assert.ok(opened.ok);
  assert.equal(opened.value.size, journal.checkpoint.size);
  assert.deepEqual(opened.value.root, core.rootOf(leaves));
  assert.equal(core.formatNote(opened.value.note), journal.checkpoint.note);
  assert.equal(core.openCheckpoint(journal.checkpoint.note, { ...log, origin: 'x' }).ok, false);

  const { witness, witness_public_key, time, note } = journal.cosigned;
  const parsed = core.parseNote(note);
  assert.ok(parsed.ok);
  const cosigned = core.checkCosignature(parsed.value, { name: witness, key: bytes(witness_public_key) });
  assert.deepEqual(cosigned, { ok: true, value: { timeSeconds: time } });

  const { feed, length, size } = journal.feed_head;
  const ofFeed = journal.entries.flatMap((entry, index) => (entry.feed === feed ? [leaves[index] as Buffer] : []));
  const head = { origin: log.origin, feed, length, size, lastLeaf: ofFeed[length - 1] as Buffer };
  assert.deepEqual(core.openFeedHead(journal.feed_head.note, log), { ok: true, value: head });
  assert.ok(journal.feed_head.note.startsWith(`${core.formatFeedHead(head)}\n`));
  const empty = core.openFeedHead(journal.empty_feed_head.note, log);
  assert.ok(empty.ok && empty.value.lastLeaf === null && empty.value.length === 0);
});

// biome-ignore lint/suspicious/noExplicitAny: vectors are data of many shapes
type Case = any;
const cases = (name: string, kind?: string): readonly Case[] => {
  const found = (read(`reference/${name}`) as { cases: Case[] }).cases.filter(
    (one) => kind === undefined || one.kind === kind,
  );
  assert.ok(found.length > 0, `${name} has cases of kind ${kind}`);
  return found;
};
const json = (text: string): core.JsonValue => {
  const parsed = core.parseJson(text);
  assert.ok(parsed.ok);
  return parsed.value;
};

test('reference/cid.json: CIDs of bodies, of facts as they arrive, of requests, of stored rows', () => {
  for (const { input, confidence_literal, expected } of cases('cid', 'compute')) {
    const confidence = core.pythonFloatOf(json(confidence_literal));
    assert.ok(confidence.ok);
    const cid = core.tryComputeCid({ ...input, confidence: confidence.value });
    assert.deepEqual(cid, expected.error ? { ok: false, error: expected.error } : { ok: true, value: expected.cid });
    if (cid.ok) assert.equal(core.cidBody({ ...input, confidence: confidence.value }), expected.canonical);
  }
  for (const { fact_json, expected } of cases('cid', 'inbound')) {
    const parsed = core.parseJson(fact_json);
    const fact = parsed.ok && core.isJsonObject(parsed.value) ? core.readInboundFact(parsed.value) : null;
    assert.equal(fact?.ok ? fact.value.cid : undefined, expected.cid);
  }
  for (const { request_json, expected } of cases('cid', 'assert')) {
    const request = json(request_json);
    const asserted = core.isJsonObject(request) ? core.readAssertRequest(request) : null;
    assert.equal(asserted?.ok ? asserted.value.cid : undefined, expected.cid);
  }
  for (const { row, expected } of cases('cid', 'row'))
    assert.equal(core.computeCid({ ...row, value_v: row.value_v ?? '' }), expected.cid);
});

test('reference/chain.json: hashes, whole chains, tampered ones', () => {
  for (const { row, expected } of cases('chain', 'event_hash'))
    assert.equal(core.eventHash({ ...row, fact_id: row.id }), expected);
  for (const { input, expected } of cases('chain', 'chain_hash'))
    assert.equal(core.chainHash({ ...input, chain_seq: BigInt(input.chain_seq) }), expected);
  for (const { entries, expected } of cases('chain', 'chain')) {
    const rows = entries.map(({ chain, fact }: Case) => ({ ...chain, fact }));
    assert.deepEqual(core.verifyChain(rows), expected);
  }
  const chain = cases('chain', 'chain').find((one) => one.entries.length > 2);
  const rows = chain.entries.map(({ chain: link, fact }: Case) => ({ ...link, fact }));
  const reasonOf = (changed: core.ChainRow[]): string | null => core.verifyChain(changed).mismatch_reason;
  assert.equal(reasonOf(rows.toSpliced(1, 1)), 'chain_seq_gap');
  assert.equal(reasonOf(rows.with(1, { ...rows[1], fact: null })), 'fact_missing');
  assert.equal(reasonOf(rows.with(1, { ...rows[1], previous_hash: null })), 'previous_hash_mismatch');
  const other = { ...rows[1].fact, value_v: 'other' };
  assert.equal(reasonOf(rows.with(1, { ...rows[1], fact: other })), 'event_hash_mismatch');
});

test('reference/hlc.json: parsing, order, clocks', () => {
  for (const { text, expected } of cases('hlc', 'parse')) {
    const hlc = core.parseReferenceHlc(text);
    assert.equal(hlc.ok ? `${hlc.value.wall}.${hlc.value.counter}` : 'error', hlcText(expected));
    if (core.isStrictHlc(text)) {
      const strict = core.parseStrictHlc(text);
      assert.ok(strict.ok && core.formatHlc(strict.value) === text);
    }
  }
  for (const { a, b, expected } of cases('hlc', 'compare')) {
    assert.equal(core.compareAsSqliteText(a, b), expected.sqlite_text_order);
    const [left, right] = [core.parseReferenceHlc(a), core.parseReferenceHlc(b)];
    if (left.ok && right.ok) assert.equal(core.compareReferenceHlc(left.value, right.value), expected.causal);
  }
  for (const { initial, ops, expected } of cases('hlc', 'sequence')) {
    let clock: core.ReferenceHlc = { wall: BigInt(initial[0]), counter: BigInt(initial[1]) };
    ops.forEach((op: Case, place: number) => {
      clock = stepped(clock, op);
      assert.deepEqual([Number(clock.wall), Number(clock.counter)], expected[place].state);
    });
  }
});

function hlcText(expected: { wall: string; counter: string; error?: string }): string {
  return expected.error === undefined ? `${expected.wall}.${expected.counter}` : 'error';
}

function stepped(clock: core.ReferenceHlc, op: Case): core.ReferenceHlc {
  const now = BigInt(op.now_ms);
  if (op.op === 'tick') return core.tickReference(clock, now);
  const remote = core.parseReferenceHlc(op.remote);
  if (!remote.ok) return clock;
  const limits = { maxFutureMs: BigInt(op.max_future_skew_ms ?? 0), maxPastMs: BigInt(op.max_past_skew_ms ?? 0) };
  if (core.checkReferenceSkew(remote.value.wall, now, limits) !== null) return clock;
  return core.receiveReference(clock, remote.value, now);
}

test('reference: entity normalization, validity, declarations, checkpoints, tokens', () => {
  for (const { raw, expected } of cases('entity-normalization')) {
    const normal = core.normalizeEntity(raw);
    assert.equal(normal.ok ? normal.value : undefined, expected.error === undefined ? expected.normalized : undefined);
  }
  for (const { stored, incoming, expected } of cases('valid-until')) {
    const extended = core.isValidUntilExtension(stored, incoming);
    assert.deepEqual(extended.ok ? extended.value : 'error', typeof expected === 'object' ? 'error' : expected);
  }
  for (const { fields, private_seed_b64url, expected } of cases('declaration', 'sign')) {
    const seed = Buffer.from(private_seed_b64url, 'base64url');
    assert.equal(core.signReferenceDeclaration(fields, seed), expected.declaration_sig);
    assert.equal(core.keyFingerprint(fields.federation_pubkey), expected.fingerprint);
  }
  for (const { input, expected } of cases('checkpoint', 'payload')) {
    const payload = core.checkpointPayload({ ...input, chain_seq: BigInt(input.chain_seq) });
    assert.equal(core.checkpointLeafHash(payload), expected.leaf_hash);
  }
  for (const { payload_texts, unix_times, expected } of cases('checkpoint', 'local_log')) {
    let line: core.LogLine | null = null;
    const lines = payload_texts.map((payload: string, place: number) => {
      line = core.nextLogLine(line, json(payload), unix_times[place]);
      return line.text;
    });
    assert.equal(lines.join(''), expected.file_text);
  }
  for (const { proof_text, require_checkpoint, expected } of cases('checkpoint', 'sdk_proof'))
    assert.equal(core.checkSdkProof(proof_text, require_checkpoint).ok, expected.accept);
  for (const { payload_text, private_seed_b64url, expected } of cases('peer-token', 'mint'))
    assert.equal(core.mintPeerToken(payload_text, Buffer.from(private_seed_b64url, 'base64url')), expected.token);
});
