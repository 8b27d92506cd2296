/** Streams of server-sent events over the audit log: where each begins, and that there are not too many. */
import { z } from '@hono/zod-openapi';
import type { ApiDeps } from '../deps.ts';
import { eventStream, type StreamSource } from './audit-stream.ts';
import { answer, invalid, type Refusal, refused } from './responses.ts';
import type { Call, Principal } from './route.ts';
import type { StreamCount } from './stream-count.ts';

export const STREAM_CONTENT: { readonly 'text/event-stream': { readonly schema: z.ZodString } } = {
  'text/event-stream': { schema: z.string() },
};

/** Follows a source from where the client was, or from now. */
export async function openEvents(
  deps: ApiDeps,
  streams: StreamCount,
  call: Call<{ readonly cursor?: number | undefined }>,
  { party }: Pick<Principal, 'party'>,
  source: StreamSource,
): Promise<Response> {
  const lastId = call.c.req.header('last-event-id');
  if (lastId !== undefined && !/^[0-9]{1,15}$/.test(lastId)) return refused(badLastId(lastId));
  // A HEAD request takes no body; nobody would ever end its stream.
  if (call.c.req.method === 'HEAD') return answer(200, 'text/event-stream', '');
  const leave = streams.enter(party.id);
  if (typeof leave !== 'function') return refused(tooManyStreams(leave));
  try {
    // The client's own memory of where it was comes before the address it first asked for.
    const after = lastId !== undefined ? Number(lastId) : (call.query.cursor ?? (await newestSeq(deps)));
    const life = { stopping: call.c.env?.stopping, holds: whileInForce(deps, party), onEnd: leave };
    const stream = eventStream(deps, source, after, life);
    return answer(200, 'text/event-stream', stream, { 'x-accel-buffering': 'no' });
  } catch (error) {
    leave();
    throw error;
  }
}

/** A key that is revoked, or has expired, ends what it has opened. Sessions are looked at by the console. */
export function whileInForce({ keys, nowMs }: ApiDeps, { keyId }: Principal['party']): () => boolean {
  return () => keyId === null || keys.inForce(keyId, nowMs()) !== null;
}

export async function newestSeq(deps: ApiDeps): Promise<number> {
  const { records } = await deps.reader.auditPage({ order: 'desc', limit: 1 });
  return records[0]?.seq ?? 0;
}

function badLastId(given: string): Refusal {
  const msg = 'Input should be the id of an event of this stream, a whole number';
  return invalid({ type: 'int_parsing', loc: ['header', 'last-event-id'], msg, input: given.slice(0, 64) });
}

function tooManyStreams({ most, of }: { readonly most: number; readonly of: 'key' | 'all' }): Refusal {
  return {
    status: 503,
    detail: `${most} event streams ${of === 'key' ? 'of this key ' : ''}are open, which is the limit; close one or page through what there is`,
    headers: { 'retry-after': '10' },
  };
}
