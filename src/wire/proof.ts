import { MAX_FRAME_BYTES, MAX_PROOF_INDEXES, MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { base64, integer, list, literal, type Malformed, object, type Shape } from './shape.ts';

const HASH_BYTES = 32;
/** Longest path in a tree of 2^53 leaves is 53; a consistency proof has one hash more. */
const MAX_PATH_HASHES = 64;
const TILE_WIDTH = 256;
/** Tiles of height 8 over 2^53 leaves. */
const MAX_TILE_LEVEL = 6;

/** One inclusion path per leaf index, in the tree of `size` leaves. */
export interface InclusionRequest {
  readonly indexes: readonly number[];
  readonly kind: 'inclusion';
  readonly size: number;
  readonly v: 1;
}
export interface ConsistencyRequest {
  readonly from: number;
  readonly kind: 'consistency';
  readonly to: number;
  readonly v: 1;
}
/** The first `width` hashes of one tile (C2SP tlog-tiles, height 8). */
export interface TileRequest {
  readonly index: number;
  readonly kind: 'tile';
  readonly level: number;
  readonly v: 1;
  readonly width: number;
}
export type ProofRequest = InclusionRequest | ConsistencyRequest | TileRequest;

/** Hashes are base64 texts of 32 bytes. */
export interface InclusionAnswer {
  readonly kind: 'inclusion';
  readonly proofs: readonly (readonly string[])[];
  readonly v: 1;
}
export interface ConsistencyAnswer {
  readonly kind: 'consistency';
  readonly proof: readonly string[];
  readonly v: 1;
}
export interface TileAnswer {
  readonly hashes: string;
  readonly kind: 'tile';
  readonly v: 1;
}
export type ProofAnswer = InclusionAnswer | ConsistencyAnswer | TileAnswer;

const PATH: Shape<readonly string[]> = list(base64(HASH_BYTES), MAX_PATH_HASHES);

const REQUESTS: { readonly [K in ProofRequest['kind']]: Shape<Extract<ProofRequest, { kind: K }>> } = {
  inclusion: object<InclusionRequest>({
    indexes: list(integer(), MAX_PROOF_INDEXES),
    kind: literal('inclusion'),
    size: integer(),
    v: literal(1),
  }),
  consistency: object<ConsistencyRequest>({
    from: integer(),
    kind: literal('consistency'),
    to: integer(),
    v: literal(1),
  }),
  tile: object<TileRequest>({
    index: integer(),
    kind: literal('tile'),
    level: integer(MAX_TILE_LEVEL),
    v: literal(1),
    width: integer(TILE_WIDTH, 1),
  }),
};

const ANSWERS: { readonly [K in ProofAnswer['kind']]: Shape<Extract<ProofAnswer, { kind: K }>> } = {
  inclusion: object<InclusionAnswer>({
    kind: literal('inclusion'),
    proofs: list(PATH, MAX_PROOF_INDEXES),
    v: literal(1),
  }),
  consistency: object<ConsistencyAnswer>({ kind: literal('consistency'), proof: PATH, v: literal(1) }),
  tile: object<TileAnswer>({
    hashes: base64(TILE_WIDTH * HASH_BYTES, HASH_BYTES),
    kind: literal('tile'),
    v: literal(1),
  }),
};

/** The shape that the message's own `kind` names; its other members are then checked against that one alone. */
function byKind<T>(shapes: {
  readonly inclusion: Shape<unknown>;
  readonly consistency: Shape<unknown>;
  readonly tile: Shape<unknown>;
}): Shape<T> {
  return {
    check: (value, at) => {
      const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
      const shape = kind === 'consistency' ? shapes.consistency : kind === 'tile' ? shapes.tile : shapes.inclusion;
      return shape.check(value, at);
    },
  };
}

const PROOF_REQUEST: Shape<ProofRequest> = byKind(REQUESTS);
const PROOF_ANSWER: Shape<ProofAnswer> = byKind(ANSWERS);

export function encodeProofRequest(request: ProofRequest): Uint8Array {
  return encodeMessage(PROOF_REQUEST, request);
}

/** Pure and total. Whether the indexes are inside the tree is for the answering side to say. */
export function decodeProofRequest(bytes: Uint8Array): Result<ProofRequest, Malformed> {
  return decodeMessage(bytes, PROOF_REQUEST, MAX_REQUEST_BYTES);
}

export function encodeProofAnswer(answer: ProofAnswer): Uint8Array {
  return encodeMessage(PROOF_ANSWER, answer);
}

/** Pure and total. */
export function decodeProofAnswer(bytes: Uint8Array): Result<ProofAnswer, Malformed> {
  return decodeMessage(bytes, PROOF_ANSWER, MAX_FRAME_BYTES);
}
