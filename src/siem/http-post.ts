/** One POST to a receiver, and what its answer means for what was sent. */
import { type HttpClient, HttpError } from '../outbound/http-client.ts';
import { isTrustFault, SinkError, type SinkErrorCode } from './sink.ts';

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 65_536;
const MAX_SAID_CHARS = 200;
/** Verdicts on the body. Others of 4xx are about who asks and where: they do not make an event bad. */
const REFUSED: ReadonlySet<number> = new Set([400, 413, 415, 422]);
const BUSY: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);
const MAX_RETRY_AFTER_MS = 3_600_000;

/** @returns the answer's text, of 2xx @throws SinkError */
export async function post(http: HttpClient, { url, headers, body }: Post, signal: AbortSignal): Promise<string> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let response: Response;
  let text: string;
  try {
    response = await http.send(url, { method: 'POST', headers, body, maxBytes: MAX_ANSWER_BYTES, signal: bounded });
    text = await response.text();
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new SinkError(codeOf(cause), cause instanceof Error ? cause.message : String(cause), { cause });
  }
  if (response.ok) return text;
  const said = text
    .slice(0, MAX_SAID_CHARS)
    .replace(/[^\u0020-\u007e]+/g, ' ')
    .trim();
  const message = `HTTP ${response.status}${said === '' ? '' : `: ${said}`}`;
  throw new SinkError(verdictOf(response.status), message, { retryAfterMs: retryAfter(response.headers, Date.now()) });
}

/** Addresses that are not connected to, redirects and certificates need a person; everything else may be over later. */
function codeOf(cause: unknown): SinkErrorCode {
  if (!(cause instanceof HttpError)) return 'unreachable';
  if (isTrustFault(cause.cause)) return 'misconfigured';
  return cause.code === 'address_refused' || cause.code === 'redirected' ? 'misconfigured' : 'unreachable';
}

function verdictOf(status: number): SinkErrorCode {
  if (REFUSED.has(status)) return 'refused';
  if (BUSY.has(status)) return 'busy';
  return status >= 400 && status < 500 ? 'misconfigured' : 'unreachable';
}

/** Seconds or a date; bounded, because a receiver must not be able to silence a sink for a year. */
export function retryAfter(headers: Headers, nowMs: number): number | null {
  const value = headers.get('retry-after')?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) || value === '' ? null : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
