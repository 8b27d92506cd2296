/** Mutants of the JSON kinds and of policies; and why one may stay valid. */
import type { TrustOptions } from '../../../src/client/trust.ts';
import type { Random } from '../../adversarial/fuzz/random.ts';
import { type Json, jsonEdit, placesIn } from './json-edits.ts';
import { donors, HEADS } from './reader-originals.ts';
import type { ReaderCase } from './readers.ts';

const DONORS = donors();
const latin1 = (text: string): string => Buffer.from(text, 'base64').toString('latin1');
const utf8 = (text: string): string => Buffer.from(text, 'base64').toString('utf8');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Another text under the same member; null if nothing changed. @param bytes edits a text as latin1 */
export function mutateReader(
  one: ReaderCase,
  random: Random,
  bytes: (text: string, random: Random) => string,
): { readonly case: ReaderCase; readonly mutation: string } | null {
  const member = memberOf(one, random);
  const before = (one as unknown as Record<string, string>)[member] ?? '';
  const after =
    one.kind === 'policy' || random.chance(4)
      ? byBytes(before, random, bytes)
      : byStructure(one.kind, before, random, bytes);
  if (after === before) return null;
  return { case: { ...one, [member]: after } as ReaderCase, mutation: effectOf(one, member, before, after) };
}

function memberOf(one: ReaderCase, random: Random): string {
  if (one.kind === 'policy') return random.chance(3) ? 'note' : 'policy';
  return one.kind === 'anchor' ? 'receipt' : one.kind;
}

function byBytes(before: string, random: Random, bytes: (text: string, random: Random) => string): string {
  return Buffer.from(bytes(latin1(before), random), 'latin1').toString('base64');
}

/** Texts inside of the JSON are JSON again (an entry, a leaf in base64), or notes. */
function byStructure(
  kind: 'bundle' | 'anchor' | 'evidence',
  before: string,
  random: Random,
  bytes: (text: string, random: Random) => string,
): string {
  const nested = (text: string, inner: Random): string => {
    if (text.startsWith('{')) return jsonEdit(text, text, inner, bytes);
    const leaf = /^eyJ[A-Za-z0-9+/]+=*$/.test(text) ? utf8(text) : null;
    if (leaf !== null) return base64(jsonEdit(leaf, leaf, inner, bytes));
    return Buffer.from(bytes(Buffer.from(text).toString('latin1'), inner), 'latin1').toString('utf8');
  };
  return base64(jsonEdit(utf8(before), random.pick(DONORS[kind]), random, nested));
}

function effectOf(one: ReaderCase, member: string, before: string, after: string): string {
  if (one.kind === 'policy') return member === 'policy' ? 'another policy' : noteEffect(utf8(before), utf8(after));
  try {
    return effectOnJson(one, parsed(utf8(before)), parsed(utf8(after)));
  } catch (error) {
    if (error instanceof RangeError) return 'nested deeper than anybody takes';
    throw error;
  }
}

function effectOnJson(one: JsonCase, old: JsonObject | null, now: JsonObject | null): string {
  if (old === null || now === null) return 'no JSON object';
  if (JSON.stringify(old) === JSON.stringify(now)) return 'another spelling';
  return sameCore(one, old, now) ? 'what nothing signed covers' : 'what is covered';
}

/** Tells whether nothing differs that a signature, a hash or the form of the document covers. */
function sameCore(one: JsonCase, old: JsonObject, now: JsonObject): boolean {
  switch (one.kind) {
    case 'anchor':
      return receiptCore(old) === receiptCore(now);
    case 'evidence':
      return sameEvidence(old, now);
    case 'bundle':
      return bundleCore(one.trust, old) === bundleCore(one.trust, now) && sameAnchors(one.trust, old, now);
  }
}

type JsonCase = Exclude<ReaderCase, { kind: 'policy' }>;
type JsonObject = { [member: string]: Json };

function parsed(text: string): JsonObject | null {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Places of a receipt that are covered. The place of a local line, its time and the name of its file are nobody's word. */
const COVERED = {
  local:
    /^(backend|checkpoint|integrated_time|leaf_hash|tree_size|v|entry\/(note|leaf_hash|prev_hash|chain_hash|payload(\/.*)?))$/,
  rekor:
    /^(backend|checkpoint|integrated_time|leaf_hash|log_id|log_index|tree_size|v|entry\/(body|canonicalizedBody|integratedTime|logID|logId\/keyId|logIndex|kindVersion\/(kind|version)|(verification\/)?(signedEntryTimestamp|inclusionProof\/(checkpoint|checkpoint\/envelope|hashes\/[0-9]+|logIndex|rootHash|treeSize))))$/,
};
const NUMBER = /\/(logIndex|treeSize|integratedTime)$/;

/** Numbers of protobuf's JSON have several spellings, zero is left out; of notes, the text counts. */
function receiptCore(receipt: JsonObject): string {
  const covered = receipt['backend'] === 'local' ? COVERED.local : COVERED.rekor;
  const leaves = leavesOf(receipt).flatMap(({ path, value }): [string, string][] => {
    const place = path.join('/');
    if (!covered.test(place)) return [];
    if (NUMBER.test(place) && (value === null || String(value) === '0')) return [];
    return [[place, NUMBER.test(place) ? String(value) : JSON.stringify(signedText(value))]];
  });
  return JSON.stringify(leaves.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const leavesOf = (value: Json) =>
  placesIn(value).filter(
    ({ value: leaf }) => typeof leaf !== 'object' || leaf === null || Object.keys(leaf).length === 0,
  );

/** A note without its signature lines: those of other keys may come and go, and the line of a known one is needed as ever. */
function signedText(value: Json): Json {
  return typeof value === 'string' && value.includes('\u2014 ') ? textOf(value) : value;
}

const SIGNED_HEADS = new Set(HEADS.map(textOf));

/**
 * Not the words of whoever made it, nor the order of the notes, nor a path that two notes of one size do not need. Two other
 * heads that the log has signed are as good as these.
 */
function sameEvidence(old: JsonObject, now: JsonObject): boolean {
  const texts = textsOf(now);
  const areSigned = texts.length === 2 && texts.every((text) => SIGNED_HEADS.has(text));
  const isOfOneSize = new Set(texts.map((text) => text.split('\n')[1])).size === 1;
  const isSame = areSigned || JSON.stringify(texts) === JSON.stringify(textsOf(old));
  const isProven = isOfOneSize || JSON.stringify(now['path']) === JSON.stringify(old['path']);
  return isSame && isProven && namedIn(now) === namedIn(old);
}

function textsOf({ notes }: JsonObject): string[] {
  return (Array.isArray(notes) ? notes : []).map((note) => String(signedText(note))).sort();
}

function namedIn({ kind, peer, v }: JsonObject): string {
  const { log_key, origin } = Object(peer) as JsonObject;
  return JSON.stringify([kind ?? null, v ?? null, log_key ?? null, origin ?? null]);
}

/** The declaration is needed by those who trust a node; its own signature lines are as those of any note. */
function bundleCore(trust: TrustOptions, { anchors, declaration, proof, ...rest }: JsonObject): string {
  const declared = trust.nodes === undefined ? null : signedText(declaration ?? null);
  return JSON.stringify([Array.isArray(anchors), declared, signedText(proof ?? null), rest]);
}

/** Anchors may be left out, doubled, reordered; none may be there that was not. Local ones count for nothing. */
function sameAnchors(trust: TrustOptions, old: JsonObject, now: JsonObject): boolean {
  if (trust.anchors === undefined) return true;
  const cores = ({ anchors }: JsonObject): string[] =>
    (Array.isArray(anchors) ? anchors : [])
      .map((one) => Object(one) as JsonObject)
      .filter(({ backend }) => backend !== 'local')
      .map(receiptCore);
  const known = new Set(cores(old));
  const found = cores(now);
  return found.length > 0 && found.every((core) => known.has(core));
}

function noteEffect(before: string, after: string): string {
  return textOf(before) === textOf(after) ? 'signature lines' : 'text of a note';
}

function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n'));
}
