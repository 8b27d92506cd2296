import { hash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import {
  type Db,
  PARAM,
  prepare,
  prepareLastKey,
  prepareSummedInsert,
  type Statement,
  sqlBuilder,
} from './database.ts';
import type { Summed } from './locator.ts';

/** What evidence may unpack to: a page of 4 MiB in base64, with room. */
const MAX_EVIDENCE_BYTES = 16_777_216;
/** Digest, sums and the index of a row, roughly. */
const ROW_BYTES = 128;
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** Evidence by the SHA-256 of its canonical text, compressed. The same evidence is stored once. */
export class EvidenceStore {
  readonly #find: Statement<[Uint8Array], { evidence_id: number; body: Uint8Array }>;
  readonly #insert: (row: Summed<'evidence'>) => void;
  readonly #lastKey: () => number;
  #written = 0;

  constructor(db: Db) {
    this.#find = prepare(
      db,
      sqlBuilder.selectFrom('evidence').select(['evidence_id', 'body']).where('digest', '=', PARAM),
    );
    this.#insert = prepareSummedInsert(db, 'evidence');
    this.#lastKey = prepareLastKey(db, 'evidence', 'evidence_id');
  }

  /** Bytes of everything saved since it was opened. */
  get written(): number {
    return this.#written;
  }

  /** @returns `sha256:…` of the text */
  save(text: string): string {
    const digest = hash('sha256', text, 'buffer');
    if (this.#find.get(digest) === undefined) {
      const id = this.#lastKey() + 1;
      const body = zstdCompressSync(text, COMPRESSION);
      this.#insert({ evidence_id: id, digest, body });
      this.#written += body.length + ROW_BYTES;
    }
    return `sha256:${digest.toString('hex')}`;
  }

  /** The text of `id` (`sha256:…`); undefined if there is none or its bytes are no longer those that were saved. */
  read(id: string): string | undefined {
    const digest = Buffer.from(id.slice(7), 'hex');
    const row = this.#find.get(digest);
    if (row === undefined) return undefined;
    const text = unpackEvidence(row.body);
    return text !== undefined && hash('sha256', text, 'buffer').equals(digest) ? text : undefined;
  }
}

export function unpackEvidence(body: Uint8Array): string | undefined {
  try {
    return zstdDecompressSync(body, { maxOutputLength: MAX_EVIDENCE_BYTES }).toString('utf8');
  } catch {
    return undefined; // damaged bytes are a finding of the caller's, not a failure
  }
}
