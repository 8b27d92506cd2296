/** `run/daemon.json`: where the running daemon listens. It helps to find the daemon; what keeps a second one out is the lock. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFileAtomically } from './atomic-file.ts';
import { dataPaths } from './data-dir.ts';

export interface DaemonInfo {
  readonly pid: number;
  /** Base URL of the HTTP API, without a slash at the end. */
  readonly api: string;
  /** ISO time. */
  readonly started_at: string;
  /** PEM of the certificate that is served; absent: plain HTTP. */
  readonly certificate?: string;
}

/** Writes the file; call it when the API accepts connections. */
export function writeDaemonFile(dir: string, info: DaemonInfo): void {
  const paths = dataPaths(dir);
  mkdirSync(paths.run, { recursive: true, mode: 0o700 });
  writeFileAtomically(paths.daemon, `${JSON.stringify(info)}\n`, 0o600);
}

/** Removes the file if it is the one this process wrote. */
export function removeDaemonFile(dir: string, pid: number): void {
  if (readFile(dir)?.pid === pid) rmSync(dataPaths(dir).daemon, { force: true });
}

/**
 * The running daemon of a folder, or null. A file left behind by a daemon that was killed counts as none.
 *
 * @param isAlive tells whether a process exists; pids are reused, so the caller still has to see that its API answers
 */
export function readDaemonFile(dir: string, isAlive: (pid: number) => boolean): DaemonInfo | null {
  const info = readFile(dir);
  return info !== null && isAlive(info.pid) ? info : null;
}

function readFile(dir: string): DaemonInfo | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(dataPaths(dir).daemon, 'utf8'));
    return isDaemonInfo(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isDaemonInfo(value: unknown): value is DaemonInfo {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value && 'api' in value && 'started_at' in value)) return false;
  const { pid, api, started_at: startedAt } = value;
  if ('certificate' in value && typeof value.certificate !== 'string') return false;
  return Number.isSafeInteger(pid) && Number(pid) > 0 && typeof api === 'string' && typeof startedAt === 'string';
}
