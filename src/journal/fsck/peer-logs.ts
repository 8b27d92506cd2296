import { authorityOf } from '../../core/node-id.ts';
import { sameHash } from '../../merkle/hash.ts';
import { ALG_ED25519, parseNote } from '../../merkle/note.ts';
import { parseVerifierKey } from '../../merkle/verifier-key.ts';
import { openSuccession } from '../../wire/succession.ts';
import { type Db, prepare, sqlBuilder } from '../database.ts';
import type { NoteLog } from './notes.ts';

/**
 * The logs of peers with the keys that their pinned declarations name. The identity keys that signed those are pinned in
 * the peer files, not here: the declarations are taken as the journal has them.
 */
export class PeerLogs {
  /** By origin. A later declaration adds its key: what was signed with the earlier one stays signed. */
  readonly #keys = new Map<string, Uint8Array[]>();

  constructor(db: Db) {
    const query = sqlBuilder.selectFrom('peer_declarations').select('note').orderBy('declaration_id');
    for (const note of prepare<[], string>(db, query).pluck().all()) this.#read(note);
    const statements = sqlBuilder.selectFrom('key_statements').select(['node_id', 'note']).orderBy('statement_id');
    this.#follow(prepare<[], { node_id: string; note: string }>(db, statements).all());
  }

  /** A node that is known by what a relay brings declares its later keys to others: its statements are what is held here. */
  #follow(rows: readonly { readonly node_id: string; readonly note: string }[]): void {
    for (const { node_id, note } of rows) {
      const opened = openSuccession(note, node_id);
      if (!opened.ok || opened.value.use !== 'log') continue;
      const [old, next] = [opened.value.old, opened.value.new].map((vkey) => parseVerifierKey(vkey));
      if (!old?.ok || !next?.ok) continue;
      const keys = this.#keys.get(next.value.name) ?? [];
      const isFollowed = keys.some((key) => sameHash(key, old.value.publicKey));
      if (isFollowed && !keys.some((key) => sameHash(key, next.value.publicKey)))
        this.#keys.set(next.value.name, [...keys, next.value.publicKey]);
    }
  }

  /** The log of that name if it can be the peer's; it has no keys if no declaration names one. */
  logOf(peer: string, origin: string | undefined): NoteLog | undefined {
    if (origin === undefined || !isLogOf(peer, origin)) return undefined;
    return { origin, keys: this.#keys.get(origin) ?? [] };
  }

  #read(note: string): void {
    const parsed = parseNote(note);
    const [, nodeId = '', json = ''] = parsed.ok ? parsed.value.text.split('\n') : [];
    for (const vkey of json.match(/"vkey":"[^"]*"/g) ?? []) {
      const key = parseVerifierKey(vkey.slice(8, -1));
      if (!key.ok || key.value.algorithm !== ALG_ED25519) continue;
      const { name, publicKey } = key.value;
      // Nobody declares keys of another's log.
      if (isLogOf(nodeId, name)) this.#keys.set(name, [...(this.#keys.get(name) ?? []), publicKey]);
    }
  }
}

function isLogOf(nodeId: string, origin: string): boolean {
  const authority = authorityOf(nodeId);
  return authority !== null && origin.startsWith(`${authority}/journal/`);
}
