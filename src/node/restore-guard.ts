/** The restore guard of a node, with everybody whom it asks. */
import type { Transport } from '../transport/transport.ts';
import type { Base } from './base.ts';
import { type GuardDeps, RestoreGuard } from './guard.ts';
import { LostKeys } from './lost-keys.ts';
import { OutsideHeads } from './outside-heads.ts';
import { shippedHead } from './worm.ts';

/** Nothing is asked before the guard is started. */
export function guardOf(
  base: Base,
  transport: Transport,
  { peers, unread }: Pick<GuardDeps, 'peers' | 'unread'>,
  owned: AsyncDisposableStack,
): RestoreGuard {
  const { config, events, guarded, identity, logger, writer } = base;
  const lostKeys = new LostKeys({
    ...base,
    learn: (news, shownBy) => writer.learnSuccessions(news, shownBy),
    nowMs: Date.now,
  });
  const outside = new OutsideHeads({
    journal: writer,
    http: base.http,
    origin: identity.journalOrigin,
    witnesses: config.witness.policy?.witnesses ?? [],
    anchorFile: config.anchor.backends.includes('local') ? config.anchor.localPath : null,
    shippedHead: (signal) => shippedHead(base, signal, lostKeys),
    logger,
  });
  const guard = new RestoreGuard({
    journal: writer,
    transport,
    peers,
    unread,
    outside,
    lostKeys,
    waitMs: guarded ? config.guard.waitMs : 0,
    onChange: (status) => events.guard(status.state, status.detail),
  });
  owned.defer(() => guard.stop());
  return guard;
}
