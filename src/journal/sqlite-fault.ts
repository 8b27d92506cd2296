import { JournalError } from './errors.ts';

/** What SQLite refused, in words that say what to do; any other error as it is. */
export function explain(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const { code } = error;
  if (code === 'SQLITE_BUSY') {
    return new JournalError(
      'busy',
      'another program holds the journal file locked: end its transaction, then try again',
      {
        cause: error,
      },
    );
  }
  if (typeof code === 'string' && code.startsWith('SQLITE_CONSTRAINT')) {
    return new JournalError(
      'foreign_write',
      `rows were added to the journal file by another program (${error.message}): stop the node and run \`stigmem-peerd fsck\``,
      { cause: error },
    );
  }
  return error;
}
