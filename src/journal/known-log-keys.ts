/** Keys that another node's log is known to sign with. */
import { ALG_ED25519 } from '../merkle/note.ts';
import { formatVerifierKey, parseVerifierKey } from '../merkle/verifier-key.ts';
import { logKeysOf, openOwnDeclaration } from '../verify/declared-log-key.ts';
import { keysOfChain } from '../verify/key-chain.ts';
import { openErasureAck } from '../wire/erasure-ack.ts';
import type { Db } from './database.ts';
import { KeyStatements } from './key-statements.ts';
import { PeerRecords } from './peer-records.ts';

export class KnownLogKeys {
  readonly #peers: PeerRecords;
  readonly #statements: KeyStatements;

  constructor(db: Db) {
    this.#peers = new PeerRecords(db);
    this.#statements = new KeyStatements(db);
  }

  /**
   * With those that its statements of succession join to them; none of a node that is not known.
   *
   * @param named verifier key in the node's peer file, which goes before what is pinned
   */
  of(nodeId: string, named: string | undefined): readonly string[] {
    const trusted = named === undefined ? this.#pinned(nodeId) : [named];
    if (trusted.length === 0) return [];
    const statements = this.#statements.of(nodeId);
    return trusted.flatMap((vkey) => keysOfChain(statements, 'log', vkey));
  }

  #pinned(nodeId: string): readonly string[] {
    const note = this.#peers.declaration(nodeId);
    const declaration = note === null ? null : openOwnDeclaration(note);
    if (declaration === null) return [];
    const name = declaration.journal_origin;
    return logKeysOf(declaration, name).map((publicKey) =>
      formatVerifierKey({ name, algorithm: ALG_ED25519, publicKey }),
    );
  }
}

/** Whether one of these keys has signed an acknowledgement. */
export function isAckOf(note: string, vkeys: readonly string[]): boolean {
  return vkeys.some((vkey) => {
    const key = parseVerifierKey(vkey);
    return key.ok && openErasureAck(note, { origin: key.value.name, key: key.value.publicKey }).ok;
  });
}
