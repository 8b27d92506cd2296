/**
 * Warns of keys that come to their end: once for each key and step, over restarts too, because what was told is read back
 * from the audit log.
 */
import type { KeyStatus } from '../core/key-status.ts';
import type { AuditFilter, AuditInput, AuditPage } from '../journal/read-model.ts';
import { type Clock, SYSTEM_CLOCK } from '../transport/clock.ts';
import type { Base } from './base.ts';
import type { Federation } from './federation.ts';
import { KeyStatuses } from './keys.ts';

/** No step is nearer to the next than a day. */
const LOOK_EVERY_MS = 3_600_000;
/** Whatever changes a declaration leaves an audit record; records that come together are looked at once. */
const AFTER_AUDIT_MS = 1_000;
const RECORDS_PER_PAGE = 500;

const EVENTS = ['key_expiring', 'key_expired', 'key_unreadable'] as const;
type KeyEvent = (typeof EVENTS)[number];

export interface KeysWatchDeps {
  readonly keys: (nowMs: number) => Promise<readonly KeyStatus[]>;
  readonly auditPage: (filter: AuditFilter) => Promise<AuditPage>;
  readonly audit: (input: AuditInput) => Promise<number>;
  readonly onWarning: (event: KeyEvent, key: KeyStatus, sentence: string) => void;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
}

export class KeysWatch {
  readonly #deps: KeysWatchDeps;
  /** The last step that was told, by key; null: that its times cannot be read. */
  #told: Map<string, number | null> | null = null;
  #work: Promise<void> = Promise.resolve();
  #cancelHourly: () => void = () => {};
  #cancelSoon: (() => void) | null = null;
  #stopped = false;

  constructor(deps: KeysWatchDeps) {
    this.#deps = deps;
  }

  /** Looks now, and every hour from now on. */
  start(): void {
    void this.look();
    if (!this.#stopped) this.#cancelHourly = this.#deps.clock.after(LOOK_EVERY_MS, () => this.start());
  }

  /** A record was appended: a declaration may have changed. */
  audited(): void {
    if (this.#stopped) return;
    this.#cancelSoon ??= this.#deps.clock.after(AFTER_AUDIT_MS, () => {
      this.#cancelSoon = null;
      void this.look();
    });
  }

  /** Looks once; resolves when everything due is recorded. Never rejects: what failed is tried with the next look. */
  look(): Promise<void> {
    this.#work = this.#work.then(() => (this.#stopped ? undefined : this.#look())).catch(this.#deps.onError);
    return this.#work;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelHourly();
    this.#cancelSoon?.();
    await this.#work;
  }

  async #look(): Promise<void> {
    this.#told ??= await this.#readTold();
    for (const key of await this.#deps.keys(this.#deps.clock.nowMs())) await this.#tell(key, this.#told);
  }

  async #tell(key: KeyStatus, told: Map<string, number | null>): Promise<void> {
    const { warning } = key;
    if (warning === null) return;
    const { step, sentence } = warning;
    const id = idOf(key.node_id, key.vkey, key.not_before, key.not_after);
    const before = told.get(id);
    // A clock that was put back does not come to a step twice.
    if (before !== undefined && (before === null || step === null || step >= before)) return;
    const event = step === null ? 'key_unreadable' : step === 0 ? 'key_expired' : 'key_expiring';
    await this.#deps.audit({ event, peer: key.peer === null ? null : key.node_id, detail: detailOf(key) });
    told.set(id, step);
    this.#deps.onWarning(event, key, sentence);
  }

  async #readTold(): Promise<Map<string, number | null>> {
    const told = new Map<string, number | null>();
    for (const event of EVENTS) {
      for (let cursor: number | null = 0; cursor !== null; ) {
        const page: AuditPage = await this.#deps.auditPage({ event, cursor, order: 'asc', limit: RECORDS_PER_PAGE });
        for (const { detail } of page.records) take(told, detail);
        cursor = page.hasMore ? page.cursor : null;
      }
    }
    return told;
  }
}

export function startKeysWatch(
  base: Base,
  { files }: Pick<Federation, 'files'>,
  owned: AsyncDisposableStack,
  clock: Clock = SYSTEM_CLOCK,
): KeysWatch {
  const keys = new KeyStatuses(base, files);
  const watch = new KeysWatch({
    keys: (nowMs) => keys.at(nowMs),
    auditPage: (filter) => base.reader.auditPage(filter),
    audit: (input) => base.writer.audit(input),
    onWarning: (event, key, sentence) => base.events.keyWarning(event, key, sentence),
    onError: (error) => base.logger.error({ err: error }, 'the ends of keys cannot be looked after'),
    clock,
  });
  owned.defer(() => watch.stop());
  owned.defer(base.audits.onAudit(() => watch.audited()));
  watch.start();
  return watch;
}

function detailOf({ node_id, use, key_id, vkey, not_before, not_after, days_left, warning }: KeyStatus) {
  return { owner: node_id, use, key_id, vkey, not_before, not_after, days_left, step: warning?.step ?? null };
}

/** The lowest step of a key counts. */
function take(told: Map<string, number | null>, detail: Readonly<Record<string, unknown>>): void {
  const { owner, vkey, not_before, not_after, step } = detail;
  const id = idOf(owner, vkey, not_before, not_after);
  const before = told.get(id);
  const now = typeof step === 'number' ? step : null;
  if (before === undefined || (before !== null && now !== null && now < before)) told.set(id, now);
}

/** A key that is declared with another end is warned of anew. */
function idOf(...parts: readonly unknown[]): string {
  return JSON.stringify(parts);
}
