import type { AnchorBackendName } from '../merkle/anchor-receipt.ts';
import type { WitnessPolicy } from '../merkle/tlog-policy.ts';
import type { TrustedLog } from '../merkle/trusted-root.ts';
import type { OpenedSuccession } from '../wire/succession.ts';

/** A peer as this node has pinned it: what it signs with, and for whom it may speak. */
export interface PinnedPeer {
  /** e.g. `stigmem://acme.example` */
  readonly nodeId: string;
  readonly authority: string;
  /** Name of its journal, first line of each of its checkpoints. */
  readonly origin: string;
  /** Raw Ed25519 public key of its log, 32 bytes. */
  readonly logKey: Uint8Array;
  /** Of its anchor key, SPKI DER of P-256; null if it has declared none. */
  readonly anchorKey: Uint8Array | null;
  /** Keys before these that it declares to be in their overlap: what is anchored may be older than the change. */
  readonly former: { readonly logKeys: readonly Uint8Array[]; readonly anchorKeys: readonly Uint8Array[] };
  /** Authorities that its facts may name as their source. */
  readonly namespaces: readonly string[];
}

/** The node whose facts a feed relays, as this node has pinned it. */
export interface RelayOrigin {
  /** e.g. `stigmem://acme.example` */
  readonly nodeId: string;
  /** Name of its journal. */
  readonly origin: string;
  /** Verifier key of its log, the newest that is pinned. */
  readonly logVkey: string;
  /** Authorities that its facts may name as their source. */
  readonly namespaces: readonly string[];
}

/** A checkpoint of the peer that was verified before. */
export interface KnownCheckpoint {
  readonly size: number;
  /** 32 bytes */
  readonly root: Uint8Array;
  /** The signed note: without it a split view could be seen, but not shown to others. */
  readonly note: string;
}

/** The node whose facts a page relays, as it is known here. */
export interface RelayContext extends RelayOrigin {
  readonly statements: readonly OpenedSuccession[];
  /** When the page was taken, Unix ms: its permit counted then. Null: it is to be taken now. */
  readonly takenAtMs: number | null;
}

/** All that a page is judged against. Nothing is optional: a check that is left out must not compile. */
export interface PageContext {
  /** Our own node id: a page that was signed for somebody else is not ours to judge. */
  readonly self: string;
  readonly peer: PinnedPeer;
  readonly feed: string;
  /** Of a feed that the peer relays; null for what it asserts itself. */
  readonly relay: RelayContext | null;
  /** Our cursor in the feed: sequence of the last entry judged, 0 for none. */
  readonly after: number;
  /** null before the first contact; for later pages of one answer, the checkpoint of its first page. */
  readonly known: KnownCheckpoint | null;
  /** Longest length of this feed that a verified feed head has stated, 0 for none. */
  readonly knownFeedLength: number;
  /** The entry of the peer's chain that we hold before this page's first one; its link is checked if they are adjacent. */
  readonly neighbour: { readonly chainSeq: number; readonly chainHash: string; readonly computedHash?: string } | null;
  /** Feeds that we take from this peer now. */
  readonly accept: readonly string[];
  readonly nowMs: number;
  /** 0 or less switches a bound off. */
  readonly maxFutureSkewMs: number;
  readonly maxPastSkewMs: number;
  /** UTF-8 bytes */
  readonly maxValueBytes: number;
  /** True for the first page of an answer, which alone carries a consistency proof. */
  readonly firstPage: boolean;
  /** What this peer's checkpoints have to carry, as its file says. */
  readonly policy: PagePolicy;
}

export interface PagePolicy {
  /** null: no cosignatures are asked for. */
  readonly witnesses: WitnessPolicy | null;
  /** null: no anchor is asked for. */
  readonly anchors: AnchorPolicy | null;
}

/** Which transparency logs a peer's checkpoints have to be in. */
export interface AnchorPolicy {
  /** One of these. */
  readonly backends: readonly AnchorBackendName[];
  readonly logs: readonly TrustedLog[];
  /** Oldest time that a log may have signed, in seconds before now; null: any, and none. */
  readonly maxAgeS: number | null;
}
