/** Successions of keys, own and of peers: signed statements, kept for as long as the journal. */
import { hash } from 'node:crypto';
import { ALG_ED25519 } from '../merkle/note.ts';
import type { WitnessPolicy } from '../merkle/tlog-policy.ts';
import { formatVerifierKey, parseVerifierKey } from '../merkle/verifier-key.ts';
import { keysOfChain, openStatements, successorsOf } from '../verify/key-chain.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { readIdentity } from './identity.ts';

/** Four keys, each changed every three months for sixteen years. */
const MAX_STATEMENTS_OF_NODE = 256;

export class KeyStatements {
  readonly #of: Statement<[string], { note: string }>;
  readonly #nodes: Statement<[], string>;
  readonly #insert: (row: NewRow<'key_statements'>) => number;
  /** Policies with what the statements add to them; dropped with each statement that comes. */
  #policies = new WeakMap<WitnessPolicy, WitnessPolicy>();

  constructor(db: Db) {
    this.#of = prepare(db, statementsOf);
    this.#nodes = prepare<[]>(db, nodesWithStatements).pluck() as Statement<[], string>;
    this.#insert = prepareAppend(db, 'key_statements');
  }

  /** In the order in which they were taken. */
  of(nodeId: string): readonly OpenedSuccession[] {
    return openStatements(
      this.#of.all(nodeId).map(({ note }) => note),
      nodeId,
    );
  }

  /** A policy in which a witness whose key was succeeded may cosign with the new one. */
  withSuccessors(policy: WitnessPolicy): WitnessPolicy {
    const known = this.#policies.get(policy);
    if (known !== undefined) return known;
    const statements = this.#nodes.all().flatMap((nodeId) => this.of(nodeId));
    const witnesses = policy.witnesses.map((witness) => ({
      ...witness,
      successors: successorsOf(statements, 'witness', witness.vkey, Number.MAX_SAFE_INTEGER).flatMap(({ new: vkey }) =>
        rawKeysOf([vkey]),
      ),
    }));
    const extended = { ...policy, witnesses };
    this.#policies.set(policy, extended);
    return extended;
  }

  /**
   * Keeps the statements that are not there yet. A node that changes its keys without end is not followed in that: it
   * would fill the journal of each of its peers.
   *
   * @returns those that are kept now
   */
  save(statements: readonly OpenedSuccession[], nowUs: number): readonly OpenedSuccession[] {
    this.#policies = new WeakMap();
    return statements.filter((one) => {
      const kept = this.#of.all(one.nodeId);
      if (kept.length >= MAX_STATEMENTS_OF_NODE || kept.some(({ note }) => note === one.note)) return false;
      this.#insert({ node_id: one.nodeId, note: one.note, received_us: nowUs });
      return true;
    });
  }
}

const nodesWithStatements = sqlBuilder.selectFrom('key_statements').select('node_id').distinct();

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
  const { nodeId, journalOrigin } = readIdentity(db);
  const trusted = logVkey(journalOrigin, logKey);
  const joined = keysOfChain(new KeyStatements(db).of(nodeId), 'log', trusted);
  return [logKey, ...rawKeysOf(joined.filter((vkey) => vkey !== trusted))];
}

/** Whether a statement has put another log key in the place of this one, by whatever clock: it was signed when it took over. */
export function isSuperseded(db: Db, logKey: Uint8Array): boolean {
  const { nodeId, journalOrigin } = readIdentity(db);
  const vkey = logVkey(journalOrigin, logKey);
  return successorsOf(new KeyStatements(db).of(nodeId), 'log', vkey, Number.MAX_SAFE_INTEGER).length > 0;
}

function logVkey(name: string, publicKey: Uint8Array): string {
  return formatVerifierKey({ name, algorithm: ALG_ED25519, publicKey });
}

function rawKeysOf(vkeys: readonly string[]): readonly Uint8Array[] {
  return vkeys.flatMap((vkey) => {
    const key = parseVerifierKey(vkey);
    return key.ok ? [key.value.publicKey] : [];
  });
}

/** What an audit record says of a succession. */
export function successionDetail({ nodeId, note, v, ...said }: OpenedSuccession): Record<string, string> {
  return { ...said, statement: `sha256:${hash('sha256', note)}` };
}
