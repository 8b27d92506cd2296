import type { RoleRule } from '../../config/oidc-settings.ts';
import type { AuditInput } from '../../journal/read-model.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { ApiEnv } from '../api/route.ts';
import type { ApiDeps } from '../deps.ts';
import type { Sessions } from './sessions.ts';
import type { SignInLinks } from './sign-in-links.ts';

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
  readonly sessions: Sessions;
  readonly links: Pick<SignInLinks, 'take'>;
  /** Of sessions: what is done in them the API records. */
  readonly audit: (input: AuditInput) => Promise<unknown>;
  /** Null: people sign in with API keys alone. */
  readonly oidc: OidcDesk | null;
}

/** Signing in at an identity provider. */
export interface OidcDesk {
  readonly provider: Pick<Provider, 'begin' | 'finish' | 'endSessionUrl' | 'fault'>;
  readonly issuer: string;
  /** As they stand now: what was taken away holds at the next request. */
  readonly rules: () => readonly RoleRule[];
  readonly maxSessionMs: number;
  /** The console as people reach it, without a slash at the end. */
  readonly nodeUrl: () => string;
}
