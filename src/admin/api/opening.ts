import type { ServedApi } from '../server.ts';
import { json, refused } from './responses.ts';

/** Seconds after which it is worth asking again. */
const RETRY_AFTER_S = '5';

/** What is answered while a node is still being opened. @param doing says what it waits for, as a sentence */
export function healthOf(doing: () => string): ServedApi {
  return {
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/livez' || pathname === '/healthz') return json(200, { status: 'ok' });
      const headers = { 'retry-after': RETRY_AFTER_S };
      const checks = [{ name: 'opening', ok: false, detail: doing() }];
      if (pathname === '/readyz') return json(503, { status: 'not_ready', checks, notices: [] }, headers);
      return refused({ status: 503, detail: `the node is starting: ${doing()}`, headers });
    },
  };
}
