/** A peer's log (`src/drill/served-log.ts`), with what a receiver that has approved it knows. */
import { ServedLog } from '../../src/drill/served-log.ts';
import type { PageContext, PinnedPeer } from '../../src/verify/context.ts';

export class HonestPeer extends ServedLog {
  override fork(size: number): HonestPeer {
    return this.forkInto(size, new HonestPeer(this.options));
  }

  /** As a receiver that has approved this peer has pinned it. */
  pinned(): PinnedPeer {
    const { nodeId, authority, origin } = this;
    return {
      nodeId,
      authority,
      origin,
      logKey: this.signer.publicKey,
      anchorKey: this.anchorSigner.publicKey,
      former: { logKeys: [], anchorKeys: [] },
      namespaces: [authority],
    };
  }

  /** The context of a first pull of the public feed, one hour after the first entry; override what the test is about. */
  context(overrides: Partial<PageContext> = {}): PageContext {
    return {
      self: this.receiver,
      peer: this.pinned(),
      feed: 'public',
      relay: null,
      after: 0,
      known: null,
      knownFeedLength: 0,
      neighbour: null,
      accept: ['public', 'company', 'team'],
      nowMs: this.startMs + 3_600_000,
      maxFutureSkewMs: 300_000,
      maxPastSkewMs: 2_592_000_000,
      maxValueBytes: 65_536,
      firstPage: true,
      policy: { witnesses: null, anchors: null },
      ...overrides,
    };
  }

  /** What a receiver knows after it has verified the checkpoint of that size. */
  known(size: number = this.size): { readonly size: number; readonly root: Uint8Array; readonly note: string } {
    return { size, root: this.root(size), note: this.checkpoint(size) };
  }

  /** The inclusion paths that a puller asks for when a page proof fails. */
  inclusionMap(indexes: readonly number[], size: number = this.size): Map<number, readonly Uint8Array[]> {
    return new Map(indexes.map((index) => [index, this.inclusion(index, size)]));
  }
}
