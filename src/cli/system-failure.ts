/** What the disk or SQLite refuse, in words that say what to do. */
import { CliError, type ExitName } from './exit.ts';

interface Known {
  readonly exit: ExitName;
  readonly what: string;
  readonly fix: string;
}

const FULL: Known = {
  exit: 'refused',
  what: 'the disk is full',
  fix: 'Make room and run the same command again: nothing is half written. docs/OPERATIONS.md, Disk full.',
};
const DAMAGED: Known = {
  exit: 'integrity',
  what: 'the journal cannot be read',
  fix: 'The file is damaged. Keep it as it is, see what stigmem-peerd fsck says, and restore a snapshot: docs/OPERATIONS.md, Backup and restore.',
};
const FAILING: Known = {
  exit: 'refused',
  what: 'the disk is full, or fails',
  fix: 'See how much room there is and what the system’s log says of the disk: docs/OPERATIONS.md, Disk full.',
};
const NO_FOLDER: Known = { exit: 'refused', what: 'no folder can be there', fix: 'Name another path.' };
const FORBIDDEN: Known = {
  exit: 'refused',
  what: 'the system does not allow it',
  fix: 'See who owns the file and its folder, and as whom this runs.',
};

const KNOWN: Readonly<Record<string, Known>> = {
  EACCES: FORBIDDEN,
  ENOSPC: FULL,
  ENOTDIR: NO_FOLDER,
  EPERM: FORBIDDEN,
  EROFS: { ...FORBIDDEN, what: 'the file system is read-only', fix: 'Mount it for writing, or name another path.' },
  SQLITE_FULL: FULL,
  SQLITE_NOTADB: DAMAGED,
};

/** Errors of a worker thread come without their code. */
const BY_MESSAGE: ReadonlyMap<string, Known> = new Map([
  ['database or disk is full', FULL],
  ['database disk image is malformed', DAMAGED],
  ['file is not a database', DAMAGED],
  ['disk I/O error', FAILING],
]);

type SystemError = Error & { readonly code?: unknown; readonly syscall?: unknown };

function knownBy(code: string, syscall: unknown): Known | null {
  if (code.startsWith('SQLITE_CORRUPT')) return DAMAGED;
  if (code.startsWith('SQLITE_IOERR')) return FAILING;
  if (code === 'ENOENT') return syscall === 'mkdir' ? NO_FOLDER : null;
  return (Object.hasOwn(KNOWN, code) ? KNOWN[code] : undefined) ?? null;
}

/** The failure as people read it; null: it is none that the system is known to cause. */
export function systemFailure(error: SystemError): CliError | null {
  const code = String(error.code ?? '');
  const known = knownBy(code, error.syscall) ?? BY_MESSAGE.get(error.message) ?? null;
  if (known === null) return null;
  const { exit, what, fix } = known;
  return new CliError(
    { exit, code: code === '' ? exit : code, message: `${what}: ${error.message}`, fix },
    { cause: error },
  );
}
