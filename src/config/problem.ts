import { shortened } from '../core/shortened.ts';

/**
 * What is wrong with something an operator wrote. Every problem says where, what was expected and found, and what to do.
 * Whatever it repeats of a file, a variable or a flag is cut: a problem is a line of a log, whatever was written.
 */
export interface ConfigProblem {
  /** At most some 1,000 characters: `/srv/node/config.toml:12`, `environment variable STIGMEM_PORT`, `flag --set api.port`. */
  readonly where: string;
  /** `api.port`, cut to 120 characters; null when the whole file is concerned. */
  readonly key: string | null;
  readonly message: string;
  /** What to do about it, as an instruction. */
  readonly fix: string;
}

/** `not_initialised`: there is no node in this folder. `invalid`: there is one, and its settings contradict the rules. */
export interface ConfigError {
  readonly code: 'not_initialised' | 'invalid';
  /** Never empty: what was found, so that nobody has to mend one line per start. The faults of a file up to a limit. */
  readonly problems: readonly ConfigProblem[];
}

/** `config.toml:12: unknown key "api.prot". Rename it to "api.port" …` */
export function problemText(problem: ConfigProblem): string {
  return `${problem.where}: ${problem.message}. ${problem.fix}`;
}

const MAX_SHOWN_CHARS = 120;
const MAX_PATH_CHARS = 1_000;

/** A value as an operator recognises it, in JSON, cut to a length that fits a line. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
  return shortened(text, MAX_SHOWN_CHARS);
}

/** The name of a key, variable or flag that somebody else chose, cut like a value. */
export function shownName(name: string): string {
  return shortened(name, MAX_SHOWN_CHARS);
}

/** A path or an address that a file names: longer than any that is meant. */
export function shownPath(path: string): string {
  return shortened(path, MAX_PATH_CHARS);
}
