/** One case in the form in which both verifiers get it, and what ours makes of it. Bytes are base64. */
import { openCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { checkConsistency } from '../../../src/merkle/consistency.ts';
import { openFeedHead } from '../../../src/merkle/feed-head.ts';
import { sameHash } from '../../../src/merkle/hash.ts';
import { checkInclusion } from '../../../src/merkle/inclusion.ts';
import { type NoteVerifier, parseNote, verifyNote } from '../../../src/merkle/note.ts';
import { foldPage } from '../../../src/merkle/page-proof.ts';
import { parseTlogProof } from '../../../src/merkle/tlog-proof.ts';
import { noteVerifier, parseVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { judgeReader, type ReaderCase } from './readers.ts';

export type Case =
  | ReaderCase
  | { readonly kind: 'parse'; readonly note: string }
  | { readonly kind: 'note'; readonly note: string; readonly vkeys: readonly string[] }
  | { readonly kind: 'checkpoint' | 'feed_head'; readonly note: string; readonly origin: string; readonly key: string }
  | {
      readonly kind: 'tlog_proof';
      readonly proof: string;
      readonly leaf: string;
      readonly origin: string;
      readonly key: string;
    }
  | {
      readonly kind: 'inclusion';
      readonly leaf: string;
      readonly index: number;
      readonly size: number;
      readonly path: readonly string[];
      readonly root: string;
    }
  | {
      readonly kind: 'consistency';
      readonly old: number;
      readonly old_root: string;
      readonly new: number;
      readonly new_root: string;
      readonly path: readonly string[];
    }
  | {
      readonly kind: 'page';
      readonly size: number;
      readonly indexes: readonly number[];
      readonly leaves: readonly string[];
      readonly path: readonly string[];
      readonly root: string;
    };

export const raw = (text: string): Buffer => Buffer.from(text, 'base64');

/** Null: taken; else why not. */
export function judgeHere(one: Case): string | null {
  switch (one.kind) {
    case 'parse': {
      const parsed = parseNote(raw(one.note));
      return parsed.ok ? null : parsed.error;
    }
    case 'note':
      return judgeNote(one.note, one.vkeys);
    case 'checkpoint': {
      const opened = openCheckpoint(raw(one.note), { origin: one.origin, key: raw(one.key) });
      return opened.ok ? null : opened.error;
    }
    case 'feed_head': {
      const opened = openFeedHead(raw(one.note), { origin: one.origin, key: raw(one.key) });
      return opened.ok ? null : opened.error;
    }
    case 'tlog_proof':
      return judgeTlogProof(one);
    case 'inclusion':
      return refusal(checkInclusion(raw(one.leaf), one.index, one.path.map(raw), raw(one.root), one.size));
    case 'consistency':
      return refusal(checkConsistency(one.old, raw(one.old_root), one.new, raw(one.new_root), one.path.map(raw)));
    case 'page':
      return judgePage(one);
    default:
      return judgeReader(one);
  }
}

function refusal(verdict: string): string | null {
  return verdict === 'ok' ? null : verdict;
}

function judgeNote(note: string, vkeys: readonly string[]): string | null {
  const verifiers: NoteVerifier[] = [];
  for (const vkey of vkeys) {
    const key = parseVerifierKey(vkey);
    const verifier = key.ok ? noteVerifier(key.value) : key;
    if (!verifier.ok) return verifier.error;
    verifiers.push(verifier.value);
  }
  const parsed = parseNote(raw(note));
  if (!parsed.ok) return parsed.error;
  const verified = verifyNote(parsed.value, verifiers);
  return verified.ok ? null : verified.error;
}

function judgeTlogProof({ proof, leaf, origin, key }: Extract<Case, { kind: 'tlog_proof' }>): string | null {
  const parsed = parseTlogProof(raw(proof));
  if (!parsed.ok) return parsed.error;
  const opened = openCheckpoint(parsed.value.checkpoint, { origin, key: raw(key) });
  if (!opened.ok) return opened.error;
  const { index, path } = parsed.value;
  return refusal(checkInclusion(raw(leaf), index, path, opened.value.root, opened.value.size));
}

function judgePage({ size, indexes, leaves, path, root }: Extract<Case, { kind: 'page' }>): string | null {
  const hashes = path.map(raw);
  if (hashes.some(({ length }) => length !== 32) || leaves.some((leaf) => raw(leaf).length !== 32))
    return 'wrong_length';
  if (leaves.length !== indexes.length) return 'wrong_length';
  const folded = foldPage(size, indexes, Buffer.concat(leaves.map(raw)), Buffer.concat(hashes));
  if (!folded.ok) return folded.error;
  return sameHash(folded.value, raw(root)) ? null : 'root_mismatch';
}
