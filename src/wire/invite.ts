/** The two messages of `invite`: the holder of a code says who it is, and is told who invites. */
import { hash } from 'node:crypto';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ed25519Verifier, formatNote, parseNote, signEd25519, verifyNote } from '../merkle/note.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { MAX_PEER_NOTE_CHARS, openPeerNote, type PeerNote } from './peer-note.ts';
import { integer, list, literal, type Malformed, nullable, object, oneOf, type Shape, text } from './shape.ts';

const HEADER = 'stigmem-join/v1';
const MAX_JOIN_CHARS = 1_024;
const MAX_PROTOCOLS = 64;
const MAX_LABEL_CHARS = 128;

/** What either side says of itself besides its signed note; hints. */
export interface InviteSelf {
  /** Unix time of the sender in milliseconds. */
  readonly clock_ms: number;
  /** Facts in the feeds that the other side would read, two digits of it. */
  readonly entries: number;
  /** Signed note, see `peer-note.ts`. */
  readonly peer: string;
  readonly protocols: readonly string[];
  readonly software: string;
}

export interface InviteRequest extends InviteSelf {
  /** Signed note: the identity in `peer` wants this use of this code. */
  readonly join: string;
  readonly v: 1;
}

/** `used`: another identity came with this code. `refused`: what was sent does not verify. */
export type InviteRefusal = 'used' | 'refused';

export interface InviteAnswer {
  readonly refused: InviteRefusal | null;
  readonly self: InviteSelf | null;
  readonly v: 1;
}

const SELF = {
  clock_ms: integer(),
  entries: integer(),
  peer: text(MAX_PEER_NOTE_CHARS),
  protocols: list(text(MAX_LABEL_CHARS), MAX_PROTOCOLS),
  software: text(MAX_LABEL_CHARS),
};

const REQUEST: Shape<InviteRequest> = object<InviteRequest>({
  clock_ms: SELF.clock_ms,
  entries: SELF.entries,
  join: text(MAX_JOIN_CHARS),
  peer: SELF.peer,
  protocols: SELF.protocols,
  software: SELF.software,
  v: literal(1),
});

const ANSWER: Shape<InviteAnswer> = object<InviteAnswer>({
  refused: nullable(oneOf('used', 'refused')),
  self: nullable(object<InviteSelf>(SELF)),
  v: literal(1),
});

export function encodeInviteRequest(request: Omit<InviteRequest, 'v'>): Uint8Array {
  return encodeMessage(REQUEST, { ...request, v: 1 });
}

/** Pure and total. */
export function decodeInviteRequest(bytes: Uint8Array): Result<InviteRequest, Malformed> {
  return decodeMessage(bytes, REQUEST, MAX_REQUEST_BYTES);
}

/** @param answer who invites, or why the code is not taken */
export function encodeInviteAnswer(answer: InviteSelf | InviteRefusal): Uint8Array {
  const isRefusal = typeof answer === 'string';
  return encodeMessage(ANSWER, { refused: isRefusal ? answer : null, self: isRefusal ? null : answer, v: 1 });
}

/** Pure and total: exactly one of the two is there. */
export function decodeInviteAnswer(bytes: Uint8Array): Result<InviteSelf | InviteRefusal, Malformed> {
  const decoded = decodeMessage(bytes, ANSWER, MAX_REQUEST_BYTES);
  if (!decoded.ok) return decoded;
  const { refused, self } = decoded.value;
  if (self !== null && refused === null) return ok(self);
  if (self === null && refused !== null) return ok(refused);
  return err({ at: 'self', expected: 'one of self and refused', got: self === null ? 'neither' : 'both' });
}

/** What a join is bound to: nobody can come with the note of another node, or with a join that was made for another code. */
export interface JoinTarget {
  readonly inviterPeerId: string;
  readonly guestPeerId: string;
  /** The joiner's peer note. */
  readonly peer: string;
}

/** @param signer the joiner's identity key under its node id */
export function signJoin(target: JoinTarget, signer: LogSigner): string {
  const signed = joinText(signer.name, target);
  return formatNote({ text: signed, signatures: [signEd25519(signed, signer)] });
}

/**
 * Reads a request's notes and verifies them: `peer` by the key that it names, `join` by the same key. Pure and total.
 */
export function openJoin(
  { peer, join }: Pick<InviteRequest, 'peer' | 'join'>,
  target: Omit<JoinTarget, 'peer'>,
): Result<PeerNote, Malformed> {
  const opened = openPeerNote(peer);
  if (!opened.ok) return opened;
  const { nodeId, nodeKey } = opened.value;
  const parsed = parseNote(join);
  if (!parsed.ok || parsed.value.text !== joinText(nodeId, { ...target, peer }))
    return err({ at: 'join', expected: `text of ${HEADER} for this code`, got: 'another text' });
  const verified = verifyNote(parsed.value, [ed25519Verifier(nodeId, nodeKey)]);
  if (!verified.ok) return err({ at: 'join', expected: 'signature of the identity key', got: verified.error });
  return opened;
}

function joinText(nodeId: string, { inviterPeerId, guestPeerId, peer }: JoinTarget): string {
  const digest = encodeBase64(hash('sha256', peer, 'buffer'));
  return `${HEADER}\n${nodeId}\n${inviterPeerId}\n${guestPeerId}\n${digest}\n`;
}
