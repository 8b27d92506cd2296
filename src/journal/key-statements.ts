/** Successions of keys, own and of peers: signed statements, kept for as long as the journal. */
import { ALG_ED25519 } from '../merkle/note.ts';
import { formatVerifierKey, parseVerifierKey } from '../merkle/verifier-key.ts';
import { keysOfChain, openStatements } from '../verify/key-chain.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { readIdentity } from './identity.ts';

export class KeyStatements {
  readonly #all: Statement<[string], { note: string }>;
  readonly #insert: (row: NewRow<'key_statements'>) => number;

  constructor(db: Db) {
    this.#all = prepare(db, statementsOf);
    this.#insert = prepareAppend(db, 'key_statements');
  }

  /** In the order in which they were taken. */
  of(nodeId: string): readonly OpenedSuccession[] {
    return openStatements(
      this.#all.all(nodeId).map(({ note }) => note),
      nodeId,
    );
  }

  /** Keeps the statements that are not there yet. @returns those */
  save(statements: readonly OpenedSuccession[], nowUs: number): readonly OpenedSuccession[] {
    return statements.filter((one) => {
      if (this.#all.all(one.nodeId).some(({ note }) => note === one.note)) return false;
      this.#insert({ node_id: one.nodeId, note: one.note, received_us: nowUs });
      return true;
    });
  }
}

const statementsOf = sqlBuilder
  .selectFrom('key_statements')
  .select('note')
  .where('node_id', '=', PARAM)
  .orderBy('statement_id');

/**
 * The keys of this node's logs: one that is trusted first, then those that its statements join to it.
 *
 * @param logKey raw, 32 bytes
 */
export function ownLogKeys(db: Db, logKey: Uint8Array): readonly [Uint8Array, ...Uint8Array[]] {
  const { nodeId, journalOrigin: name } = readIdentity(db);
  const trusted = formatVerifierKey({ name, algorithm: ALG_ED25519, publicKey: logKey });
  const joined = keysOfChain(new KeyStatements(db).of(nodeId), 'log', trusted).flatMap((vkey) => {
    const key = vkey === trusted ? undefined : parseVerifierKey(vkey);
    return key?.ok === true ? [key.value.publicKey] : [];
  });
  return [logKey, ...joined];
}
