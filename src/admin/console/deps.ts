import type { ApiEnv } from '../api/route.ts';
import type { ApiDeps } from '../deps.ts';

export interface ConsoleDeps {
  /** The API that the pages ask: they know no other way to read or change anything. */
  readonly api: { fetch(request: Request, env: ApiEnv['Bindings']): Response | Promise<Response> };
  readonly keys: ApiDeps['keys'];
  readonly node: Pick<ApiDeps['node'], 'nodeId' | 'version'>;
  readonly limits: ApiDeps['limits'];
  readonly events: Pick<ApiDeps['events'], 'requestFailed'>;
  readonly nowMs: () => number;
  /** TLS ends here, or at a proxy by the operator's word: cookies are for it alone. */
  readonly secure: boolean;
}
