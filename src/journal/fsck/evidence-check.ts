import { hash } from 'node:crypto';
import { unpackEvidence } from '../evidence-store.ts';
import { type FsckContext, walkTable } from './context.ts';

/** Evidence is what its digest says. That each record's evidence is there: audit-check.ts. */
export function checkEvidence(ctx: FsckContext): void {
  walkTable(ctx, 'evidence', {
    judge: ({ body, digest }) => {
      const text = unpackEvidence(body);
      if (text === undefined) return { code: 'evidence_unreadable', field: 'body', detail: 'it does not unpack' };
      const found = hash('sha256', text, 'buffer');
      if (found.equals(digest)) return undefined;
      return { code: 'digest_mismatch', field: 'body', detail: `its text has digest ${found.toString('hex')}` };
    },
  });
}
