/** One case in the form in which both verifiers get it, and what ours makes of it. Bytes are base64. */

import { canonicalJson, type PlainJson } from '../../../src/core/canonical-json.ts';
import { decodeEntry } from '../../../src/core/entry.ts';
import { parseIsoInstant } from '../../../src/core/time.ts';
import { decodeTombstone } from '../../../src/core/tombstone.ts';
import { readTar } from '../../../src/core/ustar.ts';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import { openCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { openFeedHead } from '../../../src/merkle/feed-head.ts';
import { decodeUtf8 } from '../../../src/merkle/note.ts';
import { openOwnDeclaration } from '../../../src/verify/declared-log-key.ts';
import { type EvidenceVerdict, judgeEvidence } from '../../../src/verify/evidence-verdict.ts';
import { judgePacket } from '../../../src/verify/packet-verdict.ts';
import { CHECK_REPORT } from '../../../src/wire/check-report.ts';
import { openClosure } from '../../../src/wire/closure.ts';
import { openDrillReport } from '../../../src/wire/drill-report.ts';
import { openErasureAck } from '../../../src/wire/erasure-ack.ts';
import { openExportDigest } from '../../../src/wire/export-digest.ts';
import { decodeInviteCode } from '../../../src/wire/invite-code.ts';
import { openPageNote } from '../../../src/wire/page-note.ts';
import { openReceipt } from '../../../src/wire/page-receipt.ts';
import { openPeerNote } from '../../../src/wire/peer-note.ts';
import { openNotice } from '../../../src/wire/refusal-notice.ts';
import { openRelayPermit } from '../../../src/wire/relay-permit.ts';
import { openDocument } from '../../../src/wire/signed-document.ts';
import { SNAPSHOT_MANIFEST, SNAPSHOT_PROOF } from '../../../src/wire/snapshot-manifest.ts';
import { openSuccession } from '../../../src/wire/succession.ts';
import { WORM_MANIFEST } from '../../../src/wire/worm-manifest.ts';

/** What a log has signed, opened with its key. */
export const LOG_KINDS = [
  'checkpoint',
  'feed_head',
  'page_note',
  'receipt',
  'closure',
  'permit',
  'erasure',
  'refusal',
  'export_digest',
  'document',
  'drill_report',
] as const;
const OTHER_KINDS = [
  'succession',
  'declaration',
  'peer_note',
  'entry',
  'tombstone',
  'time',
  'invite',
  'evidence',
  'packet',
] as const;
export type Kind = (typeof LOG_KINDS)[number] | (typeof OTHER_KINDS)[number];

export interface Case {
  readonly kind: Kind;
  readonly note: string;
  readonly origin?: string;
  readonly key?: string;
  /** Of a document. */
  readonly title?: string;
  /** Of a succession: whose it is. */
  readonly node?: string;
}

/** Null as what it says: only that it is taken is compared. */
export type Verdict = { readonly ok: true; readonly said: unknown } | { readonly ok: false; readonly said: string };

const FORMS = [SNAPSHOT_MANIFEST, SNAPSHOT_PROOF, WORM_MANIFEST, CHECK_REPORT];

export function judgeHere(one: Case): Verdict {
  const bytes = Buffer.from(one.note, 'base64');
  // These are read as bytes; the others travel as texts in JSON.
  const text = one.kind === 'packet' || one.kind === 'entry' ? '' : decodeUtf8(bytes);
  const log = { origin: one.origin ?? '', key: Buffer.from(one.key ?? '', 'base64') };
  return text === undefined ? refused('utf-8') : (ofLog(one, bytes, text, log) ?? ofOthers(one, bytes, text));
}

type Opened<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

function refused(why: unknown): Verdict {
  return { ok: false, said: typeof why === 'string' ? why : JSON.stringify(why) };
}

function saying<T>(opened: Opened<T>, said: (value: T) => unknown): Verdict {
  return opened.ok ? { ok: true, said: said(opened.value) } : refused(opened.error);
}

function ofLog(one: Case, bytes: Buffer, text: string, log: { origin: string; key: Buffer }): Verdict | null {
  const hash = (value: Uint8Array | null): string => (value === null ? '-' : encodeBase64(value));
  switch (one.kind) {
    case 'checkpoint':
      return saying(openCheckpoint(bytes, log), () => null);
    case 'feed_head':
      return saying(openFeedHead(bytes, log), () => null);
    case 'page_note':
      return saying(openPageNote(bytes, log), (n) => {
        const hashes = [n.header, n.entries, n.proof].map(hash);
        return [n.origin, n.receiver, n.feed, n.after, n.to, n.treeSize, ...hashes];
      });
    case 'receipt':
      return saying(openReceipt(text, log), (r) => {
        const { receiver, sender, feed, after, to, accepted, refused: not } = r;
        return [receiver, sender, feed, after, to, accepted, not, encodeBase64(r.page)];
      });
    case 'closure':
      return saying(openClosure(text, log), (c) => Object.values(c));
    case 'permit':
      return saying(openRelayPermit(text, log), (p) => [p.origin, p.relay, p.issuedAt, p.notAfter]);
    case 'erasure':
      return saying(openErasureAck(text, log), (a) => Object.values(a));
    case 'refusal':
      return saying(openNotice(text, log), (n) => Object.values(n));
    case 'export_digest':
      return saying(openExportDigest(text, log), ({ nodeId, first, last, head, root, sinks }) => [
        nodeId,
        first,
        last,
        head,
        encodeBase64(root),
        sinks.map(({ sink, count, digest }) => [sink, count, digest]),
      ]);
    case 'document': {
      const form = FORMS.find(({ title }) => title === one.title) ?? WORM_MANIFEST;
      return saying(openDocument<unknown>(form, bytes, [log.key], log.origin), ({ value }) => value);
    }
    case 'drill_report':
      return saying(openDrillReport(text, [log.key], log.origin), (month) => month);
    default:
      return null;
  }
}

function ofOthers(one: Case, bytes: Buffer, text: string): Verdict {
  switch (one.kind) {
    case 'succession':
      return saying(openSuccession(text, one.node ?? ''), ({ nodeId: _, note: _note, ...said }) => said);
    case 'declaration': {
      const said = openOwnDeclaration(text);
      return said === null ? refused('declaration') : { ok: true, said };
    }
    case 'peer_note':
      return saying(openPeerNote(text), ({ addresses, declarationNote: declaration, peerId: peer_id }) => {
        return { addresses, declaration, peer_id, v: 1 };
      });
    case 'entry':
      return saying(decodeEntry(bytes), () => null).ok ? { ok: true, said: null } : refused(entryCode(bytes));
    case 'tombstone': {
      const said = decodeTombstone(text);
      return said === null
        ? refused('tombstone')
        : { ok: true, said: [said.feed_seq, said.leaf_hash.slice('sha256:'.length), said.leaf_index] };
    }
    case 'time':
      return saying(parseIsoInstant(text), String);
    case 'invite':
      return saying(decodeInviteCode(text), (c) => {
        const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
        return [hex(c.nodeKey), hex(c.secret), c.expiresS, c.authority, c.addresses, c.share, c.accept, c.untilS];
      });
    case 'evidence':
      return ofEvidence(judgeEvidence(text));
    case 'packet': {
      const files = readTar(bytes);
      return files.ok ? ofEvidence(judgePacket(files.value)) : refused(files.error);
    }
    default:
      throw new TypeError(`${one.kind} is a kind that no verifier knows`);
  }
}

function entryCode(bytes: Buffer): string {
  const read = decodeEntry(bytes);
  return read.ok ? '' : read.error.code;
}

function ofEvidence({ verdict, class: shown, not_proven }: EvidenceVerdict): Verdict {
  return verdict === 'invalid' ? refused(not_proven.join(' ')) : { ok: true, said: shown };
}

/** As both say it, whatever the order of members. */
export function comparable(said: unknown): string {
  return canonicalJson(said as PlainJson);
}
