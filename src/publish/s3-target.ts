/** An S3-compatible store as the target of a published log. Conditional writes keep what is there as it is. */

import { changed } from './folder-target.ts';
import { isBucketMissing, S3Client, type S3Options, type S3Request } from './s3-client.ts';
import type { PublishTarget, Versioned } from './target.ts';

/** A published checkpoint is a few KiB; a store that answers with more is none of ours. */
const ANSWER: S3Request = { maxBytes: 1_048_576, tooLarge: 'is no checkpoint: name an empty prefix' };
const IMMUTABLE = 'public, max-age=31536000, immutable';

export class S3Target implements PublishTarget {
  readonly name: string;
  readonly #client: S3Client;

  constructor(options: S3Options) {
    this.#client = new S3Client(options);
    this.name = this.#client.name;
  }

  async read(path: string): Promise<Versioned | undefined> {
    const response = await this.#client.send('GET', path, ANSWER);
    if (response.status === 404 && !(await isBucketMissing(response.clone()))) return undefined;
    if (!response.ok) throw await this.#client.refusal('read', path, response);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { bytes, version: response.headers.get('etag') };
  }

  async writeOnce(path: string, body: Uint8Array): Promise<boolean> {
    const headers = { 'content-type': 'application/octet-stream', 'cache-control': IMMUTABLE };
    const response = await this.#client.put(path, { ...ANSWER, body, headers }, { 'if-none-match': '*' });
    if (response.status === 412) return false;
    if (!response.ok) throw await this.#client.refusal('write', path, response);
    return true;
  }

  async replace(path: string, body: Uint8Array, known: Versioned | undefined): Promise<void> {
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' };
    const condition: Record<string, string> =
      known === undefined ? { 'if-none-match': '*' } : known.version === null ? {} : { 'if-match': known.version };
    const response = await this.#client.put(path, { ...ANSWER, body, headers }, condition);
    if (response.status === 412 || response.status === 409) throw changed(`${this.name}/${path}`);
    if (!response.ok) throw await this.#client.refusal('write', path, response);
  }

  /** Left: a store is asked for a listing to find them, and a rule of the bucket can expire `*.p/*`. */
  async removeGrowing(): Promise<void> {}
}
