import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { refused } from './api/responses.ts';
import type { ApiEnv } from './api/route.ts';
import { AdminError } from './errors.ts';
import { OpenCount } from './open-count.ts';
import { type HostRule, isLoopback, whyForeign } from './server-guard.ts';
import { ServerTls, type TlsOutcome, type TlsState } from './server-tls.ts';
import type { TlsFiles } from './tls-files.ts';

export interface ServerTimeouts {
  /** From connect to the end of the headers. */
  readonly headersMs: number;
  /** From connect to the end of the request; at least the API's own limit on bodies. */
  readonly requestMs: number;
  /** An open connection without a request. */
  readonly idleMs: number;
}

export const DEFAULT_SERVER_TIMEOUTS: ServerTimeouts = { headersMs: 10_000, requestMs: 30_000, idleMs: 5_000 };
/** Half of them of one address, so that an operator gets in beside a client that has run away. */
export const MAX_CONNECTIONS = 512;
const MAX_HEADER_BYTES = 16_384;
const MAX_REQUESTS_PER_CONNECTION = 100_000;
/** How often Node looks for connections that are over their time. */
const CHECK_MS = 1_000;

/** What answers requests. */
export interface ServedApi {
  fetch(request: Request, env: ApiEnv['Bindings']): Response | Promise<Response>;
}

export interface ServerOptions {
  readonly api: ServedApi;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: TlsFiles;
  /** Names besides those of the certificate and of loopback that the Host header may have. */
  readonly names?: readonly string[];
  /** The operator's word that a proxy in front of us ends TLS. */
  readonly behindProxy: boolean;
  readonly timeouts?: ServerTimeouts;
  readonly maxConnections?: number;
}

export interface AdminServer {
  /** e.g. `http://127.0.0.1:8765` */
  readonly url: string;
  readonly port: number;
  /** Null: plain HTTP. */
  tls(): TlsState | null;
  /** Reads certificate and key again, for connections that come from now on. */
  reloadTls(nowMs: number): TlsOutcome;
  /** Takes no new connections, ends streams, lets requests finish for so long, then cuts them. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * Serves the API.
 * @throws AdminError `insecure_listen`, `tls_files_unreadable`, `listen_failed`
 */
export async function startServer(options: ServerOptions): Promise<AdminServer> {
  refuseInsecure(options);
  const stopping = new AbortController();
  const tls = options.tls === undefined ? null : new ServerTls(options.tls);
  const server = createServer(options, tls, stopping.signal);
  const sockets = openSockets(server);
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const scheme = options.tls === undefined ? 'http' : 'https';
  const host = options.host.includes(':') && !options.host.startsWith('[') ? `[${options.host}]` : options.host;
  return {
    url: `${scheme}://${host}:${port}`,
    port,
    tls: () => tls?.state() ?? null,
    reloadTls: (nowMs) => (tls !== null && isHttps(server) ? tls.reload(server, nowMs) : { kind: 'unchanged' }),
    close: ({ graceMs }) => close(server, sockets, stopping, graceMs),
  };
}

function refuseInsecure({ host, port, tls, behindProxy }: ServerOptions): void {
  if (isLoopback(host) || tls !== undefined || behindProxy) return;
  throw new AdminError(
    'insecure_listen',
    `the admin API will not listen on ${host}:${port} without TLS: API keys would cross the network readable by anyone.
Do one of these in the [api] section of config.toml:
  host = "127.0.0.1"                                         only this machine
  tls_cert_file = "…" and tls_key_file = "…"                 TLS here
  behind_proxy = true                                        a proxy in front of this port ends TLS, and nobody else reaches it`,
  );
}

function isHttps(server: Server): server is HttpsServer {
  return server instanceof HttpsServer;
}

function createServer(options: ServerOptions, tls: ServerTls | null, stopping: AbortSignal): Server {
  const timeouts = options.timeouts ?? DEFAULT_SERVER_TIMEOUTS;
  const serverOptions = {
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.idleMs,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Without it an HTTP/1.1 request without Host would get Node's own answer, which is not a JSON object.
    requireHostHeader: false,
  };
  const listener = requestListener(options, tls, stopping);
  const server =
    tls === null
      ? createHttpServer(serverOptions, listener)
      : createHttpsServer({ ...serverOptions, ...tls.options(), handshakeTimeout: timeouts.headersMs }, listener);
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  const open = new OpenCount(server.maxConnections, Math.ceil(server.maxConnections / 2));
  server.on('connection', (socket: Socket) => {
    const leave = open.enter(socket.remoteAddress ?? '');
    if (typeof leave === 'function') socket.once('close', leave);
    else socket.destroy();
  });
  return server;
}

function requestListener(
  options: ServerOptions,
  tls: ServerTls | null,
  stopping: AbortSignal,
): (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void> {
  const rule = hostRule(options, tls);
  const serve = getRequestListener(
    (request, env) => {
      const { host, origin, 'sec-fetch-site': fetchSite, 'sec-fetch-mode': fetchMode } = env.incoming.headers;
      const { method } = request;
      const foreign = whyForeign({ method, host, origin, fetchSite, fetchMode }, rule());
      if (foreign !== null) return refused({ status: 403, detail: foreign });
      return options.api.fetch(request, { stopping, address: env.incoming.socket.remoteAddress });
    },
    {
      // A request target or Host that is no URL is the sender's fault; it ends here with a JSON object too.
      errorHandler: () => refused({ status: 400, detail: 'the request target or the Host header is malformed' }),
      // The library would otherwise replace Request and Response for the whole process.
      overrideGlobalObjects: false,
      // Requests of HTTP/1.0 have no Host; the guard refuses them, but a URL is made before it runs.
      hostname: 'localhost',
    },
  );
  return async (incoming, outgoing) => {
    if (stopping.aborted) outgoing.setHeader('connection', 'close');
    // An answer that began before the stop has told its client to keep the connection.
    outgoing.once('finish', () => {
      if (stopping.aborted) incoming.socket.end();
    });
    await serve(incoming, outgoing);
  };
}

/** Asked at each request: a new certificate may have other names. */
function hostRule({ host, behindProxy, names = [] }: ServerOptions, tls: ServerTls | null): () => HostRule {
  const onLoopback = isLoopback(host) && !behindProxy;
  return () => ({ onLoopback, names: new Set([host.toLowerCase(), ...names, ...(tls?.names() ?? [])]) });
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const hint =
        error.code === 'EADDRINUSE' ? 'another program listens there; stop it, or set another api.port' : error.message;
      reject(new AdminError('listen_failed', `the API cannot listen on ${host}:${port}: ${hint}`, { cause: error }));
    };
    server.once('error', failed);
    server.listen(port, host.replace(/^\[(.*)\]$/, '$1'), () => {
      server.removeListener('error', failed);
      resolve();
    });
  });
}

/** With those that are in the middle of a TLS handshake, which the server does not know as connections of its own yet. */
function openSockets(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}

async function close(
  server: Server,
  sockets: ReadonlySet<Socket>,
  stopping: AbortController,
  graceMs: number,
): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(cut);
}
