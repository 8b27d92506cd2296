/** Evidence packets of this node: made of its journal, its declaration and the verifier that was built beside it. */
import { existsSync, readFileSync } from 'node:fs';
import type { PacketParts } from '../journal/packet-reader.ts';
import { evidencePacket } from '../verify/evidence-packet.ts';
import type { Base } from './base.ts';
import { declarationOf } from './declaration.ts';

/** In `dist/`, where it lies beside the program; run from the sources, what was built last. */
const VERIFIER = new URL(import.meta.url.endsWith('.ts') ? '../../dist/verify.mjs' : './verify.mjs', import.meta.url);

export type Packet = { readonly kind: 'packet'; readonly tar: Uint8Array } | Exclude<PacketParts, { kind: 'parts' }>;

/** @param withPage see `journal/packet-reader.ts` */
export async function packetOf(base: Base, seq: number, withPage: boolean): Promise<Packet> {
  const { auditSize, auditCheckpoint } = await base.writer.head();
  const parts = await base.reader.packetParts({
    seq,
    withPage,
    auditHead: { size: auditSize, note: auditCheckpoint },
    // The day of its birth instead of now: the same evidence gives the same packet.
    declaration: declarationOf(base, base.identity.createdAt),
  });
  if (parts.kind !== 'parts') return parts;
  return { kind: 'packet', tar: evidencePacket({ ...parts, seq, verifier: verifierProgram() }) };
}

function verifierProgram(): Uint8Array | null {
  return existsSync(VERIFIER) ? readFileSync(VERIFIER) : null;
}
