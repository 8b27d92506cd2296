import { z } from '@hono/zod-openapi';
import type { LogName } from '../../journal/tables.ts';
import { answer, type Refusal, refused } from './responses.ts';
import { type Apparatus, addOpenRoute, addRoute, NO_QUERY, type Route } from './route.ts';

const DESCRIPTION = `C2SP tlog-tiles below this prefix: \`checkpoint\`, \`tile/<L>/<N>[.p/<W>]\`, \`tile/entries/<N>[.p/<W>]\`.
Leaf data are salted commitments: the log can be audited by anybody without one fact being told. Needs a key with
\`read\` or \`audit.read\`, unless \`[tlog] public = true\`.`;

/** Whoever asks without a key has this bucket, all of them together: a bundle costs some milliseconds. */
const ANYBODY = 'anybody';

const DAMAGED: Refusal = {
  status: 409,
  detail: { code: 'leaf_mismatch', message: 'this part of the log does not verify here, so it is not given out' },
};

/** Adds the published logs. */
export function addTlog(apparatus: Apparatus): void {
  for (const log of ['journal', 'audit'] as const) addLog(apparatus, log);
}

function addLog(apparatus: Apparatus, log: LogName): void {
  const { deps, quota } = apparatus;
  const isPublic = deps.publicTlog;
  const route = {
    method: 'get',
    path: `/tlog/${log}/{path}`,
    rest: true,
    tag: 'Published log',
    summary: `The ${log === 'journal' ? 'journal' : 'audit log'} as C2SP tiles`,
    description: DESCRIPTION,
    params: z.object({ path: z.string().openapi({ example: 'tile/0/000.p/5' }) }),
    query: NO_QUERY,
    responses: {
      200: {
        description: 'a signed note, or the bytes of a tile or bundle',
        content: { 'application/octet-stream': { schema: z.string() }, 'text/plain': { schema: z.string() } },
      },
      404: { description: 'no such tile below the newest signed checkpoint, or nothing is signed yet' },
      409: { description: 'a stored row does not give the leaf that is in the tree' },
      ...(isPublic ? { 429: { description: 'too many requests; see Retry-After' } } : {}),
    },
  } as const;
  if (!isPublic) {
    const keyed: Route<typeof NO_QUERY> = { ...route, quota: 'fact_read' };
    addRoute(apparatus, keyed, ['read', 'audit.read'], ({ param }) => serveLog(apparatus, log, param('path')));
    return;
  }
  addOpenRoute(apparatus, route, async ({ param }) => {
    const wait = quota.take(ANYBODY, 'fact_read', deps.nowMs());
    if (wait === null) return serveLog(apparatus, log, param('path'));
    const headers = { 'retry-after': String(Math.max(1, Math.ceil(wait))) };
    return refused({ status: 429, detail: 'too many requests for the published log', headers });
  });
}

async function serveLog({ deps }: Apparatus, log: LogName, path: string): Promise<Response> {
  const audience = deps.publicTlog ? 'public' : 'private';
  try {
    const found = await deps.reader.published(log, path);
    if (found.kind === 'not_found') return refused({ status: 404, detail: 'no such part of the published log' });
    if (found.kind === 'checkpoint') {
      return answer(200, 'text/plain; charset=utf-8', found.note, { 'cache-control': 'no-cache' });
    }
    // A growing tile never changes either, but it is asked for once: the next reader wants a wider one.
    const cache = found.isFull ? `${audience}, max-age=31536000, immutable` : `${audience}, max-age=60`;
    return answer(200, 'application/octet-stream', new Uint8Array(found.bytes), { 'cache-control': cache });
  } catch (error) {
    if (!isDamage(error)) throw error;
    deps.logger.error({ err: error, log }, 'a part of the published log does not verify: run fsck');
    return refused(DAMAGED);
  }
}

function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'leaf_mismatch' || code === 'broken';
}
