import { z } from '@hono/zod-openapi';
import type { Permission } from '../../core/permissions.ts';
import { packetName } from '../../verify/evidence-packet.ts';
import { AUDIT_SEQ, auditSeqIn } from './audit-seq.ts';
import { flagParam } from './params.ts';
import { file, refused } from './responses.ts';
import { type Apparatus, addRoute } from './route.ts';

const MAY_READ: readonly [Permission, ...Permission[]] = ['federate', 'audit.read'];
const QUERY = z.object({
  page: flagParam('Adds the page that a refused fact came in: it may hold facts that the evidence is not about.'),
});

/** Adds the download of evidence. */
export function addEvidence(apparatus: Apparatus): void {
  const route = {
    method: 'get',
    path: '/v1/federation/audit/{seq}/evidence',
    tag: 'Audit log',
    summary: 'The evidence of one record as a file for third parties',
    description: 'A tar that explains itself: README.txt says what it shows, verify.mjs checks it without this node.',
    params: AUDIT_SEQ,
    query: QUERY,
    responses: {
      200: { description: 'the file', content: { 'application/x-tar': { schema: z.string() } } },
      404: { description: 'no such record, or it has no evidence' },
      409: { description: 'the stored evidence is not what was saved' },
    },
  } as const;
  addRoute(apparatus, route, MAY_READ, async (call) => {
    const seq = auditSeqIn(call.param('seq'));
    if (!seq.ok) return refused(seq.error);
    const packet = await apparatus.deps.evidence(seq.value, call.query.page);
    if (packet.kind === 'packet') return file(packet.tar, 'application/x-tar', packetName(seq.value));
    if (packet.kind === 'not_found') return refused({ status: 404, detail: 'audit record not found' });
    if (packet.kind === 'no_evidence')
      return refused({ status: 404, detail: 'this record has no evidence about a peer' });
    const message = 'the stored record or its evidence is not what was saved';
    return refused({ status: 409, detail: { code: 'evidence_damaged', message } });
  });
}
