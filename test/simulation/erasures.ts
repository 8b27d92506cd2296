/** Erasures after a run: what was to go is nowhere, what was not to go is there, and the tree has not changed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeTombstone, factDigest, TOMBSTONE, type Tombstone } from '../../src/core/tombstone.ts';
import { unpackEvidence } from '../../src/journal/evidence-store.ts';
import { decodePage } from '../../src/wire/page.ts';
import type { EntryLine, ErasureLine, Held } from './held.ts';
import type { Mesh } from './mesh.ts';
import type { AssertedFact } from './model.ts';

/** What is due later than this was asked for by a clock that was wrong. */
const SOON_MS = 3_600_000;
const OPEN: ReadonlySet<string> = new Set(['requested', 'issued', 'received', 'released', 'erased']);
const OVER: ReadonlySet<string> = new Set(['scrubbed', 'told', 'absent']);

export function isTombstone({ relation }: Pick<EntryLine, 'relation'>): boolean {
  return relation === TOMBSTONE;
}

export function isErased({ event_hash }: Pick<EntryLine, 'event_hash'>): boolean {
  return event_hash.length === 0;
}

/** Whether a journal has a tombstone of its own for a fact. */
export function isErasedFor({ factId }: AssertedFact, entries: readonly EntryLine[]): boolean {
  const digest = digestOf(factId ?? '');
  return entries.some((line) => line.origin_node_id === null && decodeTombstone(line.value_v)?.fact === digest);
}

/** Whether a node has still to erase something, or to tell an author that it has. @param self of the node @param live node ids */
export function isErasing(
  erasures: readonly ErasureLine[],
  self: string,
  live: ReadonlySet<string>,
  nowMs: number,
): boolean {
  return erasures.some(({ step, node_id, due_us, is_evidence }) => {
    if (OPEN.has(step)) return (due_us ?? 0) / 1_000 < nowMs + SOON_MS;
    return (step === 'scrubbed' || step === 'absent') && is_evidence === 0 && node_id !== self && live.has(node_id);
  });
}

/** All that has to hold of the tombstones of one author. */
export function checkErasures(mesh: Mesh, author: Held, all: readonly Held[]): void {
  const { node, nodeId, entries, isStuck } = author;
  const byDigest = new Map<string, AssertedFact>();
  for (const fact of mesh.model.asserted.values())
    if (fact.node === node.name && fact.factId !== null) byDigest.set(digestOf(fact.factId), fact);
  const issued = new Set<string>();
  for (const entry of entries) {
    const said = isTombstone(entry) && entry.origin_node_id === null ? decodeTombstone(entry.value_v) : null;
    if (said === null) continue;
    issued.add(said.fact);
    const fact = byDigest.get(said.fact);
    // Of a node that was put back from before it was undone nobody knows that it was.
    const isForgotten = fact?.erasure === 'undone' && mesh.model.restored.has(node.name);
    if (fact?.erasure !== 'asked' && fact?.erasure !== 'unsure' && !isForgotten)
      mesh.problem(
        `${node.name} erased ${fact?.entity ?? said.fact}, which nobody wanted: ${fact?.erasure ?? 'no word'}`,
      );
    if (fact === undefined) continue;
    for (const one of all) if (!one.isStuck) checkGone(mesh, one, author, { said, fact, entry });
  }
  if (!isStuck && !mesh.model.restored.has(node.name))
    for (const [digest, { entity, erasure }] of byDigest)
      if (erasure === 'asked' && !issued.has(digest)) mesh.problem(`${node.name} never erased ${entity}`);
  const leaves = new Set(entries.flatMap(({ value_v }) => decodeTombstone(value_v)?.leaf_index ?? []));
  for (const { entries: theirs, node: holder } of all)
    for (const entry of theirs)
      if (
        isErased(entry) &&
        authorOf(entry, holder.made.nodeId) === nodeId &&
        !leaves.has(placeOf(entry) - 1) &&
        !isStuck
      )
        mesh.problem(`${holder.name} erased entry ${placeOf(entry)} of ${node.name} without a tombstone`);
}

interface Gone {
  readonly said: Tombstone;
  readonly fact: AssertedFact;
  /** The tombstone. */
  readonly entry: EntryLine;
}

/** One node that has the tombstone. */
function checkGone(mesh: Mesh, one: Held, author: Held, { said, fact, entry }: Gone): void {
  const { node, nodeId, entries } = one;
  const isOwn = one === author;
  const row = entries.find((line) => authorOf(line, nodeId) === author.nodeId && placeOf(line) === said.leaf_index + 1);
  const leaf = isOwn ? row?.leaf_hash : row?.origin_leaf_hash;
  if (row !== undefined && `sha256:${leaf?.toString('hex')}` !== said.leaf_hash)
    mesh.problem(`${node.name} has another leaf for ${fact.entity}`);
  if (isOwn && row === undefined) mesh.problem(`${node.name} has lost the leaf of ${fact.entity}`);
  const hasTombstone = isOwn || entries.some((line) => isTombstone(line) && line.value_v === entry.value_v);
  if (!hasTombstone) return;
  const erasure = one.erasures.find((line) => hashText(line.fact) === said.fact && line.node_id === author.nodeId);
  const step = erasure?.step ?? 'none';
  mesh.note(`erasure of ${fact.entity} at ${node.name}: ${step}`);
  if (step === 'kept') return;
  if (step === 'held') {
    if (!mesh.model.heldBack.has(`${node.name} ${fact.entity}`))
      mesh.problem(`${node.name} holds ${fact.entity} unasked`);
    if (row === undefined || isErased(row)) mesh.problem(`${node.name} has not got ${fact.entity}, which it holds`);
    return;
  }
  const isLater = OPEN.has(step) && (erasure?.due_us ?? 0) / 1_000 > mesh.platform.nowMs();
  if (isLater) return;
  if (!OVER.has(step)) mesh.problem(`${node.name} has not erased ${fact.entity}: ${step}`);
  else if (row !== undefined && !isErased(row))
    mesh.problem(`${node.name} says ${step} of ${fact.entity}, which it has`);
  // What was refused once is evidence, and stays: of it nobody gives his word.
  const isEvidence = one.audit.some(({ reason, fact_id }) => reason !== null && fact_id === fact.factId);
  if (isEvidence && step === 'told')
    mesh.problem(`${node.name} gave its word about ${fact.entity}, and has evidence of it`);
  if (isEvidence) return;
  for (const text of [fact.value, fact.factId ?? ''])
    if (isAnywhere(one, text)) mesh.problem(`${node.name} has bytes of ${fact.entity} in its files: ${text}`);
  if (!isOwn) checkTold(mesh, one, author, step, { said, fact, entry });
}

/** An author has the signed word of who says to have given it, and of nobody else. */
function checkTold(mesh: Mesh, one: Held, author: Held, step: string, { entry, fact, said }: Gone): void {
  const { chain_seq } = entry;
  const { entity, scope } = fact;
  if (mesh.model.restored.has(author.node.name) || author.isStuck) return;
  const hasWord = author.acks.some(({ peer, tombstone_seq }) => peer === one.nodeId && tombstone_seq === chain_seq);
  const wasGiven = author.disclosures.some(
    ({ peer, feed, after_seq, to_seq }) =>
      peer === one.nodeId && feed === scope && after_seq < said.feed_seq && to_seq >= said.feed_seq,
  );
  if (step === 'told' && !hasWord && wasGiven)
    mesh.problem(`${author.node.name} has no word of ${one.node.name} about ${entity}`);
  if (hasWord && !mesh.model.restored.has(one.node.name) && step !== 'told' && step !== 'scrubbed' && step !== 'absent')
    mesh.problem(`${one.node.name} gave its word about ${entity}, which stands at ${step}`);
}

/** Whether a text stands in a file of the node, also where it is packed. */
function isAnywhere({ node, pages, evidence }: Held, text: string): boolean {
  const { folder } = node.disk;
  const inFiles = readdirSync(folder, { withFileTypes: true }).some(
    (file) => file.isFile() && readFileSync(join(folder, file.name)).includes(text),
  );
  return (
    inFiles ||
    [...evidence.values()].some((body) => entryIn(body).includes(text)) ||
    pages.some((page) => {
      const decoded = decodePage(page);
      return decoded.ok && decoded.value.entries.some((bytes) => Buffer.from(bytes).includes(text));
    })
  );
}

function entryIn(packed: Uint8Array): Buffer {
  const { received } = JSON.parse(unpackEvidence(packed) ?? '{}');
  return Buffer.from(String(received?.entry ?? ''), 'base64');
}

function authorOf({ origin_node_id }: EntryLine, self: string): string {
  return origin_node_id ?? self;
}

/** In its author's tree, from 1. */
function placeOf({ origin_chain_seq, chain_seq }: EntryLine): number {
  return origin_chain_seq ?? chain_seq;
}

function digestOf(factId: string): string {
  return hashText(factDigest(factId));
}

function hashText(hash: Uint8Array): string {
  return `sha256:${Buffer.from(hash).toString('hex')}`;
}
