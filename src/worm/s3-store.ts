/**
 * An S3-compatible store with Object Lock. Each object is put under COMPLIANCE retention, which nobody can shorten, and only
 * where there is none; afterwards the store is asked what it holds and for how long.
 */
import { createHash } from 'node:crypto';
import { isBucketMissing, S3Client, type S3Options } from '../publish/s3-client.ts';
import { PublishError } from '../publish/target.ts';
import { MAX_SEGMENT_BYTES } from '../wire/worm-manifest.ts';
import { readVersions } from './s3-versions.ts';
import { type PutObject, type Shadowed, type StoredObject, WormError, type WormStore } from './store.ts';

const MODE = 'COMPLIANCE';
const MAX_ANSWER_BYTES = 65_536;
const TOO_LARGE = 'is larger than anything that was shipped';
/** A thousand versions each. */
const MAX_LISTED_PAGES = 64;
const MAX_LIST_BYTES = 4_194_304;
const MAX_SHADOWED = 256;
/** Stores keep whole seconds. */
const SECOND_MS = 1_000;
const NO_LOCK =
  'the bucket has no Object Lock, or the credentials may not set it: make the bucket with Object Lock (it cannot be added later everywhere), and let them PutObjectRetention and GetObjectRetention';

interface Retention {
  readonly mode: string | null;
  readonly untilMs: number | null;
}

export class S3Store implements WormStore {
  readonly name: string;
  readonly hasRetention = true;
  #weakness: string | null = null;
  readonly #client: S3Client;

  constructor(options: S3Options) {
    this.#client = new S3Client(options);
    this.name = this.#client.name;
  }

  get weakness(): string | null {
    return this.#weakness;
  }

  async read(path: string, version: string | null, maxBytes: number): Promise<StoredObject | undefined> {
    const query = version === null ? '' : `?versionId=${encodeURIComponent(version)}`;
    const response = await this.#send('GET', `${path}${query}`, { maxBytes });
    if (response.status === 404 && !(await isBucketMissing(response.clone()))) return undefined;
    // A version under a delete marker, or a marker asked for by itself.
    if (response.status === 405) return undefined;
    if (!response.ok) throw await this.#refused('read', path, response);
    const bytes = new Uint8Array(await response.arrayBuffer());
    // Not every store says it with the object.
    const { untilMs } = headerSays(response) ? retentionOf(response) : await this.#retention(path, version);
    return { bytes, version: versionOf(response), lockedUntilMs: untilMs };
  }

  /** What was deleted in a store with versions was there, and its versions are: only its name leads to nothing. */
  async exists(path: string): Promise<boolean> {
    if ((await this.#head(path)) !== undefined) return true;
    // Not with every store does the answer to HEAD say so.
    const response = await this.#send('GET', path, { maxBytes: MAX_SEGMENT_BYTES });
    return response.ok || response.headers.get('x-amz-delete-marker') === 'true';
  }

  async shadowed(folder: string, after: string): Promise<Shadowed> {
    const { prefix } = this.#client;
    const versions: { readonly path: string; readonly version: string }[] = [];
    let marker: Readonly<Record<string, string>> | null = { 'key-marker': `${prefix}${after}` };
    for (let page = 0; marker !== null; page++) {
      if (page === MAX_LISTED_PAGES || versions.length > MAX_SHADOWED) return { versions, isWhole: false };
      const query = new URLSearchParams({ versions: '', prefix: `${prefix}${folder}`, ...marker });
      const request = { maxBytes: MAX_LIST_BYTES, tooLarge: TOO_LARGE };
      const response: Response = await this.#orUnusable(this.#client.ask(query, request));
      if (!response.ok) {
        const { message } = await this.#client.refusal('list the versions of', folder, response);
        this.#weakness = `${message}. Until the credentials may ListBucketVersions, a manifest that somebody puts above one of ours hides it from verify and from a copy that is put back`;
        return { versions: [], isWhole: true };
      }
      const listed = readVersions(await response.text());
      for (const { key, version } of listed.shadowed)
        if (key.startsWith(prefix)) versions.push({ path: key.slice(prefix.length), version });
      marker = listed.next;
    }
    return { versions, isWhole: true };
  }

  async put(path: string, bytes: Uint8Array, retainUntilMs: number): Promise<PutObject> {
    const until = new Date(retainUntilMs).toISOString();
    const headers = {
      'content-type': 'application/octet-stream',
      'content-md5': createHash('md5').update(bytes).digest('base64'),
      'x-amz-checksum-sha256': createHash('sha256').update(bytes).digest('base64'),
      'x-amz-object-lock-mode': MODE,
      'x-amz-object-lock-retain-until-date': until,
    };
    // Asked first: a store without conditional writes would make a second version above the first.
    const before = await this.#head(path);
    let existed = before !== undefined;
    if (before === undefined) {
      const request = { body: bytes, headers, maxBytes: MAX_ANSWER_BYTES, tooLarge: TOO_LARGE };
      const response = await this.#orUnusable(this.#client.put(path, request, { 'if-none-match': '*' }));
      existed = response.status === 412;
      if (!existed && !response.ok) throw await this.#refused('write', path, response);
    }
    return { version: await this.#confirm(path, bytes, { retainUntilMs, existed }), existed };
  }

  /** What the store says it holds, after the write. @returns the version that is locked */
  async #confirm(
    path: string,
    bytes: Uint8Array,
    { retainUntilMs, existed }: { readonly retainUntilMs: number; readonly existed: boolean },
  ): Promise<string | null> {
    const head = await this.#head(path);
    if (head === undefined) throw broken(path, this.name, 'it is not there after it was written');
    await this.#compare(path, head, bytes);
    const version = versionOf(head);
    let found = await this.#retention(path, version);
    const isShort = found.mode === MODE && (found.untilMs ?? 0) < retainUntilMs - SECOND_MS;
    if (isShort || (existed && found.mode !== MODE)) {
      // Written by a round that did not come to its end: what is locked may be locked for longer. Or by somebody else, above ours
      // and without a lock: the same bytes, which are locked as ours were.
      const refused = await this.#extend(path, version, retainUntilMs).catch(wormErrorOr);
      if (refused !== undefined && isShort) throw refused;
      found = await this.#retention(path, version);
    }
    this.#assertKept(path, found, retainUntilMs);
    return version;
  }

  #assertKept(path: string, { mode, untilMs }: Retention, wantedMs: number): void {
    if (mode === MODE && untilMs !== null && untilMs >= wantedMs - SECOND_MS) return;
    const wanted = `${MODE} until ${new Date(wantedMs).toISOString()}`;
    const got = mode === null || untilMs === null ? 'none' : `${mode} until ${new Date(untilMs).toISOString()}`;
    throw broken(path, this.name, `asked for retention ${wanted}, the store says ${got}`);
  }

  async #compare(path: string, head: Response, bytes: Uint8Array): Promise<void> {
    const sum = head.headers.get('x-amz-checksum-sha256');
    const wanted = createHash('sha256').update(bytes).digest('base64');
    if (Number(head.headers.get('content-length') ?? bytes.length) === bytes.length && sum === wanted) return;
    // Without a sum of its own, or with another one, its bytes decide.
    const stored = await this.read(path, versionOf(head), bytes.length + 1).catch((error: unknown) => {
      if (error instanceof WormError && error.code === 'store_other_log') return undefined;
      throw error;
    });
    if (stored !== undefined && Buffer.compare(stored.bytes, bytes) === 0) return;
    const message = `${this.name}/${path} holds other bytes than this node would write there: nothing was overwritten. Keep it, it is evidence; let one node write to one prefix`;
    throw new WormError('store_conflict', message);
  }

  async #head(path: string): Promise<Response | undefined> {
    const response = await this.#send('HEAD', path, {
      maxBytes: MAX_ANSWER_BYTES,
      headers: { 'x-amz-checksum-mode': 'ENABLED' },
    });
    if (response.status === 404) return undefined;
    if (!response.ok) throw await this.#refused('look at', path, response);
    return response;
  }

  async #retention(path: string, version: string | null): Promise<Retention> {
    const response = await this.#send('GET', `${path}${retentionQuery(version)}`, { maxBytes: MAX_ANSWER_BYTES });
    const text = await response.clone().text();
    if (response.status === 404 || response.status === 400) return { mode: null, untilMs: null };
    if (!response.ok) throw await this.#refused('ask for the retention of', path, response);
    const until = Date.parse(/<RetainUntilDate>([^<]+)<\/RetainUntilDate>/.exec(text)?.[1] ?? '');
    return { mode: /<Mode>([^<]+)<\/Mode>/.exec(text)?.[1] ?? null, untilMs: Number.isNaN(until) ? null : until };
  }

  async #extend(path: string, version: string | null, untilMs: number): Promise<void> {
    const until = new Date(untilMs).toISOString();
    const body = Buffer.from(
      `<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>${MODE}</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`,
    );
    const response = await this.#send('PUT', `${path}${retentionQuery(version)}`, {
      body,
      maxBytes: MAX_ANSWER_BYTES,
      headers: { 'content-md5': createHash('md5').update(body).digest('base64') },
    });
    if (!response.ok) throw await this.#refused('lengthen the retention of', path, response);
  }

  #send(
    method: string,
    path: string,
    request: {
      readonly maxBytes: number;
      readonly body?: Uint8Array;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<Response> {
    return this.#orUnusable(this.#client.send(method, path, { ...request, tooLarge: TOO_LARGE }));
  }

  async #refused(what: string, path: string, response: Response): Promise<WormError> {
    const text = await response.clone().text();
    const refusal = await this.#client.refusal(what, path, response);
    const isLock = /ObjectLock|InvalidBucketObjectLock|Object Lock/i.test(text);
    return new WormError('store_unusable', isLock ? `${refusal.message}. ${NO_LOCK}` : refusal.message);
  }

  async #orUnusable(work: Promise<Response>): Promise<Response> {
    try {
      return await work;
    } catch (cause) {
      if (!(cause instanceof PublishError)) throw cause;
      const code = cause.code === 'target_other_log' ? 'store_other_log' : 'store_unusable';
      throw new WormError(code, cause.message, { cause });
    }
  }
}

function wormErrorOr(error: unknown): WormError {
  if (error instanceof WormError) return error;
  throw error;
}

function retentionQuery(version: string | null): string {
  return version === null ? '?retention=' : `?retention=&versionId=${encodeURIComponent(version)}`;
}

function versionOf(response: Response): string | null {
  const version = response.headers.get('x-amz-version-id');
  return version === null || version === 'null' ? null : version;
}

function headerSays(response: Response): boolean {
  return response.headers.get('x-amz-object-lock-mode') !== null;
}

function retentionOf(response: Response): Retention {
  const until = Date.parse(response.headers.get('x-amz-object-lock-retain-until-date') ?? '');
  return {
    mode: response.headers.get('x-amz-object-lock-mode'),
    untilMs: Number.isNaN(until) ? null : until,
  };
}

function broken(path: string, name: string, why: string): WormError {
  const message = `${name}/${path}: ${why}. What was shipped can be taken away again: ${NO_LOCK}`;
  return new WormError('retention_broken', message);
}
