import { authorityOf } from '../../core/node-id.ts';
import { parseIsoInstant } from '../../core/time.ts';
import { sameHash } from '../../merkle/hash.ts';
import { ALG_ED25519, parseNote } from '../../merkle/note.ts';
import { formatVerifierKey, parseVerifierKey } from '../../merkle/verifier-key.ts';
import { keysOfChain, openStatements } from '../../verify/key-chain.ts';
import { type Db, prepare, sqlBuilder } from '../database.ts';
import { usedOriginKeys } from '../origin-key-record.ts';
import type { NoteLog } from './notes.ts';

/**
 * The logs of peers with the keys that their pinned declarations name, and those under which a relay's pages were verified before there
 * was one. The identity keys that signed those are pinned in
 * the peer files, not here: the declarations are taken as the journal has them.
 */
export class PeerLogs {
  /** By origin. A later declaration adds its key: what was signed with the earlier one stays signed. */
  readonly #keys = new Map<string, Uint8Array[]>();
  /** By node id: from when on a key of it is on record. */
  readonly #sinceUs = new Map<string, number>();

  constructor(db: Db) {
    const query = sqlBuilder
      .selectFrom('peer_declarations')
      .select(['peer', 'note', 'received_us'])
      .orderBy('declaration_id');
    for (const { peer, note, received_us } of prepare<[], Declared>(db, query).all()) {
      this.#read(note);
      this.#since(peer, received_us);
    }
    for (const { nodeId, vkey, at } of usedOriginKeys(db)) {
      this.#addVkey(nodeId, vkey);
      const instant = parseIsoInstant(at);
      if (instant.ok) this.#since(nodeId, Number(instant.value));
    }
    const statements = sqlBuilder.selectFrom('key_statements').select(['node_id', 'note']).orderBy('statement_id');
    this.#follow(prepare<[], { node_id: string; note: string }>(db, statements).all());
  }

  /**
   * A node that is known by what a relay brings declares its later keys to others, and its earlier ones no more when it is met: its
   * statements are what is held here. Both keys have signed each, so that one vouches for the other.
   */
  #follow(rows: readonly { readonly node_id: string; readonly note: string }[]): void {
    for (const [nodeId, notes] of Map.groupBy(rows, ({ node_id }) => node_id)) {
      const statements = openStatements(
        notes.map(({ note }) => note),
        nodeId,
      );
      for (const [name, keys] of this.#keys) {
        if (!isLogOf(nodeId, name)) continue;
        const vkeys = keys.map((publicKey) => formatVerifierKey({ name, algorithm: ALG_ED25519, publicKey }));
        const joined = vkeys.flatMap((vkey) => keysOfChain(statements, 'log', vkey));
        for (const key of joined.flatMap(rawKeyOf)) this.#add(name, key);
      }
    }
  }

  /** The log of that name if it can be the peer's; it has no keys if no declaration names one. */
  logOf(peer: string, origin: string | undefined): NoteLog | undefined {
    if (origin === undefined || !isLogOf(peer, origin)) return undefined;
    return { origin, keys: this.#keys.get(origin) ?? [] };
  }

  /**
   * Whether no key of the node was on record yet at that time: what was verified then was so under the key that an operator had in
   * the peer file, and nobody knows now which that was.
   */
  isBeforeAnyKey(nodeId: string, receivedUs: number): boolean {
    return receivedUs < (this.#sinceUs.get(nodeId) ?? Number.POSITIVE_INFINITY);
  }

  #since(nodeId: string, us: number): void {
    this.#sinceUs.set(nodeId, Math.min(us, this.#sinceUs.get(nodeId) ?? us));
  }

  /** Each once: a declaration is renewed again and again. */
  #add(name: string, key: Uint8Array): void {
    const keys = this.#keys.get(name) ?? [];
    if (!keys.some((one) => sameHash(one, key))) this.#keys.set(name, [...keys, key]);
  }

  #read(note: string): void {
    const parsed = parseNote(note);
    const [, nodeId = '', json = ''] = parsed.ok ? parsed.value.text.split('\n') : [];
    for (const vkey of json.match(/"vkey":"[^"]*"/g) ?? []) this.#addVkey(nodeId, vkey.slice(8, -1));
  }

  #addVkey(nodeId: string, vkey: string): void {
    const key = parseVerifierKey(vkey);
    if (!key.ok || key.value.algorithm !== ALG_ED25519) return;
    const { name, publicKey } = key.value;
    // Nobody declares keys of another's log.
    if (isLogOf(nodeId, name)) this.#add(name, publicKey);
  }
}

interface Declared {
  readonly peer: string;
  readonly note: string;
  readonly received_us: number;
}

function rawKeyOf(vkey: string): readonly Uint8Array[] {
  const key = parseVerifierKey(vkey);
  return key.ok ? [key.value.publicKey] : [];
}

function isLogOf(nodeId: string, origin: string): boolean {
  const authority = authorityOf(nodeId);
  return authority !== null && origin.startsWith(`${authority}/journal/`);
}
