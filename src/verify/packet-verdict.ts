/** Judges an evidence packet: the evidence, and the record that its recorder made of it. */
import { isCanonicalJson } from '../core/canonical-json.ts';
import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import { openCheckpoint } from '../merkle/checkpoint.ts';
import { entryLeafHash } from '../merkle/commitment.ts';
import { sha256 } from '../merkle/hash.ts';
import { checkInclusion } from '../merkle/inclusion.ts';
import { decodeUtf8 } from '../merkle/note.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import { logKeysOf, openOwnDeclaration } from './declared-log-key.ts';
import { type EvidenceVerdict, judgeEvidence } from './evidence-verdict.ts';
import { decodePacketPeer, decodePacketRecord, type PacketRecord } from './packet-form.ts';

/** The files of a packet by name, as `evidence export` names them. */
export type PacketFiles = ReadonlyMap<string, Uint8Array>;

export const EVIDENCE_FILE = 'evidence.json';
export const RECORD_FILE = 'record.json';
export const PEER_FILE = 'peer.json';
export const PAGE_FILES = {
  header: 'page/header.bin',
  entries: 'page/entries.bin',
  proof: 'page/proof.bin',
  note: 'page/note.txt',
} as const;

/** Pure and total. Only the evidence itself has to be there; what lies beside it and does not fit makes it invalid. */
export function judgePacket(files: PacketFiles): EvidenceVerdict {
  const evidence = textIn(files, EVIDENCE_FILE);
  if (evidence === null) return invalid(`there is no ${EVIDENCE_FILE} in UTF-8`);
  const peer = files.get(PEER_FILE);
  const pinned = peer === undefined ? null : decodePacketPeer(peer);
  if (pinned?.ok === false) return invalid(pinned.error);
  const recorded = judgeRecord(files, evidence);
  if (!recorded.ok) return invalid(recorded.error);

  const declaration = pinned?.value.declaration ?? null;
  const verdict = judgeEvidence(evidence, { declaration, page: pageIn(files) });
  if (verdict.verdict === 'invalid') return verdict;
  return {
    ...verdict,
    proven: [...verdict.proven, ...recorded.value],
    not_proven: recorded.value.length === 0 ? verdict.not_proven : [...verdict.not_proven, OWN_WORD],
  };
}

const OWN_WORD = 'When the evidence came, and from whom, is the word of whoever recorded it.';

function invalid(why: string): EvidenceVerdict {
  const not_proven = [`This shows nothing: ${why}.`];
  return { verdict: 'invalid', class: null, peer: null, recorded: null, proven: [], not_proven };
}

/** What the record shows: that the recorder put this very evidence into its audit log. */
function judgeRecord(files: PacketFiles, evidence: string): Result<readonly string[], string> {
  const bytes = files.get(RECORD_FILE);
  if (bytes === undefined) return ok([]);
  const decoded = decodePacketRecord(bytes);
  if (!decoded.ok) return decoded;
  const record = decoded.value;
  const said = saidIn(record.body);
  if (said === null) return err('the record has another spelling than the one that an audit log has');
  if (said['evidence'] !== `sha256:${sha256(evidence).toString('hex')}`)
    return err('the record is about other evidence');
  if (said['seq'] !== record.index + 1) return err('the record stands at another place of the audit log than it says');
  const recorder = recorderOf(record);
  if (recorder === null) return err('the record is not in the signed audit log of the node that shows it');
  const { at } = said;
  const when = typeof at === 'string' ? at : 'a time that it does not state';
  return ok([`${recorder} has recorded this evidence as audit record ${record.index + 1}, by its clock at ${when}.`]);
}

/** Null: no object in canonical JSON, so that readers could differ about what it says. */
function saidIn(body: string): Readonly<Record<string, unknown>> | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && isCanonicalJson(value, body) ? (value as Record<string, unknown>) : null;
}

function recorderOf(record: PacketRecord): string | null {
  const declaration = openOwnDeclaration(record.declaration);
  const salt = decodeBase64(record.salt);
  if (declaration === null || salt === undefined) return null;
  const origin = declaration.audit_origin;
  // One key signs both logs; a declaration need not name it for each.
  const keys = [...logKeysOf(declaration, origin), ...logKeysOf(declaration, declaration.journal_origin)];
  const path = record.inclusion.map((hash) => decodeBase64(hash) ?? Buffer.alloc(0));
  const leaf = entryLeafHash(salt, record.body);
  const isHeld = keys.some((key) => {
    const head = openCheckpoint(record.checkpoint, { origin, key });
    return head.ok && checkInclusion(leaf, record.index, path, head.value.root, head.value.size) === 'ok';
  });
  return isHeld ? declaration.node_id : null;
}

function pageIn(files: PacketFiles): SignedPageFrames | null {
  const header = files.get(PAGE_FILES.header);
  if (header === undefined) return null;
  const frame = (name: string): Uint8Array | null => files.get(name) ?? null;
  const { entries, proof, note } = PAGE_FILES;
  return { header, entries: frame(entries), proof: frame(proof), note: frame(note) };
}

function textIn(files: PacketFiles, name: string): string | null {
  const bytes = files.get(name);
  return bytes === undefined ? null : (decodeUtf8(bytes) ?? null);
}
