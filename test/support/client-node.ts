/** A client on a real node, with a hand on the wire between them. */
import type { ClientOptions, StigmemClient } from '../../src/client/node.ts';
import { StigmemClient as Client } from '../../src/client/node.ts';
import type { ConfigFlags } from '../../src/config/overlay.ts';
import { type FolderApi, openFolderApi } from './data-folder.ts';

/** Changes an answer on its way; the request's path comes with it. */
export type Meddle = (path: string, body: string) => string;

export interface ClientNode {
  readonly api: FolderApi;
  /** Options of a client that trusts the node by its identity. */
  options(role?: 'full' | 'ro' | 'audit', meddle?: Meddle): ClientOptions;
  client(role?: 'full' | 'ro' | 'audit', meddle?: Meddle): StigmemClient;
  close(): Promise<void>;
}

export async function openClientNode(flags: ConfigFlags = {}): Promise<ClientNode> {
  const api = await openFolderApi(undefined, flags);
  const options: ClientNode['options'] = (role = 'full', meddle = (_, body) => body) => ({
    url: 'http://node.invalid',
    key: api.keys[role],
    trust: { nodes: [{ nodeId: api.nodeId, peerId: api.base.peerId }] },
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const response = await api.api.fetch(request);
      const { pathname, search } = new URL(request.url);
      return new Response(meddle(`${pathname}${search}`, await response.text()), response);
    },
  });
  return { api, options, client: (role, meddle) => new Client(options(role, meddle)), close: () => api.close() };
}
