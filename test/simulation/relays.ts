/** One node that passes on another's public facts to a third: what a relay that lies makes of them, and what must hold. */
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { parseVerifierKey } from '../../src/merkle/verifier-key.ts';
import { storedLeaves } from '../../src/verify/page-leaves.ts';
import type { Origins } from '../../src/wire/origins.ts';
import { decodePage, encodeEntries, type PageFrames } from '../../src/wire/page.ts';
import { decodePageHeader, encodePageHeader, type PageHeader } from '../../src/wire/page-header.ts';
import { signPageNote } from '../../src/wire/page-note.ts';
import { PULL_PROTOCOL } from '../../src/wire/protocols.ts';
import { openRelayPermit } from '../../src/wire/relay-permit.ts';
import type { Chance } from './chance.ts';
import { isErased } from './erasures.ts';
import type { EntryLine, Held } from './held.ts';
import type { Mesh, SimNode } from './mesh.ts';
import type { Meddle } from './network.ts';

/** Whose facts are relayed, by whom, to whom. */
export const ORIGIN = 'a';
export const RELAY = 'b';
export const READER = 'c';
export const RELAYED: string = `from/${ORIGIN}.example/public`;
/** The line of the origin's file that lets the relay ask for a permit, among the grants of a run. */
export const PERMIT = 'permit';
const LINE_BYTES = 46;
const HASH_BYTES = 32;

const RELAY_LIES = ['withhold', 'unproved', 'redated', 'permit'] as const;

/** From here on the relay signs something else about what it passes on, until it is mended. */
export function lie(mesh: Mesh, chance: Chance): void {
  const relay = mesh.nodes.find(({ name }) => name === RELAY);
  const reader = mesh.nodes.find(({ name }) => name === READER);
  if (relay?.running === undefined || reader === undefined) return;
  const kind = chance.pick(RELAY_LIES);
  mesh.fault(`relay ${kind}`);
  mesh.model.meddled.add(RELAY);
  mesh.model.hasRelayLied = true;
  relay.running.transport.meddle = liesOf(kind, relay, reader);
}

function liesOf(kind: (typeof RELAY_LIES)[number], relay: SimNode, reader: SimNode): Meddle {
  const signer = createLogSigner(relay.made.identity.journalOrigin, relay.keys.log.seed);
  return async function* meddle(protocol, frames, asker) {
    if (protocol !== PULL_PROTOCOL || asker !== reader.peerId) {
      yield* frames;
      return;
    }
    let page: Uint8Array[] = [];
    for await (const frame of frames) {
      const header = decodePageHeader(frame);
      if (!header.ok && page.length === 0) {
        yield frame;
        continue;
      }
      page.push(frame);
      const [first] = page;
      const opened = first === undefined ? undefined : decodePageHeader(first);
      if (
        opened?.ok !== true ||
        page.length < 2 + (hasEntries(opened.value) ? 1 : 0) + (hasProof(opened.value) ? 1 : 0)
      )
        continue;
      yield* changed(kind, opened.value, page, (told, given) =>
        Buffer.from(
          signPageNote(
            { receiver: reader.made.nodeId, feed: told.feed, after: told.after, to: told.after + told.indexes.length },
            sizeOf(told.checkpoint),
            given,
            signer,
          ),
        ),
      );
      page = [];
    }
    yield* page;
  };
}

function* changed(
  kind: (typeof RELAY_LIES)[number],
  header: PageHeader,
  page: readonly Uint8Array[],
  sign: (header: PageHeader, frames: PageFrames) => Uint8Array,
): Generator<Uint8Array> {
  const [, second = null, third = null] = page;
  const entries = hasEntries(header) ? second : null;
  const proof = hasProof(header) ? (hasEntries(header) ? third : second) : null;
  const { origins } = header;
  const [batch] = origins?.batches ?? [];
  const decoded = decodePage({ header: encodePageHeader(header), entries, proof });
  if (origins === null || batch === undefined || entries === null || !decoded.ok) {
    yield* page;
    return;
  }
  const isMeant = (place: number): boolean => batch.places.includes(place);
  const left = { ...origins, batches: origins.batches.slice(1) };
  const told: Record<typeof kind, Origins> = {
    withhold: { ...left, entries: origins.entries.map((entry, i) => (isMeant(i) ? null : entry)) },
    unproved: left,
    redated: {
      ...origins,
      entries: origins.entries.map((entry, i) =>
        isMeant(i) && entry ? { ...entry, feed_seq: entry.feed_seq + 1 } : entry,
      ),
    },
    permit: {
      ...origins,
      permit: origins.permit.replace(/[A-Za-z](?=[^\n]*\n\n)/, (letter) => (letter === 'a' ? 'b' : 'a')),
    },
  };
  const leaves = storedLeaves(decoded.value);
  const lines = decoded.value.entries.map((bytes, i) =>
    kind === 'withhold' && isMeant(i)
      ? { salt: leaves.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES), bytes: new Uint8Array(0) }
      : { salt: decoded.value.salts[i] ?? new Uint8Array(HASH_BYTES), bytes },
  );
  const lengths = lines.map(({ bytes }) => bytes.length);
  const total = lengths.reduce((sum, length) => sum + length + LINE_BYTES, 0);
  const lied = { ...header, origins: told[kind], lengths, entries_bytes: total };
  const frames = { header: encodePageHeader(lied), entries: encodeEntries(lines, header.encoding), proof };
  yield frames.header;
  yield frames.entries;
  if (proof !== null) yield proof;
  yield sign(lied, frames);
}

function hasEntries({ indexes }: PageHeader): boolean {
  return indexes.length > 0;
}

function hasProof({ proof_hashes }: PageHeader): boolean {
  return proof_hashes > 0;
}

/** The second line of a checkpoint. */
function sizeOf(checkpoint: string): number {
  return Number(checkpoint.split('\n')[1]);
}

/** Whether a fact may have reached the reader by the relay: shared by it, and permitted by the origin, at some moment. */
export function mayBeRelayed({ model, platform }: Mesh, line: EntryLine, relay: Held, sinceMs: number): boolean {
  const untilMs = platform.elapsedMs;
  return (
    line.received_from === relay.nodeId &&
    line.scope === 'public' &&
    model.grants.wasOpen(RELAY, READER, RELAYED, sinceMs, untilMs) &&
    model.grants.wasOpen(ORIGIN, RELAY, PERMIT, 0, untilMs)
  );
}

/** What the reader has of the relay's pages: each by a permit of the origin, and all that was to be passed on. */
export function checkRelayed(mesh: Mesh, all: readonly Held[]): void {
  const [origin, relay, reader] = [ORIGIN, RELAY, READER].map((name) => all.find(({ node }) => node.name === name));
  if (origin === undefined || relay === undefined || reader === undefined || !mesh.isRelayed) return;
  const keys = [...origin.node.logKeys];
  for (const { peer, feed, header } of reader.pages) {
    if (peer !== relay.nodeId || feed !== RELAYED) continue;
    const opened = decodePageHeader(header);
    const permit = opened.ok ? (opened.value.origins?.permit ?? '') : '';
    if (!keys.some((vkey) => permitted(permit, origin, vkey) === relay.nodeId))
      mesh.problem(`${reader.node.name} took a page of ${RELAYED} without a permit for ${relay.node.name}`);
  }
  const held = new Set(reader.entries.map(({ fact_id }) => fact_id));
  const passed = reader.entries.filter(
    ({ received_from, origin_node_id }) => received_from === relay.nodeId && origin_node_id === origin.nodeId,
  );
  mesh.note(`relayed facts: ${passed.length}`);
  // A log that was lost with its node can be compared with nothing: what clients gave it is compared with the model.
  for (const line of origin.isStuck ? [] : passed)
    if (!origin.entries.some(({ leaf_hash }) => line.origin_leaf_hash?.equals(leaf_hash) === true))
      mesh.problem(`${reader.node.name} took ${line.entity} as a fact of ${origin.node.name}, which is not in its log`);
  if (mesh.model.hasRelayLied || [origin, relay, reader].some(({ isStuck }) => isStuck)) return;
  if (!mesh.mayRead(RELAY, READER, RELAYED)) return;
  for (const line of relay.entries)
    if (line.origin_node_id === origin.nodeId && line.scope === 'public' && isPassedOn(line) && !held.has(line.fact_id))
      mesh.problem(`${reader.node.name} has not got ${line.entity} of ${origin.node.name} by ${relay.node.name}`);
}

function isPassedOn(line: EntryLine): boolean {
  return !isErased(line) && line.relation === 'ops:state';
}

/** @returns who may relay by it; undefined: it is no permit of the origin */
function permitted(note: string, { node }: Held, vkey: string): string | undefined {
  const key = parseVerifierKey(vkey);
  const log = {
    origin: node.made.identity.journalOrigin,
    key: key.ok ? key.value.publicKey : new Uint8Array(HASH_BYTES),
  };
  const opened = openRelayPermit(note, log);
  return opened.ok ? opened.value.relay : undefined;
}
