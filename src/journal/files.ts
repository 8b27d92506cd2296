/** The files of a journal, and who it belongs to. */

export const JOURNAL_FILE = 'journal.db';
export const SIGNED_HEADS_FILE = 'signed-heads.json';
export const LOCK_FILE = 'lock.db';

export interface JournalIdentity {
  readonly nodeId: string;
  /** `<authority>/journal/<16 hex>` */
  readonly journalOrigin: string;
  /** `<authority>/audit/<16 hex>` */
  readonly auditOrigin: string;
  /** When the node was made, ISO: its keys are valid from then on. */
  readonly createdAt: string;
}
