/** Whether the node can do its work: append, sign, serve. Each reason against it has a name. */
import { statfsSync } from 'node:fs';
import type { Readiness } from '../admin/node-status.ts';
import type { WriterStats } from '../threads/writer.ts';
import type { Base } from './base.ts';
import type { GuardStatus } from './guard.ts';

/** Queries answer from too old a state beyond this lag. */
const READY_LAG_ENTRIES = 100_000;
/** The journal's thread is asked, and a thread that hangs is no better than one that has ended. */
const ANSWER_MS = 3_000;
/** Less free than this, and a day's growth may end it. */
const LOW_DISK_BYTES = 1_073_741_824;

type Check = Readiness['checks'][number];
type ReadyBase = Pick<Base, 'config' | 'health' | 'nowMs' | 'writer'>;

/**
 * @param guard null: the node is not running
 * @param addresses where peers can connect; null: the node is not running
 * @param notices of what serves the API
 */
export async function readinessOf(
  base: ReadyBase,
  guard: GuardStatus | null,
  addresses: readonly string[] | null,
  notices: readonly string[],
): Promise<Readiness> {
  const stats = await statsOf(base);
  const checks = [
    guardCheck(guard),
    journalCheck(base),
    writerCheck(base, stats),
    diskCheck(base),
    queriesCheck(base, stats),
    clockCheck(base, stats),
    {
      name: 'federation',
      ok: (addresses?.length ?? 0) > 0,
      detail: addresses === null ? 'the node is not running' : addresses.join(', ') || 'listens nowhere',
    },
  ];
  const guarded = guard?.state === 'clear' && guard.detail !== null ? [`restore guard: ${guard.detail}`] : [];
  const all = [...guarded, ...lowDisk(base.config.dir), ...notices];
  return { ready: checks.every(({ ok }) => ok), checks, notices: all };
}

/** Anybody may ask, and who asks while an answer is made gets that one: a crowd costs the journal's thread no more than one. */
export function asksOnce<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | null = null;
  return () => {
    asked ??= ask().finally(() => {
      asked = null;
    });
    return asked;
  };
}

/** Null: no answer came. */
async function statsOf({ writer }: ReadyBase): Promise<WriterStats | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ANSWER_MS);
  });
  try {
    return await Promise.race([writer.stats().catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}

function guardCheck(guard: GuardStatus | null): Check {
  return {
    name: 'guard',
    ok: guard === null || (guard.state === 'clear' && !guard.disputed),
    detail: guard?.detail ?? 'this is the newest history that anybody could show',
  };
}

function journalCheck({ health: { corrupt } }: ReadyBase): Check {
  const detail = corrupt === null ? 'every row read so far verifies' : `entry ${corrupt.chainSeq} is damaged: run fsck`;
  return { name: 'journal', ok: corrupt === null, detail };
}

function writerCheck({ writer }: ReadyBase, stats: WriterStats | null): Check {
  if (!writer.isAlive) return { name: 'writer', ok: false, detail: 'the journal thread has ended' };
  if (stats !== null) return { name: 'writer', ok: true, detail: `${writer.pending} calls under way` };
  const detail = `the journal thread has not answered for ${ANSWER_MS / 1_000} s; ${writer.pending} calls under way`;
  return { name: 'writer', ok: false, detail };
}

function diskCheck({ writer: { writeFault } }: ReadyBase): Check {
  return { name: 'disk', ok: writeFault === null, detail: writeFault ?? 'the last write went through' };
}

function queriesCheck({ writer: { derivedFault } }: ReadyBase, stats: WriterStats | null): Check {
  if (derivedFault !== null) {
    const detail = `they cannot be kept up with the journal, and it is tried again: ${derivedFault}`;
    return { name: 'queries', ok: false, detail };
  }
  if (stats === null) return { name: 'queries', ok: false, detail: 'how far they are is not known' };
  const detail = `${stats.projectionLag} entries behind the journal`;
  return { name: 'queries', ok: stats.projectionLag <= READY_LAG_ENTRIES, detail };
}

/** By the journal's own clock, which no peer can move further than facts may be ahead: peers' words decide nothing here. */
function clockCheck({ config, nowMs }: ReadyBase, stats: WriterStats | null): Check {
  if (stats === null) return { name: 'clock', ok: false, detail: 'what the journal has last written is not known' };
  const behindMs = stats.clockMs - nowMs();
  if (behindMs <= config.federation.maxFutureSkewMs)
    return { name: 'clock', ok: true, detail: 'not behind what the journal holds' };
  const behind = Math.round(behindMs / 1_000);
  const detail = `this machine’s clock is ${behind} s behind the newest entry of the journal: set it (NTP); peers refuse what is signed now`;
  return { name: 'clock', ok: false, detail };
}

function lowDisk(dir: string): readonly string[] {
  const free = freeBytesOf(dir);
  if (free === null || free >= LOW_DISK_BYTES) return [];
  return [`disk: ${Math.floor(free / 1_048_576)} MiB are free where the journal is`];
}

/** Null: what cannot be read cannot be written either, and the last write says so. */
export function freeBytesOf(dir: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  } catch {
    return null;
  }
}
