/** What a reader trusts, and what a checkpoint proves to it. Pure and total. */
import { err, ok, type Result } from '../core/result.ts';
import { type Checkpoint, parseCheckpoint } from '../merkle/checkpoint.ts';
import { checkCosignature } from '../merkle/cosignature.ts';
import {
  ALG_ECDSA,
  ALG_ED25519,
  ed25519Verifier,
  type NoteVerifier,
  parseNote,
  type SignedNote,
  verifyNote,
} from '../merkle/note.ts';
import { checkWitnessPolicy, type WitnessPolicy } from '../merkle/tlog-policy.ts';
import type { TrustedLog as TrustedTlog } from '../merkle/trusted-root.ts';
import { parseVerifierKey, type VerifierKey } from '../merkle/verifier-key.ts';
import { type Declaration, openDeclaration } from '../wire/declaration.ts';

/** A log key that was handed over by other means than the node's own answers. */
export interface TrustedLog {
  readonly origin: string;
  /** Raw Ed25519 key, 32 bytes. */
  readonly key: Uint8Array;
}

/** A node whose identity was handed over; its declaration says which log keys are its own. */
export interface TrustedNode {
  readonly nodeId: string;
  /** Raw Ed25519 identity key, 32 bytes. */
  readonly nodeKey: Uint8Array;
}

/** An anchor that verified. */
export interface ProvenAnchor {
  readonly backend: string;
  readonly logId: string;
  readonly logIndex: number;
  /** POSIX seconds by the log's word; null where it states none. */
  readonly integratedTime: number | null;
}

/** Transparency logs that are believed, and whose anchor key has to have signed. */
export interface AnchorRequirement {
  readonly logs: readonly TrustedTlog[];
  /** Anchor keys that were handed over; those of a trusted node's declaration count too. */
  readonly keys: readonly VerifierKey[];
}

export interface ReaderTrust {
  readonly logs: readonly TrustedLog[];
  readonly nodes: readonly TrustedNode[];
  /** Cosignatures that are asked for; null: none. */
  readonly policy: WitnessPolicy | null;
  /** Anchors that are asked for; null: none. */
  readonly anchors: AnchorRequirement | null;
}

export type TrustRefusal =
  | 'checkpoint_malformed'
  | 'checkpoint_origin_unknown'
  | 'checkpoint_signature_invalid'
  | 'declaration_invalid'
  | 'witness_quorum_unmet';

export interface Refusal<Code extends string> {
  readonly code: Code;
  /** For people. */
  readonly message: string;
}

/** A checkpoint of a log that the reader trusts. */
export interface ProvenCheckpoint extends Checkpoint {
  readonly note: SignedNote;
  /** The node whose declaration vouches for the log; null: the log's key was given. */
  readonly owner: string | null;
  /** Witnesses of the policy that cosigned it, with POSIX seconds. */
  readonly cosigned: readonly { readonly witness: string; readonly timeSeconds: number }[];
}

/**
 * Verifies a checkpoint: the signature of a log that is trusted, directly or by the declaration of a trusted node, and the
 * cosignatures that the policy asks for.
 *
 * @param declaration the node's signed declaration, where trust is in nodes
 */
export function verifyCheckpointNote(
  checkpoint: string | Uint8Array,
  trust: ReaderTrust,
  declaration: string | null = null,
): Result<ProvenCheckpoint, Refusal<TrustRefusal>> {
  const note = parseNote(checkpoint);
  const parsed = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!note.ok || !parsed.ok) return refusal('checkpoint_malformed', 'expected a signed checkpoint, got another text');
  const keys = logKeys(parsed.value.origin, trust, declaration);
  if (!keys.ok) return keys;
  if (!verifyNote(note.value, keys.value.verifiers).ok) {
    return refusal(
      'checkpoint_signature_invalid',
      `no trusted key of ${parsed.value.origin} has signed this checkpoint`,
    );
  }
  if (trust.policy !== null) {
    const met = checkWitnessPolicy(trust.policy, note.value);
    if (!met.ok) return refusal('witness_quorum_unmet', `cosignatures are missing: ${met.error.missing.join(', ')}`);
  }
  const { owner } = keys.value;
  return ok({ ...parsed.value, note: note.value, owner, cosigned: cosignedBy(note.value, trust.policy) });
}

/** Keys that are trusted to sign for `origin`, and the node that has declared them; null where they were given. */
function logKeys(
  origin: string,
  { logs, nodes }: ReaderTrust,
  declaration: string | null,
): Result<{ readonly verifiers: readonly NoteVerifier[]; readonly owner: string | null }, Refusal<TrustRefusal>> {
  const given = logs.filter((log) => log.origin === origin).map((log) => ed25519Verifier(origin, log.key));
  if (given.length > 0) return ok({ verifiers: given, owner: null });
  const owner = nodes.find(({ nodeId }) => origin.startsWith(`${nodeId.slice('stigmem://'.length)}/`));
  if (owner === undefined || declaration === null) {
    return refusal(
      'checkpoint_origin_unknown',
      `nothing that is trusted vouches for the log ${JSON.stringify(origin)}`,
    );
  }
  const opened = openDeclaration(declaration, owner);
  if (!opened.ok) {
    return refusal(
      'declaration_invalid',
      `the declaration is not one of ${owner.nodeId}: ${opened.error.expected} expected`,
    );
  }
  const declared = declaredLogKeys(opened.value, origin);
  if (declared.length > 0) return ok({ verifiers: declared, owner: owner.nodeId });
  return refusal('checkpoint_origin_unknown', `${owner.nodeId} has not declared the log ${JSON.stringify(origin)}`);
}

function declaredLogKeys(declaration: Declaration, origin: string): readonly NoteVerifier[] {
  if (origin !== declaration.journal_origin && origin !== declaration.audit_origin) return [];
  return declaration.keys.flatMap(({ use, vkey }) => {
    const key = use === 'log' ? parseVerifierKey(vkey) : undefined;
    if (key?.ok !== true || key.value.algorithm !== ALG_ED25519) return [];
    // One log key signs both logs; it is declared under the journal's name.
    const isNamed = key.value.name === declaration.journal_origin || key.value.name === origin;
    return isNamed ? [ed25519Verifier(origin, key.value.publicKey)] : [];
  });
}

/** Anchor keys that may stand on checkpoints of `origin`: given ones, and those that a trusted node has declared. */
export function anchorKeysOf(
  origin: string,
  { anchors, nodes }: ReaderTrust,
  declaration: string | null,
): readonly VerifierKey[] {
  const given = (anchors?.keys ?? []).filter(({ name }) => name === origin);
  const owner = nodes.find(({ nodeId }) => origin.startsWith(`${nodeId.slice('stigmem://'.length)}/`));
  const opened = owner === undefined || declaration === null ? undefined : openDeclaration(declaration, owner);
  if (opened?.ok !== true) return given;
  const declared = opened.value.keys.flatMap(({ use, vkey }) => {
    const key = use === 'anchor' ? parseVerifierKey(vkey) : undefined;
    return key?.ok === true && key.value.algorithm === ALG_ECDSA ? [key.value] : [];
  });
  return [...given, ...declared];
}

function cosignedBy(note: SignedNote, policy: WitnessPolicy | null): ProvenCheckpoint['cosigned'] {
  return (policy?.witnesses ?? []).flatMap(({ name, keyName, publicKey }) => {
    const found = checkCosignature(note, { name: keyName, key: publicKey });
    return found.ok ? [{ witness: name, timeSeconds: found.value.timeSeconds }] : [];
  });
}

/** Wraps a reason. */
export function refusal<Code extends string>(
  code: Code,
  message: string,
): { readonly ok: false; readonly error: Refusal<Code> } {
  return err({ code, message });
}
