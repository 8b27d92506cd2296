import { z } from '@hono/zod-openapi';
import type { Permission } from '../../core/permissions.ts';
import { packetName } from '../../verify/evidence-packet.ts';
import { flagParam } from './params.ts';
import { file, invalid, refused } from './responses.ts';
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
    params: z.object({ seq: z.string().openapi({ type: 'integer', minimum: 1 }) }),
    query: QUERY,
    responses: {
      200: { description: 'the file', content: { 'application/x-tar': { schema: z.string() } } },
      404: { description: 'no such record, or it has no evidence' },
      409: { description: 'the stored evidence is not what was saved' },
    },
  } as const;
  addRoute(apparatus, route, MAY_READ, async (call) => {
    const given = call.param('seq');
    if (!/^[0-9]{1,15}$/.test(given)) {
      const msg = 'Input should be a valid integer, unable to parse string as an integer';
      return refused(invalid({ type: 'int_parsing', loc: ['path', 'seq'], msg, input: given.slice(0, 64) }));
    }
    const packet = await apparatus.deps.evidence(Number(given), call.query.page);
    if (packet.kind === 'packet') return file(packet.tar, 'application/x-tar', packetName(Number(given)));
    if (packet.kind === 'not_found') return refused({ status: 404, detail: 'audit record not found' });
    if (packet.kind === 'no_evidence')
      return refused({ status: 404, detail: 'this record has no evidence about a peer' });
    const message = 'the stored record or its evidence is not what was saved';
    return refused({ status: 409, detail: { code: 'evidence_damaged', message } });
  });
}
