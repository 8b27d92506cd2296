/** The log's side of C2SP tlog-witness over HTTP: one request to a witness that the operator's policy names. */

import { type AddCheckpoint, formatAddCheckpoint, parseStaleSize } from '../merkle/witness-body.ts';
import { type HttpClient, HttpError, type HttpRequest } from '../outbound/http-client.ts';

const ANSWER_MS = 10_000;
/** A cosignature is below 300 bytes, a checkpoint below 1 KB; a witness may give several. */
const MAX_ANSWER_BYTES = 16_384;

export type SubmitOutcome =
  | { readonly kind: 'cosigned'; readonly lines: string }
  | { readonly kind: 'stale'; readonly size: number }
  /** It takes this log's next checkpoint after a while. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number }
  | SubmitFailure;

interface SubmitFailure {
  readonly kind: 'failed';
  /** `refused_<status>`, `unreachable`, `malformed`, `address_refused` or `redirected`. */
  readonly why: string;
}

/** Submits a checkpoint. */
export async function submitCheckpoint(
  http: HttpClient,
  url: string,
  request: AddCheckpoint,
  signal: AbortSignal,
): Promise<SubmitOutcome> {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  const sent = { method: 'POST', body: formatAddCheckpoint(request), headers };
  const answer = await askWitnessOver(http, url, 'add-checkpoint', sent, signal);
  return answer.kind === 'failed' ? answer : outcomeOf(answer.response, answer.body);
}

/** What a witness answers, read up to a bound. @throws the signal's reason */
export async function askWitnessOver(
  http: HttpClient,
  url: string,
  path: string,
  sent: Pick<HttpRequest, 'method' | 'body' | 'headers'>,
  signal: AbortSignal,
): Promise<{ readonly kind: 'answered'; readonly response: Response; readonly body: string } | SubmitFailure> {
  try {
    const response = await http.send(`${url.replace(/\/+$/, '')}/${path}`, {
      ...sent,
      maxBytes: MAX_ANSWER_BYTES,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    return { kind: 'answered', response, body: await response.text() };
  } catch (error) {
    if (signal.aborted) throw error;
    return { kind: 'failed', why: whyFailed(error) };
  }
}

function whyFailed(error: unknown): string {
  if (!(error instanceof HttpError) || error.code === 'unreachable') return 'unreachable';
  return error.code === 'too_large' ? 'malformed' : error.code;
}

function outcomeOf(response: Response, body: string): SubmitOutcome {
  if (response.status === 200) return { kind: 'cosigned', lines: body };
  const isSize = response.headers.get('content-type')?.startsWith('text/x.tlog.size') === true;
  const size = response.status === 409 && isSize ? parseStaleSize(body) : undefined;
  return size === undefined ? { kind: 'failed', why: `refused_${response.status}` } : { kind: 'stale', size };
}
