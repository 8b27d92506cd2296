/**
 * Looks after the API's certificate: takes up new files, warns before its end. Files are looked at by their times, because
 * notices of the file system are lost on network file systems and in containers.
 */

import { statSync } from 'node:fs';
import type { TlsOutcome, TlsState } from '../admin/server-tls.ts';
import { DAY_MS } from '../core/time.ts';
import type { Events } from '../observe/events.ts';
import type { Clock } from '../transport/clock.ts';

const LOOK_EVERY_MS = 1_000;
/** Days before the end at which it is told, as for signing keys; 0 is the end itself. */
const STEPS = [30, 14, 7, 1, 0];

/** What serves the certificate. */
export interface TlsServer {
  tls(): TlsState | null;
  reloadTls(nowMs: number): TlsOutcome;
}

export interface TlsWatchDeps {
  readonly server: TlsServer;
  readonly files: readonly string[];
  readonly events: Pick<Events, 'certificateLoaded' | 'certificateRefused' | 'certificateEnding'>;
  /** A new certificate is served. */
  readonly onLoaded: (state: TlsState) => void;
  readonly clock: Clock;
}

export class TlsWatch {
  readonly #deps: TlsWatchDeps;
  #seen: string;
  /** Times that were taken up, or tried. */
  #tried: string;
  /** The last step that was told, and of which certificate. */
  #told: { readonly sha256: string; readonly step: number } | null = null;
  #cancel: () => void = () => {};

  constructor(deps: TlsWatchDeps) {
    this.#deps = deps;
    this.#seen = this.#stamp();
    this.#tried = this.#seen;
    const state = deps.server.tls();
    if (state !== null) deps.events.certificateLoaded(state.sha256, state.notAfterMs, false);
    this.#warn();
    this.#wait();
  }

  /** Takes up the files as they are now. */
  reload(): void {
    const { clock, events, onLoaded, server } = this.#deps;
    const outcome = server.reloadTls(clock.nowMs());
    const state = server.tls();
    if (outcome.kind === 'refused') events.certificateRefused(outcome.why);
    if (state === null || outcome.kind === 'refused') return;
    events.certificateLoaded(state.sha256, state.notAfterMs, outcome.kind === 'loaded');
    if (outcome.kind === 'loaded') onLoaded(state);
    this.#warn();
  }

  /** What an operator should know, in sentences. */
  notices(): readonly string[] {
    const state = this.#deps.server.tls();
    if (state === null) return [];
    const refused =
      state.refused === null
        ? []
        : [`certificate of the API: the new files are not served, the old ones are: ${state.refused}`];
    const step = stepOf(state, this.#deps.clock.nowMs());
    return step === null ? refused : [...refused, `certificate of the API: ${endingSentence(state, step)}`];
  }

  stop(): void {
    this.#cancel();
  }

  #wait(): void {
    this.#cancel = this.#deps.clock.after(LOOK_EVERY_MS, () => {
      this.#look();
      this.#wait();
    });
  }

  /** Two files cannot be replaced at once: they are read when neither has changed since the look before. */
  #look(): void {
    this.#warn();
    const now = this.#stamp();
    const isSettled = now === this.#seen;
    this.#seen = now;
    if (!isSettled || now === this.#tried) return;
    this.#tried = now;
    this.reload();
  }

  #warn(): void {
    const state = this.#deps.server.tls();
    if (state === null) return;
    const step = stepOf(state, this.#deps.clock.nowMs());
    const before = this.#told?.sha256 === state.sha256 ? this.#told.step : Number.POSITIVE_INFINITY;
    if (step === null || step >= before) return;
    this.#told = { sha256: state.sha256, step };
    this.#deps.events.certificateEnding(step, endingSentence(state, step));
  }

  #stamp(): string {
    return this.#deps.files.map(stampOf).join(' ');
  }
}

/** What says whether a file is another one now. One that cannot be looked at is read, and refused with its reason. */
function stampOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** The nearest step that was passed; null: the end is further away than any. */
function stepOf({ notAfterMs }: TlsState, nowMs: number): number | null {
  return STEPS.findLast((days) => notAfterMs - nowMs <= days * DAY_MS) ?? null;
}

function endingSentence({ notAfterMs }: TlsState, step: number): string {
  const end = new Date(notAfterMs).toISOString();
  return step === 0
    ? `it ended at ${end}; put a new one into api.tls_cert_file and api.tls_key_file`
    : `it ends at ${end}, in less than ${step === 1 ? 'a day' : `${step} days`}`;
}
