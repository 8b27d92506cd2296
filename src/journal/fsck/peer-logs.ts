import { authorityOf } from '../../core/node-id.ts';
import { ALG_ED25519, parseNote } from '../../merkle/note.ts';
import { parseVerifierKey } from '../../merkle/verifier-key.ts';
import { type Db, prepare, sqlBuilder } from '../database.ts';
import type { NoteLog } from './notes.ts';

/**
 * The logs of peers with the keys that their pinned declarations name. The identity keys that signed those are pinned in
 * the peer files, not here: the declarations are taken as the journal has them.
 */
export class PeerLogs {
  /** By origin. A later declaration replaces the key. */
  readonly #keys = new Map<string, Uint8Array>();

  constructor(db: Db) {
    const query = sqlBuilder.selectFrom('peer_declarations').select('note').orderBy('declaration_id');
    for (const note of prepare<[], string>(db, query).pluck().all()) this.#read(note);
  }

  /** The log of that name if it can be the peer's; its key is null if no declaration names it. */
  logOf(peer: string, origin: string | undefined): NoteLog | undefined {
    const authority = authorityOf(peer);
    if (origin === undefined || authority === null || !origin.startsWith(`${authority}/journal/`)) return undefined;
    return { origin, key: this.#keys.get(origin) ?? null };
  }

  #read(note: string): void {
    const parsed = parseNote(note);
    const json = parsed.ok ? parsed.value.text.split('\n')[2] : undefined;
    for (const vkey of json?.match(/"vkey":"[^"]*"/g) ?? []) {
      const key = parseVerifierKey(vkey.slice(8, -1));
      if (key.ok && key.value.algorithm === ALG_ED25519) this.#keys.set(key.value.name, key.value.publicKey);
    }
  }
}
