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
        const last = lastLine(file, path);
        const line = nextLogLine(last, payload.value, Math.floor(nowMs() / 1000));
        // The process died between this line and its receipt: the line stands, and is not written twice.
        if (last?.leaf_hash === line.leaf_hash) return receiptOf(logId, last);
        const text = `${line.text.slice(0, -2)},"note":${asciiJson(checkpoint.note)}}\n`;
        writeSync(file, text);
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

/** The last whole line. A torn one behind it was never acknowledged: a crash left it, and it is cut off. */
function lastLine(file: number, path: string): Last | null {
  const { size } = fstatSync(file);
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
  readSync(file, tail, 0, tail.length, size - tail.length);
  const end = tail.lastIndexOf(NEWLINE) + 1;
  if (end < tail.length) ftruncateSync(file, size - tail.length + end);
  if (end === 0) return null;
  const text = tail.toString('utf8', tail.lastIndexOf(NEWLINE, end - 2) + 1, end);
  const { index, chain_hash, leaf_hash } = readLine(text);
  if (typeof index === 'number' && typeof chain_hash === 'string' && typeof leaf_hash === 'string')
    return { index, chain_hash, leaf_hash, text };
  throw new AnchorError(
    'file_damaged',
    `the last line of ${path} is none of a local log: move the file away, or mend it`,
  );
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
