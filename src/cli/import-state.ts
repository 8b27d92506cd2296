/**
 * How far an import has come, so that the same command goes on where it was stopped. Losing this file loses nothing:
 * a fact asserted again has the same CID and changes nothing, it only takes the time once more.
 */
import { hash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFileAtomically } from '../config/atomic-file.ts';
import { dataPaths } from '../config/data-dir.ts';

const FINGERPRINT_BYTES = 4_096;

export interface ImportCounts {
  /** Last line whose outcome is known. */
  readonly line: number;
  readonly stored: number;
  readonly repeated: number;
  readonly bad: number;
}

export const NOTHING_IMPORTED: ImportCounts = { line: 0, stored: 0, repeated: 0, bad: 0 };

/** The state file of one input: the same path, size, time and beginning mean the same file. One that was edited begins anew. */
export function importStatePath(dir: string, file: string): string {
  const path = resolve(file);
  const { size, mtimeMs } = statSync(path);
  const head = Buffer.alloc(FINGERPRINT_BYTES);
  const handle = openSync(path, 'r');
  const read = readSync(handle, head, 0, FINGERPRINT_BYTES, 0);
  closeSync(handle);
  const name = hash(
    'sha256',
    Buffer.concat([Buffer.from(`${path}\n${size}\n${mtimeMs}\n`), head.subarray(0, read)]),
    'hex',
  );
  return join(dataPaths(dir).run, `import-${name}.json`);
}

/** What an earlier run acknowledged; nothing when there was none or its file cannot be read. */
export function readImportState(path: string): ImportCounts {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isCounts(value) ? value : NOTHING_IMPORTED;
  } catch {
    return NOTHING_IMPORTED;
  }
}

export function writeImportState(path: string, counts: ImportCounts): void {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  writeFileAtomically(path, `${JSON.stringify(counts)}\n`, 0o600);
}

export function removeImportState(path: string): void {
  rmSync(path, { force: true });
}

function isCounts(value: unknown): value is ImportCounts {
  if (typeof value !== 'object' || value === null) return false;
  const members = new Map<string, unknown>(Object.entries(value));
  return ['line', 'stored', 'repeated', 'bad'].every(
    (name) => Number.isSafeInteger(members.get(name)) && Number(members.get(name)) >= 0,
  );
}
