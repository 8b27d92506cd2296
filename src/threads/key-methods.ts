/** Successions of keys, as the journal's thread keeps them. */
import { JournalError } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { AssertContext } from '../verify/assertion.ts';
import { openStatements } from '../verify/key-chain.ts';
import { KEY_SUCCESSION, type OpenedSuccession } from '../wire/succession.ts';
import type { Asserting, SentAssertRequest } from './asserting.ts';

export interface KeyMethods {
  /** Of each node, in the order in which they were taken. */
  successions(nodeIds: readonly string[]): readonly (readonly OpenedSuccession[])[];
  /** Keeps a peer's statements that are news, with their audit records; what is no statement of it is left out. @returns how many */
  saveSuccessions(nodeId: string, notes: readonly string[], nowMs: number): number;
  changeKey(statement: string, actor: string, context: Omit<AssertContext, 'mayWriteInstructions'>): void;
}

export function keyMethods(journal: Journal, asserting: Asserting): KeyMethods {
  const { nodeId } = journal.identity;
  return {
    successions: (nodeIds) => nodeIds.map((id) => journal.statements.of(id)),
    saveSuccessions: (peer, notes, nowMs) => journal.saveSuccessions(openStatements(notes, peer), null, nowMs),
    changeKey: (note, actor, context) => {
      const statements = openStatements([note], nodeId);
      if (statements.length === 0) throw new JournalError('broken', `not a succession of a key of ${nodeId}`);
      // Statement and fact, or neither: with the statement the change is made, the fact shows it to those who read the feed.
      journal.db.transaction(() => {
        journal.saveSuccessions(statements, actor, context.nowMs);
        const [outcome] = asserting.assert([factOf(nodeId, note)], { ...context, mayWriteInstructions: false });
        if (outcome?.kind !== 'stored') throw new JournalError('broken', 'the succession cannot be asserted as a fact');
      })();
    },
  };
}

function factOf(nodeId: string, note: string): SentAssertRequest {
  return {
    entity: nodeId,
    relation: KEY_SUCCESSION,
    value_type: 'text',
    valueJson: JSON.stringify(note),
    source: nodeId,
    confidence: 1,
    scope: 'public',
    valid_until: null,
    garden_id: null,
    derived_from: [],
    attestation: null,
    interpret_as: 'content',
  };
}
