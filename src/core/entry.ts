import { isAscii, isUtf8 } from 'node:buffer';
import type { Entry } from './entry-record.ts';
import { type EntryRefusal, whyRefused } from './entry-refusal.ts';
import { scanEntry } from './entry-scan.ts';
import { CoreError } from './errors.ts';
import { pythonJsonString } from './python-text.ts';
import { err, ok, type Result } from './result.ts';

export type { Attestation, Entry, Origin } from './entry-record.ts';
export type { EntryRefusal } from './entry-refusal.ts';

/**
 * The canonical text of an entry: JSON as RFC 8785 writes it. Its UTF-8 bytes are what the leaf commits to.
 * @throws CoreError `not_encodable_as_utf8` if a member holds a lone surrogate
 */
export function encodeEntry(e: Entry): string {
  const text = `{"attestation":${attestationText(e)},"chain_hash":"${e.chain_hash}","chain_seq":${e.chain_seq},"cid":${pythonJsonString(e.cid)},"confidence":"${e.confidence}","created_at":${pythonJsonString(e.created_at)},"derived_from":${derivedText(e.derived_from)},"entity":${pythonJsonString(e.entity)},"event_hash":"${e.event_hash}","fact_id":${pythonJsonString(e.fact_id)},"feed_seq":${e.feed_seq},"garden_id":${orNull(e.garden_id)},"hlc":"${e.hlc}","interpret_as":${pythonJsonString(e.interpret_as)},"origin":${originText(e)},"previous_hash":${orNull(e.previous_hash)},"received_from":${orNull(e.received_from)},"relation":${pythonJsonString(e.relation)},"scope":${pythonJsonString(e.scope)},"source":${pythonJsonString(e.source)},"tenant_id":"default","timestamp":${pythonJsonString(e.timestamp)},"v":1,"valid_until":${orNull(e.valid_until)},"value_type":${pythonJsonString(e.value_type)},"value_v":${pythonJsonString(e.value_v)}}`;
  if (!text.isWellFormed()) throw new CoreError('not_encodable_as_utf8', `entry ${e.chain_seq} holds a lone surrogate`);
  return text;
}

function attestationText({ attestation: a }: Entry): string {
  if (a === null) return 'null';
  return `{"key_id":${pythonJsonString(a.key_id)},"signature":${pythonJsonString(a.signature)}}`;
}

function originText({ origin: o }: Entry): string {
  if (o === null) return 'null';
  return `{"chain_seq":${o.chain_seq},"leaf_hash":"${o.leaf_hash}","node_id":${pythonJsonString(o.node_id)}}`;
}

function derivedText(items: readonly string[]): string {
  return items.length === 0 ? '[]' : `[${items.map(pythonJsonString).join(',')}]`;
}

function orNull(text: string | null): string {
  return text === null ? 'null' : pythonJsonString(text);
}

/**
 * Reads an entry from the bytes that a peer sent. Accepts one encoding per entry and no trailing bytes; whoever
 * checks a leaf hashes the bytes as received and never encodes again. Total: bytes never make it throw.
 *
 * Refusals: `cid_missing` if all is right but the CID; `entry_noncanonical` if all is right but the spelling (order of
 * keys, white space, escapes); otherwise `entry_malformed`. Which scope, `interpret_as` and CID are acceptable is for
 * verification.
 */
export function decodeEntry(bytes: Uint8Array): Result<Entry, EntryRefusal> {
  const text = toText(bytes);
  if (text === null) return err({ code: 'entry_malformed', at: '' });
  const entry = scanEntry(text);
  return entry === null ? err(whyRefused(text)) : ok(entry);
}

function toText(bytes: Uint8Array): string | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isAscii(view)) return view.toString('latin1');
  return isUtf8(view) ? view.toString('utf8') : null;
}
