/** A process of the demo: prints JSON lines on standard output, logs to a file, is stopped by its id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { CliError } from '../exit.ts';

/** Longer than a node needs to finish what is under way; after that it is not stopping by itself. */
const STOP_MS = 15_000;
const START_MS = 30_000;
const LOG_TAIL_CHARS = 2_000;

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** The next line it prints. @throws CliError when it ends or stays silent instead */
  nextLine(): Promise<string>;
  /** Calls for every further line. */
  onLine(listener: (line: string) => void): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** Set when it has ended. */
  readonly exitCode: number | null;
  /** How it ended, with the end of its log; null while it runs or when it was told to stop. */
  ending(): string | null;
  /** Ends it now. */
  kill(): void;
  /** Asks it to stop, and ends it if it does not. Resolves with its exit code, null if it had to be killed. */
  stop(): Promise<number | null>;
}

/** @param command what to run and its arguments */
export function startChild(
  name: string,
  command: readonly [string, ...string[]],
  args: readonly string[],
  logFile: string,
  env: Readonly<Record<string, string | undefined>>,
): Child {
  const log = openSync(logFile, 'a', 0o600);
  const [program, ...before] = command;
  // Its own process group: Ctrl-C reaches the demo alone, which then stops its children in order.
  const child = spawn(program, [...before, ...args], { stdio: ['ignore', 'pipe', log], detached: true, env });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const lines = new Lines(child);
  let isStopping = false;
  return {
    name,
    pid: child.pid ?? 0,
    ended,
    get exitCode() {
      return child.exitCode;
    },
    async nextLine() {
      const timeout = timer(START_MS);
      const line = await Promise.race([lines.next(), ended.then(() => null), timeout.done.then(() => null)]);
      timeout.clear();
      if (line !== null) return line;
      const message = `expected ${name} to start, got an end or silence. Its log ends with:\n${logTail(logFile)}`;
      throw new CliError({ exit: 'refused', message });
    },
    onLine: (listener) => lines.listen(listener),
    ending() {
      if (isStopping || (child.exitCode === null && child.signalCode === null)) return null;
      const how = child.signalCode ?? `exit code ${child.exitCode}`;
      return `${name} ended by itself (${how}). Its log ends with:\n${logTail(logFile)}`;
    },
    kill: () => void child.kill('SIGKILL'),
    async stop() {
      isStopping = true;
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return child.exitCode;
      child.kill('SIGTERM');
      const patience = timer(STOP_MS);
      await Promise.race([ended, patience.done]);
      patience.clear();
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
      return child.exitCode;
    },
  };
}

function logTail(path: string): string {
  return readFileSync(path, 'utf8').slice(-LOG_TAIL_CHARS);
}

/** Lines wait here until somebody asks. */
class Lines {
  readonly #waiting: string[] = [];
  readonly #askers: ((line: string) => void)[] = [];
  #listener: ((line: string) => void) | null = null;

  constructor(child: ChildProcess) {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const asker = this.#askers.shift();
      if (asker !== undefined) asker(line);
      else if (this.#listener !== null) this.#listener(line);
      else this.#waiting.push(line);
    });
  }

  next(): Promise<string> {
    const line = this.#waiting.shift();
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve) => this.#askers.push(resolve));
  }

  listen(listener: (line: string) => void): void {
    for (const line of this.#waiting.splice(0)) listener(line);
    this.#listener = listener;
  }
}

function timer(ms: number): { readonly done: Promise<void>; clear(): void } {
  let handle: NodeJS.Timeout | undefined;
  const done = new Promise<void>((resolve) => {
    handle = setTimeout(resolve, ms);
  });
  return { done, clear: () => clearTimeout(handle) };
}
