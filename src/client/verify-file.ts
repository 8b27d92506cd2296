/** Judges one file that somebody was handed: which judge takes it follows from what it is. */
import { isTar, readTar } from '../core/ustar.ts';
import type { EvidenceVerdict } from '../verify/evidence-verdict.ts';
import { EVIDENCE_FILE, judgePacket, PAGE_FILES, PEER_FILE, RECORD_FILE } from '../verify/packet-verdict.ts';
import { plainText, VERDICT_EXIT, verdictText } from '../verify/verdict-text.ts';
import { TRUST_FIX } from './given-trust.ts';
import { judgeProof, type ProofKind, type ProofRow, type ProofTrust, proofKindOf } from './proof-file.ts';

export interface GivenFile {
  readonly bytes: Uint8Array;
  /** A file that lies beside it, by its name from there; null if there is none. */
  readonly beside: (name: string) => Uint8Array | null;
}

export interface FileFinding {
  /** What the file is taken for. */
  readonly kind: string;
  /** 0: what it says is proven; 1: it is not; 2: it is nothing that can be judged; 4: a proof that does not verify. */
  readonly exit: 0 | 1 | 2 | 4;
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly json: Readonly<Record<string, unknown>>;
}

const NAMES: Readonly<Record<ProofKind, string>> = {
  bundle: 'a fact bundle',
  checkpoint: 'a checkpoint',
  anchor: 'a receipt of a transparency log',
};

/**
 * Pure but for what `beside` does; whatever the bytes are, there is a finding.
 *
 * @param given keys for what is proven by keys; null: there are none. Evidence brings its own
 */
export function judgeFile(file: GivenFile, given: ProofTrust | null = null): FileFinding {
  if (isTar(file.bytes)) return judgeTar(file);
  const kind = proofKindOf(file.bytes);
  if (kind === null) return judgeLooseEvidence(file);
  return given === null ? unjudged(kind) : judgeByKeys(kind, file, given);
}

function unjudged(kind: ProofKind): FileFinding {
  const message = `this is ${NAMES[kind]}: it is judged by keys, and none are given`;
  return { kind, exit: 2, text: `NOT JUDGED: ${message}.\n${TRUST_FIX}\n`, json: { kind, verified: null, message } };
}

function judgeByKeys(kind: ProofKind, { bytes }: GivenFile, given: ProofTrust): FileFinding {
  const { fault, rows, json } = judgeProof(kind, bytes, given);
  const text = fault === null ? `verified\n${rowsText(rows)}` : `not verified: ${plainText(fault)}\n`;
  return { kind, exit: fault === null ? 0 : 4, text, json: { kind, ...json } };
}

/** Names and values, one below the other. */
function rowsText(rows: readonly ProofRow[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${plainText(String(value ?? '-'))}\n`).join('');
}

function judgeTar({ bytes }: GivenFile): FileFinding {
  const files = readTar(bytes);
  if (files.ok) return found(judgePacket(files.value));
  const not_proven = [`This shows nothing: it is no evidence file as it was written: ${files.error}.`];
  return found({ verdict: 'invalid', class: null, peer: null, recorded: null, proven: [], not_proven });
}

/** Evidence that was taken out of its packet: what lies beside it is used. */
function judgeLooseEvidence({ bytes, beside }: GivenFile): FileFinding {
  const files = new Map([[EVIDENCE_FILE, bytes]]);
  for (const name of [RECORD_FILE, PEER_FILE, ...Object.values(PAGE_FILES)]) {
    const other = beside(name);
    if (other !== null) files.set(name, other);
  }
  return found(judgePacket(files));
}

function found(verdict: EvidenceVerdict): FileFinding {
  const exit = VERDICT_EXIT[verdict.verdict];
  return { kind: 'evidence', exit, text: verdictText(verdict), json: { kind: 'evidence', ...verdict } };
}
