/** Twelve words that two operators read to each other: the same on both screens only if both see the same two nodes. */
import { hash } from 'node:crypto';
import { canonicalJson, type PlainJson } from '../core/canonical-json.ts';
import { WORDS } from '../core/word-list.ts';
import type { PeerNote } from './peer-note.ts';

const HEADER = 'stigmem-words/v1';
const BITS_PER_WORD = 11;
/**
 * 132 bits. Keys are known before they are compared, so whoever sits in between looks for two keys of his own that give
 * both sides the same words: a collision, which costs half the bits.
 */
export const WORD_COUNT = 12;

export type Side = Pick<PeerNote, 'nodeKey' | 'declaration'>;

/** The words of two nodes, whichever of them is named first. */
export function fingerprintWords(one: Side, other: Side): readonly string[] {
  const sides = [sideBytes(one), sideBytes(other)].sort(Buffer.compare);
  const digest = hash('sha256', Buffer.concat([Buffer.from(`${HEADER}\0`), ...sides]), 'hex');
  const bits = BigInt(`0x${digest}`) >> BigInt(256 - WORD_COUNT * BITS_PER_WORD);
  return Array.from({ length: WORD_COUNT }, (_, i) => wordAt(bits, WORD_COUNT - 1 - i));
}

/** Words as people type them: any white space, any case. */
export function typedWords(text: string): readonly string[] {
  return text.trim().toLowerCase().split(/\s+/);
}

/** Key, then the hash of what it has declared. When it was declared is left out: it is signed anew at each start. */
function sideBytes({ nodeKey, declaration }: Side): Buffer {
  const { issued_at: _, ...lasting } = declaration;
  const json = canonicalJson(lasting as unknown as PlainJson);
  return Buffer.concat([nodeKey, hash('sha256', json, 'buffer')]);
}

function wordAt(bits: bigint, index: number): string {
  const mask = (1n << BigInt(BITS_PER_WORD)) - 1n;
  return WORDS[Number((bits >> BigInt(index * BITS_PER_WORD)) & mask)] ?? '';
}
