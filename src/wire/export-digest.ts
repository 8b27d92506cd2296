/**
 * Signed digests of the audit log for those who receive it: from which record to which, and of each receiver how many of them
 * it should have and the hash over their hashes. Who keeps what was sent can show that nothing is missing or changed.
 */
import { hash } from 'node:crypto';
import { isNodeId } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from '../merkle/base64.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ed25519Verifier, formatNote, logLines, parseNote, verifyNote } from '../merkle/note.ts';

export interface SinkDigest {
  readonly sink: string;
  /** Records of the range that its filter lets through. */
  readonly count: number;
  /** `sha256:…`, see {@link foldRecord}. */
  readonly digest: string;
}

export interface ExportDigest {
  readonly nodeId: string;
  readonly first: number;
  readonly last: number;
  /** `sha256:…` of record `last`. */
  readonly head: string;
  /** Root of the audit log's tree of `last` records, 32 bytes. */
  readonly root: Uint8Array;
  readonly sinks: readonly SinkDigest[];
}

export type ExportDigestError = 'digest_malformed' | 'digest_signature_invalid';

const HEAD = 'stigmem-export-digest/v1';
const HASH = 'sha256:[0-9a-f]{64}';
const NUMBER = '(0|[1-9][0-9]{0,15})';
const RECORDS = new RegExp(`^records ${NUMBER} ${NUMBER}$`);
const HEAD_LINE = new RegExp(`^head (${HASH})$`);
const ROOT = /^root ([A-Za-z0-9+/]{43}=)$/;
const SINK = new RegExp(`^sink ([a-z0-9][a-z0-9-]{0,31}) ${NUMBER} (${HASH})$`);
const HASH_BYTES = 32;

/** Where the fold over no record begins. */
export const EMPTY_FOLD: string = `sha256:${'0'.repeat(64)}`;

/** Adds one record to the hash over those before. @param recordHash `sha256:…` */
export function foldRecord(before: string, seq: number, recordHash: string): string {
  return `sha256:${hash('sha256', `${before}\n${seq} ${recordHash}\n`, 'hex')}`;
}

/** @param signer the log key, under the journal's origin */
export function signExportDigest(digest: ExportDigest, signer: LogSigner): string {
  const text = formatDigest(digest);
  return formatNote({ text, signatures: logLines(text, signer) });
}

/** Reads a digest and verifies its signature by a log key. Total. */
export function openExportDigest(
  note: string,
  log: { readonly origin: string; readonly key: Uint8Array },
): Result<ExportDigest, ExportDigestError> {
  const parsed = parseNote(note);
  if (!parsed.ok) return err('digest_malformed');
  const digest = parseDigest(parsed.value.text);
  if (!digest.ok) return digest;
  const verified = verifyNote(parsed.value, [ed25519Verifier(log.origin, log.key)]);
  return verified.ok ? digest : err('digest_signature_invalid');
}

function formatDigest({ nodeId, first, last, head, root, sinks }: ExportDigest): string {
  const lines = [HEAD, nodeId, `records ${first} ${last}`, `head ${head}`, `root ${encodeBase64(root)}`];
  for (const { sink, count, digest } of sinks) lines.push(`sink ${sink} ${count} ${digest}`);
  return `${lines.join('\n')}\n`;
}

function parseDigest(text: string): Result<ExportDigest, 'digest_malformed'> {
  const [name, nodeId = '', records = '', headLine = '', rootLine = '', ...rest] = text.split('\n');
  const [, first = '', last = ''] = RECORDS.exec(records) ?? [];
  const head = HEAD_LINE.exec(headLine)?.[1];
  const root = decodeBase64(ROOT.exec(rootLine)?.[1] ?? '');
  const sinks = rest.slice(0, -1).map(sinkOf);
  if (name !== HEAD || first === '' || head === undefined || root?.length !== HASH_BYTES)
    return err('digest_malformed');
  if (rest.at(-1) !== '' || sinks.includes(null) || !isNodeId(nodeId)) return err('digest_malformed');
  const digest = {
    nodeId,
    first: Number(first),
    last: Number(last),
    head,
    root,
    sinks: sinks.filter((one) => one !== null),
  };
  const isCounted = [digest.first, digest.last, ...digest.sinks.map(({ count }) => count)].every(Number.isSafeInteger);
  // One text for each digest.
  return isCounted && formatDigest(digest) === text ? ok(digest) : err('digest_malformed');
}

function sinkOf(line: string): SinkDigest | null {
  const [, sink, count, digest] = SINK.exec(line) ?? [];
  return sink === undefined || count === undefined || digest === undefined
    ? null
    : { sink, count: Number(count), digest };
}
