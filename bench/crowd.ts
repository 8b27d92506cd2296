/** Peers for bench/hostile-peer.ts: nineteen honest ones that assert a fact now and then, and one of each hostile kind. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Behaviour, gone } from '../src/drill/hostile-peer.ts';
import { encodeWatchUpdate } from '../src/wire/watch.ts';
import { stallBehaviour } from '../test/adversarial/stalling-lies.ts';
import { storm } from '../test/adversarial/zoo/callers.ts';
import { FLOOD_KINDS, FloodLog } from '../test/support/flood-log.ts';
import { HonestPeer } from '../test/support/honest-peer.ts';

export const HONEST = 19;
const FACT_EVERY_MS = 500;
/** More than a node judges while it is measured. */
const LIES = 400_000;
/** Facts are a second apart in the log: its clock starts behind, so as not to run ahead of the day. */
const HEAD_START_MS = 6 * 3_600_000;

export const HOSTILE_KINDS = ['flood', 'silent', 'endless-pages', 'page-errors', 'never-reads', 'reconnects'] as const;
export type HostileKind = (typeof HOSTILE_KINDS)[number];

/** Milliseconds since 1970, to the microsecond: the same in every process of this machine. */
export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now();
}

function honest(i: number): Behaviour {
  const log = new HonestPeer({ authority: `h${i}.example`, startMs: Date.now() - HEAD_START_MS });
  const bells = new Set<() => void>();
  const grow = (): void => {
    log.append({ value_v: String(preciseNowMs()) });
    for (const ring of bells) ring();
  };
  const next = (): void => {
    grow();
    setTimeout(next, FACT_EVERY_MS * (0.5 + Math.random()));
  };
  grow();
  setTimeout(next, FACT_EVERY_MS);
  return { log, watch: (signal) => lengths(log, bells, signal) };
}

async function* lengths(log: HonestPeer, bells: Set<() => void>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let told = -1; !signal.aborted; ) {
    if (log.size === told) {
      const { promise, resolve } = Promise.withResolvers<void>();
      bells.add(resolve);
      await Promise.race([promise, gone(signal)]);
      bells.delete(resolve);
      continue;
    }
    told = log.size;
    yield encodeWatchUpdate({ feeds: [{ feed: 'public', length: told }], size: told });
  }
}

const hostile: Readonly<Record<HostileKind, () => Behaviour>> = {
  flood: () => ({ log: new FloodLog('flood.example', LIES, (i) => FLOOD_KINDS[i % 6] ?? 'cid_mismatch') }),
  silent: () => stallBehaviour('silent', 'silent.example'),
  'endless-pages': () => stallBehaviour('endless-pages', 'endless-pages.example'),
  'page-errors': () => stallBehaviour('page-errors', 'page-errors.example'),
  'never-reads': () => stallBehaviour('never-reads', 'never-reads.example'),
  reconnects: () => ({
    log: new HonestPeer({ authority: 'reconnects.example' }).appendMany(10),
    call: async (node, victim) => {
      await storm(node, victim);
      await sleep(100);
    },
  }),
};

export const behaviours: Readonly<Record<string, () => Behaviour>> = {
  ...Object.fromEntries(Array.from({ length: HONEST }, (_, i) => [`h${i}`, () => honest(i)])),
  ...hostile,
};
