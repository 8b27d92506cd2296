/** How a command ends. Scripts rely on these numbers; `stigmem-peerd --help` prints this table. */
export const EXITS = {
  ok: { code: 0, meaning: 'done' },
  refused: { code: 1, meaning: 'refused or failed: the message says why; for import, at least one line was bad' },
  usage: { code: 2, meaning: 'the command line is wrong' },
  not_found: { code: 3, meaning: 'what was asked for does not exist' },
  integrity: { code: 4, meaning: 'stored data is not what was written: run fsck, see docs/OPERATIONS.md' },
  unavailable: { code: 5, meaning: 'no node to work with: not initialised, misconfigured, locked or not answering' },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C or SIGTERM before it was done' },
} as const;

export type ExitName = keyof typeof EXITS;

/** The table of exit codes, for `--help`. */
export function exitCodeHelp(): string {
  const rows = Object.values(EXITS).map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`);
  return `Exit codes:\n${rows.join('\n')}`;
}

export interface CliFailure {
  readonly exit: ExitName;
  /** What was expected and what was there instead. */
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
  /** A code for scripts, where the failure came with one. */
  readonly code?: string;
}

/** A command that cannot be done: caught in one place, printed, turned into an exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: ExitName;
  readonly fix: string | null;
  readonly code: string;

  constructor(failure: CliFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.exit = failure.exit;
    this.fix = failure.fix ?? null;
    this.code = failure.code ?? failure.exit;
  }
}
