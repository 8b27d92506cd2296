/** An S3-compatible store as the target of a published log. Conditional writes keep what is there as it is. */
import { AwsClient } from 'aws4fetch';
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
  /** Tests pass their own. */
  readonly retries?: number;
  readonly timeoutMs?: number;
}

const RETRIES = 4;
/** A published checkpoint is a few KiB; a store that answers with more is none of ours. */
const MAX_READ_BYTES = 1_048_576;
const MAX_REFUSAL_BYTES = 65_536;
/** For one request with its retries and its answer: a store that says nothing would hold the export, and its lock, for ever. */
const TIMEOUT_MS = 120_000;
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
  readonly #timeoutMs: number;

  constructor(options: S3Options) {
    const { bucket, prefix, endpoint, region, accessKeyId, secretAccessKey, sessionToken } = options;
    this.name = `s3://${bucket}/${prefix}`;
    this.#base = `${endpoint.replace(/\/+$/, '')}/${bucket}/${prefix === '' ? '' : `${prefix}/`}`;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: 's3',
      region,
      retries: options.retries ?? RETRIES,
    });
  }

  async read(path: string): Promise<Versioned | undefined> {
    const response = await this.#send('GET', path, {});
    if (!response.ok) {
      const said = await this.#said(response);
      if (response.status === 404 && !said.includes('NoSuchBucket')) return undefined;
      throw this.#refusal('read', path, response.status, said);
    }
    const { bytes, isWhole } = await this.#body(response, MAX_READ_BYTES);
    if (!isWhole)
      throw new PublishError('target_other_log', `${this.name}/${path} is no checkpoint: name an empty prefix`);
    return { bytes, version: response.headers.get('etag') };
  }

  async writeOnce(path: string, bytes: Uint8Array): Promise<boolean> {
    const headers = { 'content-type': 'application/octet-stream', 'cache-control': IMMUTABLE };
    const response = await this.#put(path, bytes, headers, { 'if-none-match': '*' });
    const said = await this.#said(response);
    if (response.status === 412) return false;
    if (!response.ok) throw this.#refusal('write', path, response.status, said);
    return true;
  }

  async replace(path: string, bytes: Uint8Array, known: Versioned | undefined): Promise<void> {
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' };
    const condition: Record<string, string> =
      known === undefined ? { 'if-none-match': '*' } : known.version === null ? {} : { 'if-match': known.version };
    const response = await this.#put(path, bytes, headers, condition);
    const said = await this.#said(response);
    if (response.status === 412 || response.status === 409) throw changed(`${this.name}/${path}`);
    if (!response.ok) throw this.#refusal('write', path, response.status, said);
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

  async #send(method: string, path: string, init: RequestInit): Promise<Response> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      // A redirect would carry what is published to wherever the store says.
      return await this.#client.fetch(`${this.#base}${path}`, { ...init, method, redirect: 'error', signal });
    } catch (cause) {
      throw this.#unreachable(cause);
    }
  }

  /** What the store says about a request: a page of it, whatever its length. */
  async #said(response: Response): Promise<string> {
    return (await this.#body(response, MAX_REFUSAL_BYTES)).bytes.toString('utf8');
  }

  /** The answer up to a length; the store decides how much it sends. */
  async #body(response: Response, max: number): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const chunk of response.body ?? []) {
        chunks.push(chunk);
        length += chunk.length;
        if (length > max) break;
      }
    } catch (cause) {
      throw this.#unreachable(cause);
    }
    return { bytes: Buffer.concat(chunks).subarray(0, max), isWhole: length <= max };
  }

  #unreachable(cause: unknown): PublishError {
    const reason =
      cause instanceof Error ? ((cause.cause as Error | undefined)?.message ?? cause.message) : String(cause);
    const message = `${new URL(this.#base).origin} cannot be reached (${reason}): check --endpoint or AWS_ENDPOINT_URL`;
    return new PublishError('target_unusable', message, { cause });
  }

  #refusal(what: string, path: string, status: number, answer: string): PublishError {
    const text = answer.slice(0, MAX_QUOTED_CHARS);
    const said = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? text.replace(/\s+/g, ' ');
    const advice = ADVICE[status] ?? 'try again later; an export goes on where it stopped';
    const message = `cannot ${what} ${this.name}/${path}: the store answered ${status}${said === '' ? '' : ` (${said})`}; ${advice}`;
    return new PublishError('target_unusable', message);
  }
}
