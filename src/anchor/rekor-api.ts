/** Requests to Rekor. */
import { encodeBase64 } from '../merkle/base64.ts';
import { sha256 } from '../merkle/hash.ts';
import { pemOf, type SignedDigest } from '../merkle/rekor-entry.ts';
import type { TrustedLog } from '../merkle/trusted-root.ts';
import { type HttpClient, HttpError } from '../outbound/http-client.ts';
import { AnchorError } from './errors.ts';
import { entryFromTiles } from './rekor-tiles.ts';

export interface RekorApi {
  /**
   * Submits, or finds what was submitted before. @returns the entry as the log gave it, unverified
   *
   * @throws AnchorError `unreachable`, or `refused` for what the log will never take
   */
  submit(sent: SignedDigest, signal: AbortSignal): Promise<unknown>;
}

/** v2 answers when the entry is in the tree, which its operators let take 20 s. */
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1_048_576;
/** "Slow down" and "not now" are no verdicts. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429]);

export function createRekorV1(http: HttpClient, url: string): RekorApi {
  const entries = `${url}/api/v1/log/entries`;
  return {
    async submit({ text, signature, publicKey }, signal) {
      const value = sha256(Buffer.from(text)).toString('hex');
      const content = encodeBase64(Buffer.from(pemOf(publicKey)));
      const spec = {
        data: { hash: { algorithm: 'sha256', value } },
        signature: { content: encodeBase64(signature), publicKey: { content } },
      };
      const answer = await post(http, entries, { apiVersion: '0.0.1', kind: 'hashedrekord', spec }, signal);
      if (answer.status !== 409) return onlyEntry(json(answer));
      const uuid = /\/([0-9a-f]{64,96})$/.exec(answer.headers.get('location') ?? '')?.[1];
      if (uuid === undefined) throw new AnchorError('unreachable', 'the log has it already and does not say where');
      return onlyEntry(json(await get(http, `${entries}/${uuid}`, signal)));
    },
  };
}

/**
 * @param readUrl where checkpoint and tiles are read, without a slash at the end
 * @param logs of the trust root: one of them has to have signed the published checkpoint
 */
export function createRekorV2(http: HttpClient, url: string, readUrl: string, logs: readonly TrustedLog[]): RekorApi {
  return {
    async submit(sent, signal) {
      const { text, signature, publicKey } = sent;
      const rawBytes = encodeBase64(publicKey);
      const verifier = { publicKey: { rawBytes }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' };
      const hashedRekordRequestV002 = {
        digest: encodeBase64(sha256(Buffer.from(text))),
        signature: { content: encodeBase64(signature), verifier },
      };
      const answer = await post(http, `${url}/api/v2/log/entries`, { hashedRekordRequestV002 }, signal);
      if (answer.status !== 409) return json(answer);
      const index = Number(answer.headers.get('x-log-index') ?? Number.NaN);
      if (!Number.isSafeInteger(index))
        throw new AnchorError('unreachable', 'the log has it already and does not say where');
      return entryFromTiles(index, sent, logs, (path) => read(http, `${readUrl}/${path}`, signal));
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

interface Sent {
  readonly method?: 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** v1 wraps the entry in its uuid; kept whole, it stands beside the members. */
function onlyEntry(answer: unknown): unknown {
  const [found, ...more] = Object.entries(Object(answer));
  if (found === undefined || more.length > 0)
    throw new AnchorError('unverified', 'the log answered with no single entry');
  return { uuid: found[0], ...Object(found[1]) };
}

function json({ body }: Answer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new AnchorError('unreachable', 'the log’s answer is no JSON', { cause });
  }
}

function post(http: HttpClient, url: string, body: unknown, signal: AbortSignal): Promise<Answer> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  return ask(http, url, { method: 'POST', headers, body: JSON.stringify(body) }, signal);
}

function get(http: HttpClient, url: string, signal: AbortSignal): Promise<Answer> {
  return ask(http, url, { headers: { accept: 'application/json' } }, signal);
}

async function read(http: HttpClient, url: string, signal: AbortSignal): Promise<Buffer> {
  return (await ask(http, url, {}, signal)).body;
}

/** An answer of 2xx, or 409. */
async function ask(http: HttpClient, url: string, sent: Sent, signal: AbortSignal): Promise<Answer> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let answer: Answer;
  try {
    const response = await http.send(url, { ...sent, maxBytes: MAX_ANSWER_BYTES, signal: bounded });
    const body = Buffer.from(await response.arrayBuffer());
    answer = { status: response.status, headers: response.headers, body };
  } catch (cause) {
    const code = cause instanceof HttpError && cause.code === 'too_large' ? 'unverified' : 'unreachable';
    throw new AnchorError(code, `${url}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (answer.status < 300 || answer.status === 409) return answer;
  const isFinal = answer.status < 500 && !TRANSIENT.has(answer.status);
  const said = answer.body.toString('utf8', 0, 300).replace(/\s+/g, ' ');
  throw new AnchorError(isFinal ? 'refused' : 'unreachable', `${url}: HTTP ${answer.status} ${said}`);
}
