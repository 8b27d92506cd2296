/** Puts evidence into one file for third parties: a tar that says what it shows, and brings what it takes to check it. */
import { type TarFile, writeTar } from '../core/ustar.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import type { EvidenceVerdict } from './evidence-verdict.ts';
import { encodePacketPeer, encodePacketRecord, type PacketPeer, type PacketRecord } from './packet-form.ts';
import { EVIDENCE_FILE, judgePacket, PAGE_FILES, PEER_FILE, RECORD_FILE } from './packet-verdict.ts';
import { verdictText } from './verdict-text.ts';

export interface PacketMaterial {
  /** Sequence of the audit record. */
  readonly seq: number;
  /** The evidence's canonical text. */
  readonly evidence: string;
  readonly record: PacketRecord;
  readonly peer: PacketPeer;
  /** The page that it came in, as received; null to leave it out. */
  readonly page: SignedPageFrames | null;
  /** The one-file verifier; null when this build has none. */
  readonly verifier: Uint8Array | null;
}

/** Name under which a packet is saved. */
export function packetName(seq: number): string {
  return `evidence-${seq}.tar`;
}

/** The packet, whole. Pure: the same material gives the same bytes. */
export function evidencePacket(material: PacketMaterial): Buffer {
  const judged = judgedFiles(material);
  const verdict = judgePacket(new Map(judged.map(({ name, bytes }) => [name, bytes])));
  return writeTar([
    { name: 'README.txt', bytes: Buffer.from(readme(material, verdict, judged)) },
    ...judged,
    ...(material.verifier === null ? [] : [{ name: 'verify.mjs', bytes: material.verifier }]),
    { name: 'expected.txt', bytes: Buffer.from(verdictText(verdict)) },
  ]);
}

function judgedFiles({ evidence, record, peer, page }: PacketMaterial): TarFile[] {
  const frames: TarFile[] = [];
  if (page !== null) {
    for (const frame of ['header', 'entries', 'proof', 'note'] as const) {
      const bytes = page[frame];
      if (bytes !== null) frames.push({ name: PAGE_FILES[frame], bytes });
    }
  }
  return [
    { name: EVIDENCE_FILE, bytes: Buffer.from(evidence) },
    { name: RECORD_FILE, bytes: encodePacketRecord(record) },
    { name: PEER_FILE, bytes: encodePacketPeer(peer) },
    ...frames,
  ];
}

function readme(material: PacketMaterial, verdict: EvidenceVerdict, files: readonly TarFile[]): string {
  const { seq, verifier } = material;
  return `Evidence, audit record ${seq}
${'='.repeat(`Evidence, audit record ${seq}`.length)}

${verdictText(verdict)}
How to check this
- ${verifier === null ? 'stigmem-peerd evidence verify' : 'node verify.mjs evidence.json'}: prints what expected.txt holds, and ends with 0 if it is proven,
  1 if it is not, 2 if this is no evidence. Node.js 20 or newer, nothing to install, no network.
- stigmem-peerd evidence verify ${packetName(seq)} does the same.
- The verifier in here came with the evidence: take one from elsewhere if you do not trust who gave it to you.
- Whose keys these are has to be known from elsewhere: ask the accused for its peer id.

Files
${[...files.map(({ name }) => name), ...(verifier === null ? [] : ['verify.mjs']), 'expected.txt'].map((name) => `- ${name}: ${ABOUT[name] ?? ''}`).join('\n')}
`;
}

const ABOUT: Readonly<Record<string, string>> = {
  [EVIDENCE_FILE]: 'what was received, and the signed statements that it is held against',
  [RECORD_FILE]: "the audit record, its salt and its place in the recorder's signed audit log",
  [PEER_FILE]: 'the declaration of the accused as it was pinned, and when',
  [PAGE_FILES.header]: 'the page as received: header',
  [PAGE_FILES.entries]: 'the page as received: entries. It may hold facts that this is not about',
  [PAGE_FILES.proof]: 'the page as received: proof',
  [PAGE_FILES.note]: 'what its sender signed over these bytes',
  'verify.mjs': 'the verifier, one file',
  'expected.txt': 'what the verifier prints',
};
