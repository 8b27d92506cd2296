/** The records of all onboardings, in memory and on disk. This process alone writes them. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder, writeFileAtomically } from '../config/atomic-file.ts';
import { openPeerNote } from '../wire/peer-note.ts';
import { decodeRecord, encodeRecord, isExpired, isWaiting, MAX_RECORD_BYTES, type OnboardingRecord } from './record.ts';

const SUFFIX = '.json';
const MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Decided ones are in the audit log too; their files go after this time. */
const KEPT_MS = 2_592_000_000;
const MAX_FILES = 4_096;

export class RecordFolder {
  readonly #folder: string;
  readonly #records = new Map<string, OnboardingRecord>();
  #sorted: readonly OnboardingRecord[] | null = null;

  /** @param onFault told of each file that cannot be read: such a one admits nobody, and stays for a person to look at */
  constructor(folder: string, nowMs: number, onFault: (file: string, why: string) => void) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    const files = readdirSync(folder).filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.'));
    for (const file of files.slice(0, MAX_FILES)) this.#load(file, nowMs, onFault);
  }

  /** The oldest first. Asked for at every connection. */
  all(): readonly OnboardingRecord[] {
    this.#sorted ??= [...this.#records.values()].sort((a, b) => a.made_ms - b.made_ms);
    return this.#sorted;
  }

  get(id: string): OnboardingRecord | undefined {
    return this.#records.get(id);
  }

  /** On disk when it returns. @throws the file system's error; nothing has changed then */
  put(record: OnboardingRecord): void {
    writeFileAtomically(join(this.#folder, `${record.id}${SUFFIX}`), encodeRecord(record), MODE);
    this.#records.set(record.id, record);
    this.#sorted = null;
  }

  #load(file: string, nowMs: number, onFault: (file: string, why: string) => void): void {
    const path = join(this.#folder, file);
    const record = readRecord(path);
    if (typeof record === 'string') onFault(path, record);
    else if (`${record.id}${SUFFIX}` !== file) onFault(path, `it is the record of ${record.id}`);
    else if (isOld(record, nowMs)) {
      rmSync(path);
      syncFolder(this.#folder);
    } else this.#records.set(record.id, record);
  }
}

/** The record, or what is wrong with the file. */
function readRecord(path: string): OnboardingRecord | string {
  if (statSync(path).size > MAX_RECORD_BYTES) return `it has more than ${MAX_RECORD_BYTES} bytes`;
  const decoded = decodeRecord(readFileSync(path));
  if (!decoded.ok) return `${decoded.error.at}: expected ${decoded.error.expected}`;
  const { peer } = decoded.value;
  return peer === null || openPeerNote(peer).ok ? decoded.value : 'its note does not verify';
}

function isOld(record: OnboardingRecord, nowMs: number): boolean {
  if (nowMs - record.made_ms <= KEPT_MS || isWaiting(record)) return false;
  return record.state !== 'open' || isExpired(record, nowMs);
}
