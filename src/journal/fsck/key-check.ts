import { openSuccession } from '../../wire/succession.ts';
import { type FsckContext, walkTable } from './context.ts';

/** Each row holds a statement of its node that both keys have signed. */
export function checkKeyStatements(ctx: FsckContext): void {
  walkTable(ctx, 'key_statements', {
    judge: ({ node_id, note }) => {
      const opened = openSuccession(note, node_id);
      if (opened.ok) return undefined;
      const { at, expected, got } = opened.error;
      const isOther = at === 'node_id';
      return {
        code: 'statement_invalid',
        field: isOther ? 'node_id' : 'note',
        detail: `expected ${expected}, got ${got}`,
      };
    },
  });
}
