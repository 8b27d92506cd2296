/** Judges a file that proves something to whoever has the keys: a fact bundle, a checkpoint, a receipt of a log. */
import type { Result } from '../core/result.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { parseNote } from '../merkle/note.ts';
import { FACT_BUNDLE_KIND, MAX_FACT_BUNDLE_BYTES } from '../wire/fact-bundle.ts';
import type { Fact } from './facts.ts';
import type { TrustOptions } from './trust.ts';
import {
  type VerifiedAnchor,
  type VerifiedCheckpoint,
  verifyAnchor,
  verifyCheckpoint,
  verifyFactBundle,
} from './verify.ts';

export type ProofKind = 'bundle' | 'checkpoint' | 'anchor';

export type ProofRow = readonly [name: string, value: string | number | null];

export interface ProofFinding {
  /** Why it is not verified, in words and with the code; null if it is. */
  readonly fault: string | null;
  /** What was verified, for people; nothing where nothing was. */
  readonly rows: readonly ProofRow[];
  /** For programs. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** What keys are needed beside the file. */
export interface ProofTrust {
  readonly trust: TrustOptions;
  /** The node's signed declaration, where trust is in nodes; bundles bring their own. */
  readonly declaration: string | null;
}

/** What a file is, by its form alone; null: no proof, or none of a size that could be one. */
export function proofKindOf(bytes: Uint8Array): ProofKind | null {
  if (bytes.length > MAX_FACT_BUNDLE_BYTES) return null;
  if (bytes[0] !== '{'.charCodeAt(0)) {
    const note = parseNote(bytes);
    return note.ok && parseCheckpoint(note.value.text).ok ? 'checkpoint' : null;
  }
  const value = parseOrNull(Buffer.from(bytes).toString('utf8'));
  if (typeof value !== 'object' || value === null) return null;
  if ('kind' in value && value.kind === FACT_BUNDLE_KIND) return 'bundle';
  return 'backend' in value && 'checkpoint' in value ? 'anchor' : null;
}

/** Total for every file. @throws TypeError if what is trusted is malformed */
export function judgeProof(kind: ProofKind, bytes: Uint8Array, { trust, declaration }: ProofTrust): ProofFinding {
  switch (kind) {
    case 'bundle':
      return findingOf('fact', verifyFactBundle(bytes, trust), factRows);
    case 'checkpoint':
      return findingOf('checkpoint', verifyCheckpoint(bytes, trust, declaration), checkpointRows);
    case 'anchor': {
      const receipt = Buffer.from(bytes).toString('utf8');
      return findingOf('anchor', verifyAnchor(receipt, trust, declaration), anchorRows);
    }
  }
}

function findingOf<T>(
  member: string,
  verdict: Result<T, { readonly code: string; readonly message: string }>,
  rowsOf: (value: T) => readonly ProofRow[],
): ProofFinding {
  if (verdict.ok) {
    return { fault: null, rows: rowsOf(verdict.value), json: { verified: true, [member]: verdict.value } };
  }
  const { code, message } = verdict.error;
  return { fault: `${message} (${code})`, rows: [], json: { verified: false, code, message } };
}

function factRows(fact: Fact): readonly ProofRow[] {
  const proof = fact.proof;
  return [
    ['id', fact.id],
    ['cid', fact.cid],
    ['entity', fact.entity],
    ['relation', fact.relation],
    ['value', `${fact.valueText}  (${fact.valueType}, ${fact.interpretAs})`],
    ['source', fact.source],
    ['scope', fact.scope],
    ['confidence', fact.confidence],
    ['asserted', fact.timestamp],
    ['valid until', fact.validUntil],
    ['received from', fact.receivedFrom],
    ['log', proof === null ? null : `${proof.origin}, entry ${proof.index + 1} of ${proof.treeSize}`],
    ['root', proof?.root ?? null],
    ['cosigned', cosignedText(proof?.cosigned ?? [])],
  ];
}

function checkpointRows({ origin, size, root, cosigned }: VerifiedCheckpoint): readonly ProofRow[] {
  return [
    ['origin', origin],
    ['size', size],
    ['root', root],
    ['cosigned', cosignedText(cosigned)],
  ];
}

function anchorRows(anchor: VerifiedAnchor): readonly ProofRow[] {
  const { origin, size, root, backend, logId, logIndex, integratedTime } = anchor;
  return [
    ['origin', origin],
    ['size', size],
    ['root', root],
    ['log', `${backend} ${logId}, entry ${logIndex}`],
    ['time', integratedTime === null ? null : new Date(integratedTime * 1000).toISOString()],
  ];
}

function cosignedText(cosigned: VerifiedCheckpoint['cosigned']): string | null {
  if (cosigned.length === 0) return null;
  return cosigned
    .map(({ witness, timeSeconds }) => `${witness} ${new Date(timeSeconds * 1000).toISOString()}`)
    .join(', ');
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
