/** Signed requests to an S3-compatible store: tried again while the store is busy, with what a refusal means in words. */
import { setTimeout } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { type HttpClient, HttpError } from '../outbound/http-client.ts';
import { PublishError } from './target.ts';

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

export interface S3Request {
  readonly body?: Uint8Array | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the answer's body. */
  readonly maxBytes: number;
  /** Said when the answer is larger. */
  readonly tooLarge: string;
}

const RETRIES = 4;
const FIRST_PAUSE_MS = 50;
/** For one object, which is some KiB, or some MiB of segments. */
const TIMEOUT_MS = 60_000;
const MAX_QUOTED_CHARS = 300;

/** What a status of the store means for whoever runs the export. */
const ADVICE: Readonly<Record<number, string>> = {
  301: 'the bucket is in another region: set AWS_REGION and --endpoint to its own',
  400: 'the store did not understand the request: is --endpoint the address of the store, without the bucket?',
  401: 'the credentials were not taken: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  403: 'the credentials were refused: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, the clock of this machine, and that they may GetObject and PutObject here',
  404: 'there is no such bucket: make it first, or check its name and --endpoint',
};

export class S3Client {
  readonly name: string;
  readonly #client: AwsClient;
  readonly #base: string;
  readonly #bucket: string;
  /** Of keys in the bucket; ends with a slash where it is not empty. */
  readonly prefix: string;
  readonly #http: HttpClient;
  readonly #retries: number;
  readonly #timeoutMs: number;

  constructor(options: S3Options) {
    const { bucket, prefix, endpoint, region, accessKeyId, secretAccessKey, sessionToken } = options;
    this.name = `s3://${bucket}/${prefix}`;
    this.prefix = prefix === '' ? '' : `${prefix}/`;
    this.#bucket = `${endpoint.replace(/\/+$/, '')}/${bucket}`;
    this.#base = `${this.#bucket}/${this.prefix}`;
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

  /**
   * @param path below the prefix, with the query of the operation behind it
   * @returns whatever the store answered at last
   * @throws PublishError `target_unusable` if it cannot be reached, `target_other_log` for an answer that is too large
   */
  send(method: string, path: string, request: S3Request): Promise<Response> {
    return this.#send(method, `${this.#base}${path}`, path, request);
  }

  /** What the bucket says of itself. @param query of the operation, with whole keys @throws PublishError as `send` */
  ask(query: URLSearchParams, request: S3Request): Promise<Response> {
    return this.#send('GET', `${this.#bucket}?${query}`, '', request);
  }

  async #send(
    method: string,
    url: string,
    path: string,
    { body, headers = {}, maxBytes, tooLarge }: S3Request,
  ): Promise<Response> {
    const init = { method, headers, ...(body === undefined ? {} : { body: new Uint8Array(body) }) };
    try {
      for (let attempt = 0; ; attempt += 1) {
        const signed = await this.#client.sign(url, init);
        const response = await this.#sendOnce(signed, maxBytes);
        if (attempt >= this.#retries || (response.status < 500 && response.status !== 429) || response.status === 501)
          return response;
        await setTimeout(Math.random() * FIRST_PAUSE_MS * 2 ** attempt);
      }
    } catch (cause) {
      if (method === 'GET' && cause instanceof HttpError && cause.code === 'too_large') {
        throw new PublishError('target_other_log', `${this.name}/${path} ${tooLarge}`, { cause });
      }
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `${new URL(this.#base).origin} cannot be reached (${reason}): check --endpoint or AWS_ENDPOINT_URL`;
      throw new PublishError('target_unusable', message, { cause });
    }
  }

  /** Stores that know no conditional writes answer 501: sent again without the condition. */
  async put(path: string, request: S3Request, condition: Readonly<Record<string, string>>): Promise<Response> {
    const { headers = {} } = request;
    const response = await this.send('PUT', path, { ...request, headers: { ...headers, ...condition } });
    if (response.status !== 501) return response;
    await response.body?.cancel();
    return this.send('PUT', path, request);
  }

  /** What the store refused, with what to do about it. */
  async refusal(what: string, path: string, response: Response): Promise<PublishError> {
    const text = (await response.text()).slice(0, MAX_QUOTED_CHARS);
    const said = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? text.replace(/\s+/g, ' ');
    const advice = ADVICE[response.status] ?? 'try again later; an export goes on where it stopped';
    const message = `cannot ${what} ${this.name}/${path}: the store answered ${response.status}${said === '' ? '' : ` (${said})`}; ${advice}`;
    return new PublishError('target_unusable', message);
  }

  async #sendOnce(signed: Request, maxBytes: number): Promise<Response> {
    return this.#http.send(signed.url, {
      method: signed.method,
      headers: Object.fromEntries(signed.headers),
      ...(signed.body === null ? {} : { body: new Uint8Array(await signed.arrayBuffer()) }),
      maxBytes,
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
  }
}

/** A 404 of the bucket, not of an object in it. */
export async function isBucketMissing(response: Response): Promise<boolean> {
  return (await response.text()).includes('NoSuchBucket');
}
