/** What came of reaching a partner now: shared by the station that does it, the API and the command line. */
import type { OnboardingCheck } from './onboarding.ts';

/** Round trips of one run, at most; the partner answers fifty hellos at once, and its own pulls need some. */
export const MAX_PINGS = 10;
export const DEFAULT_PINGS = 4;

export interface PingReport {
  readonly ok: boolean;
  readonly name: string;
  readonly node_id: string;
  /** Multiaddr of the other end; null: no connection. */
  readonly address: string | null;
  /** Who opened the connection; null: there is none. */
  readonly direction: 'inbound' | 'outbound' | null;
  /** Name look-up, TCP, Noise and the multiplexer; null: a connection was open already, or none came. */
  readonly dial_ms: number | null;
  /** Asked; fewer than wanted when one had no answer. */
  readonly sent: number;
  /** A hello and its answer, milliseconds, in turn. */
  readonly round_trips_ms: readonly number[];
  /** As the partner says; null: it said nothing. */
  readonly software: string | null;
  /** Its clock less ours, to half a round trip; null: it said nothing. */
  readonly clock_skew_ms: number | null;
  readonly checks: readonly OnboardingCheck[];
}

export type PingOutcome =
  | { readonly kind: 'pinged'; readonly report: PingReport }
  | { readonly kind: 'unknown_peer' }
  | { readonly kind: 'disabled' }
  /** Another run of the same partner is under way. */
  | { readonly kind: 'runs' }
  | { readonly kind: 'not_running' };

/** The shortest, the mean and the longest; null: there is none. */
export function summaryOf(
  times: readonly number[],
): { readonly min: number; readonly avg: number; readonly max: number } | null {
  if (times.length === 0) return null;
  const sum = times.reduce((total, time) => total + time, 0);
  return { min: Math.min(...times), avg: sum / times.length, max: Math.max(...times) };
}
