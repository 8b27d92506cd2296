import { decodeBase64 } from '../merkle/base64.ts';
import { decodePageHeader } from '../wire/page-header.ts';
import { type HeadPair, type JudgedLog, judgePair } from './contradiction.ts';
import { decodeEvidence, type EvidenceForm } from './evidence-form.ts';
import { ownLines } from './own-lines.ts';

/** The two heads in a piece of evidence; null: it holds no two heads of this log that contradict each other. */
export function pairInEvidence(evidence: string, log: JudgedLog): HeadPair | null {
  const decoded = decodeEvidence(evidence);
  const pair = decoded.ok ? pairOf(decoded.value, log) : null;
  return pair !== null && judgePair(pair, log).kind === 'contradiction' ? pair : null;
}

function pairOf({ kind, form }: EvidenceForm, log: JudgedLog): HeadPair | null {
  if (kind === 'checkpoints') {
    const [smaller, larger] = form.notes;
    return smaller === undefined || larger === undefined
      ? null
      : { notes: [smaller, larger], path: hashesIn(form.path) };
  }
  if (kind !== 'page' || form.known === null) return null;
  const header = decodePageHeader(decodeBase64(form.received.header) ?? new Uint8Array(0));
  if (!header.ok) return null;
  const { checkpoint, consistency } = header.value;
  return { notes: [ownLines(form.known.note, log), ownLines(checkpoint, log)], path: hashesIn(consistency) };
}

function hashesIn(path: readonly string[] | null): HeadPair['path'] {
  return path?.map((hash) => decodeBase64(hash) ?? new Uint8Array(0)) ?? null;
}
