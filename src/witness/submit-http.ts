/** The log's side of C2SP tlog-witness over HTTP: one request to a witness that the operator's policy names. */
import { type AddCheckpoint, formatAddCheckpoint, parseStaleSize } from '../merkle/witness-body.ts';

const ANSWER_MS = 10_000;
/** A cosignature is below 300 bytes, a checkpoint below 1 KB; a witness may give several. */
const MAX_ANSWER_BYTES = 16_384;

export type SubmitOutcome =
  | { readonly kind: 'cosigned'; readonly lines: string }
  | { readonly kind: 'stale'; readonly size: number }
  | SubmitFailure;

interface SubmitFailure {
  readonly kind: 'failed';
  /** `refused_<status>`, `unreachable` or `malformed`. */
  readonly why: string;
}

/** Submits a checkpoint. Redirects are not followed: a witness is where the policy says. */
export async function submitCheckpoint(
  url: string,
  request: AddCheckpoint,
  signal: AbortSignal,
): Promise<SubmitOutcome> {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  const sent = { method: 'POST', body: formatAddCheckpoint(request), headers };
  const answer = await askWitnessOver(url, 'add-checkpoint', sent, signal);
  return answer.kind === 'failed' ? answer : outcomeOf(answer.response, answer.body);
}

/** What a witness answers, read up to a bound. @throws the signal's reason */
export async function askWitnessOver(
  url: string,
  path: string,
  init: Pick<RequestInit, 'method' | 'body' | 'headers'>,
  signal: AbortSignal,
): Promise<{ readonly kind: 'answered'; readonly response: Response; readonly body: string } | SubmitFailure> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/${path}`, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    const body = await readBounded(response);
    return body === undefined ? { kind: 'failed', why: 'malformed' } : { kind: 'answered', response, body };
  } catch (error) {
    if (signal.aborted) throw error;
    return { kind: 'failed', why: 'unreachable' };
  }
}

function outcomeOf(response: Response, body: string): SubmitOutcome {
  if (response.status === 200) return { kind: 'cosigned', lines: body };
  const isSize = response.headers.get('content-type')?.startsWith('text/x.tlog.size') === true;
  const size = response.status === 409 && isSize ? parseStaleSize(body) : undefined;
  return size === undefined ? { kind: 'failed', why: `refused_${response.status}` } : { kind: 'stale', size };
}

async function readBounded(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
