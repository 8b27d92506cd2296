/** An S3-compatible store as the target of a published log. Conditional writes keep what is there as it is. */

import { setTimeout } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { type HttpClient, HttpError } from '../outbound/http-client.ts';
import { changed } from './folder-target.ts';
import { PublishError, type PublishTarget, type Versioned } from './target.ts';

export interface S3Options {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** e.g. `https://s3.eu-central-1.amazonaws.com`; buckets are addressed by path below it. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly http: HttpClient;
  /** Tests pass their own. */
  readonly retries?: number;
  readonly timeoutMs?: number;
}

const RETRIES = 4;
const FIRST_PAUSE_MS = 50;
/** For one object, which is some KiB. */
const TIMEOUT_MS = 60_000;
/** A published checkpoint is a few KiB; a store that answers with more is none of ours. */
const MAX_READ_BYTES = 1_048_576;
const MAX_QUOTED_CHARS = 300;
const IMMUTABLE = 'public, max-age=31536000, immutable';

/** What a status of the store means for whoever runs the export. */
const ADVICE: Readonly<Record<number, string>> = {
  301: 'the bucket is in another region: set AWS_REGION and --endpoint to its own',
  400: 'the store did not understand the request: is --endpoint the address of the store, without the bucket?',
  401: 'the credentials were not taken: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  403: 'the credentials were refused: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, the clock of this machine, and that they may GetObject and PutObject here',
  404: 'there is no such bucket: make it first, or check its name and --endpoint',
};

export class S3Target implements PublishTarget {
  readonly name: string;
  readonly #client: AwsClient;
  readonly #base: string;
  readonly #http: HttpClient;
  readonly #retries: number;
  readonly #timeoutMs: number;

  constructor(options: S3Options) {
    const { bucket, prefix, endpoint, region, accessKeyId, secretAccessKey, sessionToken } = options;
    this.name = `s3://${bucket}/${prefix}`;
    this.#base = `${endpoint.replace(/\/+$/, '')}/${bucket}/${prefix === '' ? '' : `${prefix}/`}`;
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: 's3',
      region,
    });
    this.#http = options.http;
    this.#retries = options.retries ?? RETRIES;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  async read(path: string): Promise<Versioned | undefined> {
    const response = await this.#send('GET', path, {});
    if (response.status === 404 && !(await isBucketMissing(response.clone()))) return undefined;
    if (!response.ok) throw await this.#refusal('read', path, response);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { bytes, version: response.headers.get('etag') };
  }

  async writeOnce(path: string, bytes: Uint8Array): Promise<boolean> {
    const headers = { 'content-type': 'application/octet-stream', 'cache-control': IMMUTABLE };
    const response = await this.#put(path, bytes, headers, { 'if-none-match': '*' });
    if (response.status === 412) return false;
    if (!response.ok) throw await this.#refusal('write', path, response);
    return true;
  }

  async replace(path: string, bytes: Uint8Array, known: Versioned | undefined): Promise<void> {
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' };
    const condition: Record<string, string> =
      known === undefined ? { 'if-none-match': '*' } : known.version === null ? {} : { 'if-match': known.version };
    const response = await this.#put(path, bytes, headers, condition);
    if (response.status === 412 || response.status === 409) throw changed(`${this.name}/${path}`);
    if (!response.ok) throw await this.#refusal('write', path, response);
  }

  /** Left: a store is asked for a listing to find them, and a rule of the bucket can expire `*.p/*`. */
  async removeGrowing(): Promise<void> {}

  /** Stores that know no conditional writes answer 501; what would be written is the same bytes then. */
  async #put(
    path: string,
    bytes: Uint8Array,
    headers: Readonly<Record<string, string>>,
    condition: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const response = await this.#send('PUT', path, {
      body: new Uint8Array(bytes),
      headers: { ...headers, ...condition },
    });
    if (response.status !== 501) return response;
    await response.body?.cancel();
    return this.#send('PUT', path, { body: new Uint8Array(bytes), headers });
  }

  async #send(method: string, path: string, init: Pick<RequestInit, 'body' | 'headers'>): Promise<Response> {
    try {
      for (let attempt = 0; ; attempt += 1) {
        const response = await this.#sendOnce(await this.#client.sign(`${this.#base}${path}`, { ...init, method }));
        if (attempt >= this.#retries || (response.status < 500 && response.status !== 429) || response.status === 501)
          return response;
        await setTimeout(Math.random() * FIRST_PAUSE_MS * 2 ** attempt);
      }
    } catch (cause) {
      if (method === 'GET' && cause instanceof HttpError && cause.code === 'too_large') {
        const message = `${this.name}/${path} is no checkpoint: name an empty prefix`;
        throw new PublishError('target_other_log', message, { cause });
      }
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `${new URL(this.#base).origin} cannot be reached (${reason}): check --endpoint or AWS_ENDPOINT_URL`;
      throw new PublishError('target_unusable', message, { cause });
    }
  }

  async #sendOnce(signed: Request): Promise<Response> {
    return this.#http.send(signed.url, {
      method: signed.method,
      headers: Object.fromEntries(signed.headers),
      ...(signed.body === null ? {} : { body: new Uint8Array(await signed.arrayBuffer()) }),
      maxBytes: MAX_READ_BYTES,
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
  }

  async #refusal(what: string, path: string, response: Response): Promise<PublishError> {
    const text = (await response.text()).slice(0, MAX_QUOTED_CHARS);
    const said = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? text.replace(/\s+/g, ' ');
    const advice = ADVICE[response.status] ?? 'try again later; an export goes on where it stopped';
    const message = `cannot ${what} ${this.name}/${path}: the store answered ${response.status}${said === '' ? '' : ` (${said})`}; ${advice}`;
    return new PublishError('target_unusable', message);
  }
}

async function isBucketMissing(response: Response): Promise<boolean> {
  return (await response.text()).includes('NoSuchBucket');
}
