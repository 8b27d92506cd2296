/**
 * Reports of checks that the command line has run. Nothing is written into the journal that was checked: it may be damaged, or of an
 * older schema, or somebody else's process may be needed to write it. The signed report goes to the daemon, or waits for it in a folder.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomically } from '../config/atomic-file.ts';
import { dataPaths } from '../config/data-dir.ts';
import { readSeedFile } from '../config/secret-file.ts';
import type { CheckDetail } from '../core/journal-check.ts';
import { shortened } from '../core/shortened.ts';
import { isoMicros } from '../core/time.ts';
import type { FsckReport } from '../journal/fsck/report.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { CHECK_REPORT, type CheckReport, MAX_TOLD, MAX_TOLD_CHARS } from '../wire/check-report.ts';
import { signDocument } from '../wire/signed-document.ts';
import { identityIn } from './identity.ts';

const FILE = /^[0-9]{8}T[0-9]{9}Z\.note$/;
/** More are not looked at: whoever calls the command line in a loop does not fill the audit log. */
const MAX_WAITING = 32;
const MAX_BYTES = 65_536;

export interface CheckTimes {
  readonly startedMs: number;
  readonly endedMs: number;
}

type Findings = Omit<CheckDetail, 'cause' | 'by' | 'report'>;

/** What of a report stands on record. */
export function findingsOf(report: FsckReport, { startedMs, endedMs }: CheckTimes): Findings {
  const { heads, notices, problemCount, problems } = report;
  const told = problems.map(({ table, row, field, code }) =>
    [table, row, field, code].filter((part) => part !== null).join(' '),
  );
  return {
    started_at: isoMicros(startedMs * 1_000),
    ended_at: isoMicros(endedMs * 1_000),
    duration_ms: Math.max(0, endedMs - startedMs),
    problems: problemCount,
    first_problems: told.slice(0, MAX_TOLD).map((text) => shortened(text, MAX_TOLD_CHARS)),
    notices: [...new Set(notices.map(({ code }) => code))].slice(0, MAX_TOLD),
    rows: Object.values(report.checked).reduce((sum, count) => sum + count, 0),
    journal: heads.journal,
    audit: heads.audit,
  };
}

/** @returns null: the folder's log key cannot be read, or whose it is; then nobody could say that the report is of this node */
export function signCheck(dir: string, report: FsckReport, times: CheckTimes): string | null {
  const seed = readSeedFile(dataPaths(dir).logKey, 'log');
  const origin = originOf(dir);
  if (!seed.ok || origin === null) return null;
  const document: CheckReport = { ...findingsOf(report, times), by: account(), v: 1 };
  return signDocument(CHECK_REPORT, document, createLogSigner(origin, seed.value));
}

/** Has a report wait for the daemon. @returns false: this account is not the folder's, and leaves nothing in it */
export function leaveCheck(dir: string, note: string, endedMs: number): boolean {
  const { checks } = dataPaths(dir);
  // What belongs to another account the daemon could not read; and a link that is there could lead anywhere.
  if (statSync(dir).uid !== process.getuid?.()) return false;
  mkdirSync(checks, { recursive: true, mode: 0o700 });
  const name = new Date(endedMs).toISOString().replaceAll(/[-:.]/g, '');
  writeFileAtomically(join(checks, `${name}.note`), note, 0o600);
  return true;
}

export interface WaitingCheck {
  readonly file: string;
  /** Null: longer than any report. */
  readonly note: string | null;
}

/** The oldest first. @throws the error of the file system */
export function waitingChecks(dir: string): readonly WaitingCheck[] {
  const { checks } = dataPaths(dir);
  const names = readdirSync(checks, { withFileTypes: true })
    .filter((entry) => entry.isFile() && FILE.test(entry.name))
    .map(({ name }) => name)
    .toSorted();
  return names.slice(-MAX_WAITING).map((name) => {
    const file = join(checks, name);
    return { file, note: statSync(file).size > MAX_BYTES ? null : readFileSync(file, 'utf8') };
  });
}

export function removeCheck({ file }: WaitingCheck): void {
  rmSync(file, { force: true });
}

/** A journal that is damaged may not say whose it is any more. */
function originOf(dir: string): string | null {
  try {
    return identityIn(dir).journalOrigin;
  } catch {
    return null;
  }
}

function account(): string {
  const { uid, username } = userInfo();
  return shortened(`account ${username}${uid < 0 ? '' : ` (${uid})`}`, MAX_TOLD_CHARS);
}
