/** Successions of keys, as the journal's thread keeps them. */
import { JournalError } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import { type AssertContext, type AssertRequest, verifyAssertion } from '../verify/assertion.ts';
import { openStatements } from '../verify/key-chain.ts';
import { KEY_SUCCESSION, type OpenedSuccession } from '../wire/succession.ts';

export interface KeyMethods {
  /** Of each node, in the order in which they were taken. */
  successions(nodeIds: readonly string[]): readonly (readonly OpenedSuccession[])[];
  /** Keeps a peer's statements that are news, with their audit records; what is no statement of it is left out. @returns how many */
  saveSuccessions(nodeId: string, notes: readonly string[], nowMs: number): number;
  /** Keeps statements about this node's own keys that a peer has shown. Whether our keys have signed them is the caller's to know. */
  learnSuccessions(statements: readonly OpenedSuccession[], shownBy: string, nowMs: number): number;
  changeKey(statement: string, actor: string, context: Omit<AssertContext, 'mayWriteInstructions'>): void;
}

export function keyMethods(journal: Journal): KeyMethods {
  const { nodeId } = journal.identity;
  return {
    successions: (nodeIds) => nodeIds.map((id) => journal.statements.of(id)),
    saveSuccessions: (peer, notes, nowMs) => journal.saveSuccessions(openStatements(notes, peer), nowMs),
    learnSuccessions: (statements, shownBy, nowMs) => {
      const kept = journal.saveSuccessions(statements, nowMs, shownBy);
      journal.guard.holdIfSuperseded();
      return kept;
    },
    changeKey: (note, actor, context) => {
      const [statement] = openStatements([note], nodeId);
      const fact = verifyAssertion(factOf(nodeId, note), { ...context, mayWriteInstructions: false });
      if (statement === undefined || !fact.ok)
        throw new JournalError('broken', `not a succession of a key of ${nodeId}`);
      journal.changeKey(statement, fact.value, actor, context.nowMs);
    },
  };
}

function factOf(nodeId: string, note: string): AssertRequest {
  return {
    entity: nodeId,
    relation: KEY_SUCCESSION,
    value_type: 'text',
    value: note,
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
