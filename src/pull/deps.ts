import type { Config } from '../config/config.ts';
import type { ActBy, ActOutcome } from '../core/approval.ts';
import type { DisclosureRules, HeldPermit } from '../core/disclosure.ts';
import type { Recurring } from '../core/recurring.ts';
import type { RetryReport } from '../core/retry-report.ts';
import type { AuditInput, PeerProgress } from '../journal/read-model.ts';
import type { Logger } from '../observe/logger.ts';
import type { Traces } from '../observe/trace.ts';
import type { Transport } from '../transport/transport.ts';
import type { RelayOrigin } from '../verify/context.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import type { TakenClosures } from './ask-closures.ts';
import type { TakenPermit } from './ask-permit.ts';
import type { KeyChange } from './errors.ts';
import type { IngestInput, IngestOutcome } from './ingest.ts';
import type { RetriedPage, RetryInput } from './retry-pages.ts';
import type { PendingErasures } from './send-erasures.ts';
import type { PendingNotes } from './send-notes.ts';
import type { PendingNotices } from './send-notices.ts';
import type { PendingReceipts } from './send-receipts.ts';
import type { AckTold, PendingAck } from './send-relayed-acks.ts';

/** A peer, by the name of its file and by its node id. */
export interface NamedPeer {
  readonly name: string;
  readonly nodeId: string;
}

/** A log key that an operator has to compare. */
export interface WaitingKey {
  /** Name of the peer's file. */
  readonly name: string;
  readonly peer_id: string;
  /** Verifier key. */
  readonly log_key: string;
}

/** The journal as the puller needs it; its thread verifies and appends. */
export interface PullJournal {
  ingestPage(input: IngestInput): Promise<IngestOutcome>;
  peerProgress(peer: string, feeds: readonly string[]): Promise<PeerProgress>;
  pinDeclaration(peer: string, note: string, input: AuditInput): Promise<number>;
  /** Pins one of other keys that follow from those pinned; false: the peer has changed its keys too often. */
  followDeclaration(peer: string, note: string, input: AuditInput): Promise<boolean>;
  /** Records, once for each key, that a peer has declared a log key which nobody has confirmed. */
  keyWaits(peer: string, waiting: WaitingKey): Promise<boolean>;
  /** Keeps a declaration that says of the pinned keys how long they are good; nothing is done about any other. */
  renewDeclaration(peer: string, note: string): Promise<boolean>;
  /** Of each node the statements that are kept. */
  successions(nodeIds: readonly string[]): Promise<readonly (readonly OpenedSuccession[])[]>;
  saveSuccessions(nodeId: string, notes: readonly string[]): Promise<number>;
  audit(input: AuditInput): Promise<number>;
  /** Whether refused facts may be judged again: at once, or by the word of two persons. Who did it, and why, is for the records. */
  admitRetry(peer: NamedPeer, afterPage: number, by: ActBy): Promise<ActOutcome<RetryInput['by']>>;
  retryPage(input: RetryInput): Promise<RetriedPage | null>;
  recordRetry(peer: string, report: RetryReport, by: RetryInput['by']): Promise<number>;
  resumePeer(peer: NamedPeer, by: ActBy): Promise<ActOutcome<number>>;
  trustKeys(peer: NamedPeer, declared: KeyChange, by: ActBy): Promise<ActOutcome<number>>;
  pendingReceipts(peer: string, origin: string): Promise<PendingReceipts>;
  receiptsTaken(peer: string, pageId: number): Promise<void>;
  pendingNotices(peer: string): Promise<PendingNotices>;
  noticesTaken(peer: string, groups: PendingNotices['groups']): Promise<void>;
  takePermit(peer: string, note: string): Promise<TakenPermit>;
  pendingErasures(peer: string): Promise<PendingErasures>;
  erasuresTold(peer: string, steps: readonly number[]): Promise<void>;
  pendingRelayedAcks(peer: string, feeds: readonly string[]): Promise<readonly PendingAck[]>;
  relayedAcksTold(peer: string, told: readonly AckTold[]): Promise<void>;
  takeClosures(peer: string, feeds: readonly string[], notes: readonly string[]): Promise<TakenClosures>;
  notesTaken(peer: string, pageId: number): Promise<void>;
}

/** What pulling has to do with relaying, in both directions. */
export interface Relaying {
  /** The node whose facts a feed relays; null: it is not known here, or nothing is taken of it now. */
  originOf(feed: string): Promise<RelayOrigin | null>;
  /** True if the peer files let somebody read this feed. */
  isShared(feed: string): boolean;
  /** Its origin lets us relay a feed. */
  permitted(feed: string, permit: HeldPermit): void;
}

export interface PullDeps {
  readonly relaying: Relaying;
  /** Restore notes that are to be left with a peer. */
  readonly pendingNotes: (peer: string) => Promise<PendingNotes>;
  readonly journal: PullJournal;
  readonly transport: Pick<Transport, 'request' | 'connected'>;
  readonly settings: Config['federation'] & Pick<Config['limits'], 'maxValueBytes' | 'peerBytesPerDay'>;
  readonly rules: DisclosureRules;
  /** Which of the declarations that are refused get a record. */
  readonly refusedDeclarations: Recurring;
  readonly logger: Logger;
  readonly traces: Traces;
  readonly nowMs: () => number;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  /** This node's hello message. */
  readonly hello: () => Uint8Array;
  /** The peer has said that its keys change. */
  readonly onSuccessions: (peer: string) => Promise<void>;
  readonly onPage: (peer: string, outcome: IngestOutcome) => void;
}
