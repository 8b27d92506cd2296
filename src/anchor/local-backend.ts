/**
 * The local log: one JSON line for each checkpoint, as the Stigmem reference writes it, with the signed note besides. It is
 * no outside trust unless its storage cannot be rewritten: whoever can write the file can write it anew.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseJson } from '../core/json.ts';
import { type LogLine, localLogId, nextLogLine } from '../core/reference/local-log.ts';
import { isoMicros } from '../core/time.ts';
import type { AnchorCheckpoint, NewAnchorReceipt } from '../journal/anchor-records.ts';
import type { AnchorBackend } from './backend.ts';
import { AnchorError } from './errors.ts';

/** A line is below 2 KB: the last one is in here. */
const TAIL_BYTES = 65_536;
const FILE_MODE = 0o600;
const NEWLINE = 0x0a;
const LINE_START = '{"index":';

type Last = Pick<LogLine, 'index' | 'chain_hash' | 'leaf_hash'> & { readonly text: string };

/** @param path of the file; made if it is not there */
export function createLocalBackend(path: string, nowMs: () => number): AnchorBackend {
  const logId = localLogId(resolve(path));
  return {
    name: 'local',
    async submit(checkpoint) {
      const payload = parseJson(payloadText(checkpoint));
      if (!payload.ok) throw new TypeError('a payload is JSON');
      const file = open(path);
      try {
        const { last, lines } = lastLines(file, path);
        const line = nextLogLine(last, payload.value, Math.floor(nowMs() / 1000));
        // The process died between the line and its receipt: the line stands, and is not written twice.
        const standing = lines.find((one) => one.leaf_hash === line.leaf_hash);
        if (standing !== undefined) return receiptOf(logId, standing);
        const text = `${line.text.slice(0, -2)},"note":${asciiJson(checkpoint.note)}}\n`;
        writeWhole(file, text);
        fsyncSync(file);
        return receiptOf(logId, { ...line, text });
      } finally {
        closeSync(file);
      }
    },
  };
}

/** The reference's payload; a checkpoint of the audit log is of a kind of its own. */
function payloadText({ log, chainHash, treeSize, createdUs }: AnchorCheckpoint): string {
  return JSON.stringify({
    chain_hash: chainHash,
    covered_chain_seq: treeSize,
    created_at: isoMicros(createdUs),
    kind: log === 'journal' ? 'stigmem.fact_chain_checkpoint' : 'stigmem.audit_log_checkpoint',
    tenant_id: 'default',
    version: 1,
  });
}

function receiptOf(logId: string, { index, leaf_hash, text }: Omit<Last, 'chain_hash'>): NewAnchorReceipt {
  const stated = { backend: 'local', logId, logIndex: index, integratedTime: null } as const;
  return { ...stated, leafHash: leaf_hash, entry: text.trimEnd(), trustRoot: null };
}

function open(path: string): number {
  try {
    return openSync(path, 'a+', FILE_MODE);
  } catch (cause) {
    throw new AnchorError('unreachable', `${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

/** A full disk takes a part of a line: the rest is not left out in silence. */
function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** The whole lines at the end. A torn one behind them was never acknowledged: a crash left it, and it is cut off. */
function lastLines(file: number, path: string): { readonly last: Last | null; readonly lines: readonly Last[] } {
  const { size } = fstatSync(file);
  const start = Math.max(0, size - TAIL_BYTES);
  const tail = Buffer.alloc(size - start);
  readSync(file, tail, 0, tail.length, start);
  const end = tail.lastIndexOf(NEWLINE) + 1;
  const torn = tail.toString('latin1', end);
  // Only what can be the start of one of our lines: a file that is something else is not for us to cut.
  const isOurs = LINE_START.startsWith(torn.slice(0, LINE_START.length));
  if (!isOurs || (end === 0 && start > 0)) throw damaged(path);
  if (torn !== '') ftruncateSync(file, start + end);
  const texts = tail.toString('utf8', 0, end).split(/(?<=\n)/);
  // The first one may have begun before the tail.
  const lines = texts.slice(start === 0 ? 0 : 1).filter((text) => text !== '');
  const read = lines.map(lineOf).filter((line) => line !== null);
  const last = lines.length === 0 ? null : lineOf(lines.at(-1) ?? '');
  if (lines.length > 0 && last === null) throw damaged(path);
  return { last, lines: read };
}

function damaged(path: string): AnchorError {
  return new AnchorError(
    'file_damaged',
    `the last line of ${path} is none of a local log: move the file away, or mend it`,
  );
}

function lineOf(text: string): Last | null {
  const { index, chain_hash, leaf_hash } = readLine(text);
  const isLine = typeof index === 'number' && typeof chain_hash === 'string' && typeof leaf_hash === 'string';
  return isLine ? { index, chain_hash, leaf_hash, text } : null;
}

function readLine(text: string): {
  readonly index?: unknown;
  readonly chain_hash?: unknown;
  readonly leaf_hash?: unknown;
} {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** As the reference writes texts into its lines. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
