/** What the admin API needs of the rest of the node. Whoever has these functions can serve it; no I/O happens here. */
import type { ExplainedSetting } from '../config/effective.ts';
import type { KeyStatus } from '../core/key-status.ts';
import type { Weakening } from '../core/weakening.ts';
import type { ReceiptQuery, StoredReceipt } from '../journal/receipt-records.ts';
import type { NoticeQuery, ShownNotice } from '../journal/refusal-notices.ts';
import type { AuditBell } from '../observe/audit-bell.ts';
import type { Events } from '../observe/events.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Traces } from '../observe/trace.ts';
import type { ApiLimits } from './api-limits.ts';
import type { ApiBackups } from './backup-desk.ts';
import type { ApiChecks } from './check-desk.ts';
import type { Sessions } from './console/sessions.ts';
import type { SignInLinks } from './console/sign-in-links.ts';
import type { ApiDrills } from './drill-desk.ts';
import type { GrantDesk } from './grant-desk.ts';
import type { ApiReader, ApiWriter, EvidenceFile, GrowthWatch } from './journal-desk.ts';
import type { KeyStore } from './keys.ts';
import type { NodeIdentity, NodeStats, Readiness } from './node-status.ts';
import type { ApiOnboarding } from './onboarding-desk.ts';
import type { PeerDirectory } from './peer-desk.ts';
import type { ApprovalDesk, CaseDesk, QuarantineDesk } from './review-desk.ts';
import type { SignInStatus } from './sign-in-status.ts';
import type { ApiSinks } from './sink-desk.ts';
import type { ApiTombstones } from './tombstone-desk.ts';
import type { ApiWitness } from './witness-desk.ts';

export interface ApiDeps {
  readonly writer: ApiWriter;
  readonly reader: ApiReader;
  readonly peers: PeerDirectory;
  readonly approvals: ApprovalDesk;
  readonly quarantine: QuarantineDesk;
  readonly cases: CaseDesk;
  /** null while the node does not run. */
  readonly witness: ApiWitness | null;
  /** null while the node does not run. */
  readonly onboarding: ApiOnboarding | null;
  readonly grants: GrantDesk;
  readonly tombstones: ApiTombstones;
  readonly drills: ApiDrills;
  readonly sinks: ApiSinks;
  readonly backups: ApiBackups;
  /** As of the start of the node. */
  readonly settings: readonly ExplainedSetting[];
  /** Null while the node does not run. */
  readonly checks: ApiChecks | null;
  /** Receipts that a peer has given us. */
  readonly receipts: (query: ReceiptQuery) => Promise<readonly StoredReceipt[]>;
  /** What peers have signed about facts of ours that they refused. */
  readonly notices: (query: NoticeQuery) => Promise<readonly ShownNotice[]>;
  /** The evidence of an audit record as a file; `withPage` adds the page that a refused fact came in. */
  readonly evidence: (seq: number, withPage: boolean) => Promise<EvidenceFile>;
  /** Our own signing keys, and those that peers declare. */
  readonly signingKeys: () => Promise<readonly KeyStatus[]>;
  /** What of the configuration is weaker than by default. */
  readonly weakenings: () => readonly Weakening[];
  /** Of the console. */
  readonly sessions: Pick<Sessions, 'list' | 'endNamed'>;
  /** Null while the node does not run. */
  readonly links: Pick<SignInLinks, 'make'> | null;
  /** How people sign in to the console; asks the provider anew. Null: with API keys alone. */
  readonly signIn: () => Promise<SignInStatus | null>;
  readonly keys: KeyStore;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly logger: Logger;
  readonly traces: Traces;
  readonly audits: AuditBell;
  readonly growth: GrowthWatch;
  readonly node: NodeIdentity;
  readonly ready: () => Promise<Readiness>;
  readonly stats: () => Promise<NodeStats>;
  /** Garden ids that facts may be asserted into. */
  readonly gardens: readonly string[];
  /** Transparency logs that checkpoints go to. */
  readonly anchorBackends: readonly string[];
  readonly nowMs: () => number;
  readonly limits: ApiLimits;
  /** Whether `/metrics` answers without a key. Right on loopback, where only this machine can ask. */
  readonly openMetrics: boolean;
  /** Whether `/tlog` answers without a key. */
  readonly publicTlog: boolean;
}
