/** The two JSON files of an evidence packet beside the evidence itself. */
import { err, ok, type Result } from '../core/result.ts';
import { MAX_NOTE_BYTES } from '../merkle/note.ts';
import { decodeMessage, encodeMessage } from '../wire/message.ts';
import { base64, integer, list, literal, nullable, object, type Shape, text } from '../wire/shape.ts';

const HASH_BYTES = 32;
const MAX_PATH_HASHES = 64;
/** An audit record quotes at most some texts of 512 characters. */
const MAX_BODY_CHARS = 262_144;
const MAX_FILE_BYTES = 4_194_304;
const MAX_STATEMENTS = 64;
const MAX_TIME_CHARS = 64;

/** `record.json`: the audit record that names the evidence, with its place in the recorder's audit log. */
export interface PacketRecord {
  /** The record as it was hashed: canonical JSON. */
  readonly body: string;
  /** Signed note of the audit log. */
  readonly checkpoint: string;
  /** The recorder's own signed declaration. */
  readonly declaration: string;
  readonly inclusion: readonly string[];
  readonly index: number;
  readonly salt: string;
  readonly v: 1;
}

/** `peer.json`: what the recorder holds about the keys of the accused. */
export interface PacketPeer {
  /** Signed declaration as it was pinned; null if none was ever seen. */
  readonly declaration: string | null;
  /** Signed statements of key successions, oldest first. */
  readonly key_statements: readonly string[];
  /** When the declaration was pinned, ISO text. */
  readonly pinned_at: string | null;
  /** Sequence of the audit record that says how. */
  readonly pinned_by: number | null;
  readonly v: 1;
}

const note = text(MAX_NOTE_BYTES);

const RECORD: Shape<PacketRecord> = object<PacketRecord>({
  body: text(MAX_BODY_CHARS),
  checkpoint: note,
  declaration: note,
  inclusion: list(base64(HASH_BYTES), MAX_PATH_HASHES),
  index: integer(),
  salt: base64(HASH_BYTES),
  v: literal(1),
});

const PEER: Shape<PacketPeer> = object<PacketPeer>({
  declaration: nullable(note),
  key_statements: list(note, MAX_STATEMENTS),
  pinned_at: nullable(text(MAX_TIME_CHARS)),
  pinned_by: nullable(integer()),
  v: literal(1),
});

export function encodePacketRecord(record: PacketRecord): Uint8Array {
  return encodeMessage(RECORD, record);
}

export function encodePacketPeer(peer: PacketPeer): Uint8Array {
  return encodeMessage(PEER, peer);
}

/** Pure and total. */
export function decodePacketRecord(bytes: Uint8Array): Result<PacketRecord, string> {
  return decoded('record.json', bytes, RECORD);
}

/** Pure and total. */
export function decodePacketPeer(bytes: Uint8Array): Result<PacketPeer, string> {
  return decoded('peer.json', bytes, PEER);
}

function decoded<T>(name: string, bytes: Uint8Array, shape: Shape<T>): Result<T, string> {
  const found = decodeMessage(bytes, shape, MAX_FILE_BYTES);
  if (found.ok) return ok(found.value);
  const { at, expected, got } = found.error;
  return err(`${name} is wrong at "${at}": expected ${expected}, got ${got}`);
}
