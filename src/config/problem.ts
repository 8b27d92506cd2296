/** What is wrong with something an operator wrote. Every problem says where, what was expected and found, and what to do. */
export interface ConfigProblem {
  /** `/srv/node/config.toml:12`, `environment variable STIGMEM_PORT`, `flag --set api.port`. */
  readonly where: string;
  /** `api.port`; null when the whole file is concerned. */
  readonly key: string | null;
  readonly message: string;
  /** What to do about it, as an instruction. */
  readonly fix: string;
}

/** `not_initialised`: there is no node in this folder. `invalid`: there is one, and its settings contradict the rules. */
export interface ConfigError {
  readonly code: 'not_initialised' | 'invalid';
  /** Never empty: all that was found, so that nobody has to mend one line per start. */
  readonly problems: readonly ConfigProblem[];
}

/** `config.toml:12: unknown key "api.prot". Rename it to "api.port" …` */
export function problemText(problem: ConfigProblem): string {
  return `${problem.where}: ${problem.message}. ${problem.fix}`;
}

/** A value as an operator recognises it, cut to a length that fits a line. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
