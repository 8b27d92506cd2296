/** When each API key was last used. Kept beside the keys, written seldom, and of no weight: it is there to be looked at. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomically } from '../config/atomic-file.ts';

/** Keys are used thousands of times a second; a minute is near enough for who asks whether one is still needed. */
const WRITE_EVERY_MS = 60_000;
const USES = z.record(z.string().regex(/^[0-9a-f]{8}$/), z.iso.datetime());

export interface KeyUse {
  note(id: string, nowMs: number): void;
  /** ISO, or null. */
  last(id: string): string | null;
  close(): void;
}

export function openKeyUse(path: string): KeyUse {
  /** Of this process, not written yet. */
  const pending = new Map<string, number>();
  let writtenMs = Number.NEGATIVE_INFINITY;
  const write = (): void => {
    if (pending.size === 0) return;
    try {
      // Read anew: a command line may have used its key meanwhile.
      writeFileAtomically(path, `${JSON.stringify({ ...readUses(path), ...isoOf(pending) })}\n`, 0o600);
      pending.clear();
    } catch {
      // A full disk, or a folder that was just removed: no request fails for this, and it is tried again.
    }
  };
  return {
    note(id, nowMs) {
      pending.set(id, nowMs);
      if (nowMs >= writtenMs && nowMs < writtenMs + WRITE_EVERY_MS) return;
      writtenMs = nowMs;
      write();
    },
    last: (id) => isoOf(pending)[id] ?? readUses(path)[id] ?? null,
    close: write,
  };
}

function isoOf(uses: ReadonlyMap<string, number>): Readonly<Record<string, string>> {
  return Object.fromEntries([...uses].map(([id, ms]) => [id, new Date(ms).toISOString()]));
}

/** What cannot be read is not known. */
function readUses(path: string): Readonly<Record<string, string>> {
  try {
    return USES.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return {};
  }
}
