/** Whether this process may hold open what its own limits let others open. */
import { readFileSync } from 'node:fs';
import { MAX_CONNECTIONS } from '../admin/server.ts';
import { DEFAULT_TRANSPORT_LIMITS } from '../transport/limits.ts';

/** The journal in three threads with its sidecars, logs, listeners, and what the runtime holds. */
const OWN_FILES = 128;

/** Connections of peers, sockets whose key is not proved yet, clients of the API, and our own. */
export function filesNeeded(maxConnections: number): number {
  return maxConnections + DEFAULT_TRANSPORT_LIMITS.maxPending + MAX_CONNECTIONS + OWN_FILES;
}

/** @param limits text of `/proc/self/limits`; @returns a sentence if the limit is lower than what may be needed, else null */
export function openFilesFault(limits: string, maxConnections: number): string | null {
  const soft = /^Max open files\s+([0-9]+)\s/m.exec(limits)?.[1];
  const needed = filesNeeded(maxConnections);
  if (soft === undefined || Number(soft) >= needed) return null;
  return `this process may hold ${soft} files open, and its connections may need ${needed}: raise the limit (LimitNOFILE= in systemd, ulimit -n), or lower limits.max_connections`;
}

/** Null where the system does not say. */
export function processLimits(): string | null {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return null;
  }
}
