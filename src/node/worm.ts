/** The node's records on their way to a store that forgets nothing. */
import { join } from 'node:path';
import { createLogSigner } from '../merkle/ed25519.ts';
import { statementsFrom } from '../worm/key-statements.ts';
import { readKnown, WORM_STATE_FILE } from '../worm/known-place.ts';
import { type NewestCheckpoint, newestCheckpoint } from '../worm/newest.ts';
import type { Difference } from '../worm/pasts.ts';
import { begunRecord, pinnedIn, resumedRecord, WORM_BEGUN_EVENT, WORM_RESUMED_EVENT } from '../worm/pinned-place.ts';
import type { KnownPlace, RestoredPlace } from '../worm/place.ts';
import { Shipping } from '../worm/shipping.ts';
import type { WormSource } from '../worm/source.ts';
import { WormError, type WormErrorCode } from '../worm/store.ts';
import type { Base } from './base.ts';
import type { RestoreGuard } from './guard.ts';
import type { LostKeys } from './lost-keys.ts';
import { logKeysOf, openWormStore, wormTarget } from './worm-store.ts';

/** A store that is down is on the dashboard, not in the audit log. */
const PASSING: ReadonlySet<WormErrorCode> = new Set(['store_unusable', 'nothing_signed']);

/** Null: nothing is shipped anywhere. */
export function startWorm(base: Base, guard: RestoreGuard, owned: AsyncDisposableStack): Shipping | null {
  const { config, events, http, metrics, writer } = base;
  if (config.worm === null) return null;
  const { place, retainMs, intervalMs, retryMs } = config.worm;
  const target = wormTarget(place);
  /** Told once, until something was shipped again: each record is one more to ship. */
  const alarmed = new Set<string>();
  let weakness: string | null = null;
  const shipping = new Shipping({
    source: sourceOf(base),
    openStore: () => openWormStore(place, http),
    target,
    stateFile: join(config.dir, WORM_STATE_FILE),
    pinned: () => pinnedPlace(base, target),
    pin: async (known) => void (await writer.audit(begunRecord(target, known))),
    statements: base.statements,
    retainMs,
    intervalMs,
    retryMs,
    nowMs: base.nowMs,
    isReady: () => guard.isClear,
    onRestored: (found, why) => recordRestored(base, target, found, why),
    onShipped: ({ records }, store) => {
      alarmed.clear();
      events.wormShipped(records);
      if (store.weakness !== null && store.weakness !== weakness) base.logger.warn(store.weakness);
      weakness = store.weakness;
    },
    onFailed: async ({ code, message, note }) => {
      events.wormFailed(code, message);
      // Our own signature over more than is here, or over something else, is what the guard is for.
      if (note !== null) await guard.shown(note, target);
      if (PASSING.has(code) || alarmed.has(code)) return;
      alarmed.add(code);
      await writer.audit({
        event: 'worm_export_refused',
        reason: code,
        detail: { target, error: message },
      });
    },
  });
  metrics.beforeScrape(async () => {
    const { lagSeconds, waiting, manifests, restored } = await shipping.status();
    metrics.wormExportLagSeconds.set(lagSeconds);
    metrics.wormManifests.set(manifests);
    metrics.wormRestores.set(restored?.count ?? 0);
    for (const [stream, count] of Object.entries(waiting)) metrics.wormWaiting.set({ stream }, count);
  });
  shipping.start();
  owned.defer(() => shipping.stop());
  return shipping;
}

/** A few at most: each names another store. */
const PINNED_LOOKED_AT = 100;

/** A look at the journal, whatever its guard holds. */
async function pinnedPlace({ reader }: Pick<Base, 'reader'>, target: string): Promise<KnownPlace | null> {
  const pages = [WORM_BEGUN_EVENT, WORM_RESUMED_EVENT].map((event) =>
    reader.auditPage({ event, order: 'desc', limit: PINNED_LOOKED_AT }),
  );
  return pinnedIn(
    (await Promise.all(pages)).flatMap(({ records }) => records),
    target,
  );
}

/** Once for each manifest that is left, however often the round behind it fails. */
async function recordRestored(base: Base, target: string, place: RestoredPlace, why: Difference): Promise<void> {
  const query = { event: WORM_RESUMED_EVENT, order: 'desc', limit: 1 } as const;
  const { records } = await base.reader.auditPage(query);
  const record = resumedRecord(target, place, why);
  if (records[0]?.detail['digest'] === place.digest && records[0].detail['target'] === target) return;
  await base.writer.audit(record);
  base.events.wormResumed(target, place.number, place.restored.base);
}

/** The newest checkpoints of the journal that the store holds; null: none is configured. @throws WormError if it cannot be asked */
export async function shippedHead(
  { config, http, ...base }: Base,
  signal: AbortSignal,
  lostKeys: Pick<LostKeys, 'learn' | 'learned'>,
): Promise<{ readonly newest: NewestCheckpoint; readonly shownBy: string } | null> {
  if (config.worm === null) return null;
  const { place } = config.worm;
  const signer = createLogSigner(base.identity.journalOrigin, base.keys.log.seed);
  const shownBy = wormTarget(place);
  const pinned = await pinnedPlace(base, shownBy);
  const store = openWormStore(place, http);
  // First the keys: what is signed with one that is not known here cannot be opened.
  const shown = statementsFrom(store, vkeysOf(base), base.identity.nodeId, signal).catch((error: unknown) => {
    // What stands there hides no manifest: those are asked for all the same.
    if (error instanceof WormError) return [];
    throw error;
  });
  await lostKeys.learn(await shown, shownBy);
  const newest = await newestCheckpoint(store, {
    keys: logKeysOf(signer, [...base.statements, ...lostKeys.learned]),
    origin: signer.name,
    atLeast: Math.max(shippedAtLeast(join(config.dir, WORM_STATE_FILE), shownBy), pinned?.number ?? 0),
    nowMs: base.nowMs(),
    signal,
  });
  if (store.weakness !== null) base.logger.warn(store.weakness);
  return { newest, shownBy };
}

function vkeysOf({ keys }: Pick<Base, 'keys'>): readonly string[] {
  return [keys.log.vkey, keys.node.vkey, keys.witness.vkey, keys.anchor.vkey];
}

/** A hint: a file that is damaged keeps nobody from asking the store. */
function shippedAtLeast(stateFile: string, target: string): number {
  try {
    return readKnown(stateFile, target)?.number ?? 0;
  } catch {
    return 0;
  }
}

function sourceOf({ identity, keys, reader, statements, writer }: Base): WormSource {
  const former = keys.log.former.map(({ seed }) => seed);
  const signer = createLogSigner(identity.journalOrigin, keys.log.seed, former);
  return {
    signer,
    keys: logKeysOf(signer, statements),
    heads: async () => {
      const { size, checkpoint, auditSize, auditCheckpoint } = await writer.head();
      return { journal: { size, note: checkpoint }, audit: { size: auditSize, note: auditCheckpoint } };
    },
    ends: () => reader.wormEnds(),
    read: (stream, after, end) => reader.wormBatch(stream, after, end),
    writtenAt: (stream, seq) => reader.wormWrittenAt(stream, seq),
    root: (log, size) => reader.wormRoot(log, size),
  };
}
