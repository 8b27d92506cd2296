import { hash } from 'node:crypto';
import type { EntryRow } from './tables-logs.ts';

/** What a fact can be looked up by. The tag keeps the keys of different kinds apart. */
export type LookupKind = 'cid' | 'entity' | 'group' | 'relation' | 'source';

const TAG: Readonly<Record<LookupKind, string>> = { cid: 'c', entity: 'e', group: 'g', relation: 'r', source: 's' };
const KEY_BYTES = 6;

/**
 * A short key: the first 48 bits of a SHA-256. Short keys keep the one random index of the journal small; whoever looks
 * something up compares the row itself, so that two texts with one key do no harm.
 */
export function lookupKey(kind: LookupKind, text: string): number {
  // Hex is the fastest way out of `hash`: no buffer is made for six bytes.
  return Number.parseInt(hash('sha256', `${TAG[kind]}\0${text}`, 'hex').slice(0, 2 * KEY_BYTES), 16);
}

/** Facts that speak about the same thing: one entity, one relation, one scope. */
export function groupText(fact: {
  readonly entity: string;
  readonly relation: string;
  readonly scope: string;
}): string {
  return `${fact.entity}\0${fact.relation}\0${fact.scope}`;
}

/** A CID is a hash already. */
export function cidKey(digest: Uint8Array): number {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).readUIntBE(0, KEY_BYTES);
}

export type LookupFields = Pick<EntryRow, 'entity' | 'relation' | 'scope' | 'source' | 'cid'>;

/** Relations and sources repeat: their keys are remembered, up to this many of them. */
const REMEMBERED = 4_096;

/** Makes the keys of facts, one after the other. Two keys of one fact may be equal. */
export class LookupKeys {
  readonly #known = new Map<string, number>();

  of(row: LookupFields): number[] {
    return [
      cidKey(row.cid),
      lookupKey('entity', row.entity),
      lookupKey('group', groupText(row)),
      this.#remembered('relation', row.relation),
      this.#remembered('source', row.source),
    ];
  }

  #remembered(kind: 'relation' | 'source', text: string): number {
    const name = `${kind} ${text}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    const key = lookupKey(kind, text);
    this.#known.set(name, key);
    return key;
  }
}
