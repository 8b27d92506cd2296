/**
 * The API's listener from the first moment of a start: while the journal is opened, which takes minutes when a large one comes
 * from an older version, it says that the process lives and why it is not ready. Nothing else is answered until then.
 */
import { healthOf } from '../admin/api/opening.ts';
import { type AdminServer, type ServedApi, startServer } from '../admin/server.ts';
import type { Config } from '../config/config.ts';
import type { WriterEvent } from '../threads/writer.ts';
import { STOP_GRACE_MS } from './federation.ts';

export type OpeningEvent = Extract<WriterEvent, { readonly kind: 'migrating' | 'filling_cases' }>;

export class FrontDoor {
  #api: ServedApi | null = null;
  #doing = 'the journal is opened';
  #firstVersion: number | null = null;

  /** @throws AdminError `insecure_listen`, `tls_files_unreadable`, `listen_failed` */
  async listen(
    { api: { host, port, tls, names, behindProxy } }: Config,
    owned: AsyncDisposableStack,
  ): Promise<AdminServer> {
    const waiting = healthOf(() => this.#doing);
    const api: ServedApi = { fetch: (request, env) => (this.#api ?? waiting).fetch(request, env) };
    const server = await startServer({ api, host, port, names, behindProxy, ...(tls === null ? {} : { tls }) });
    owned.defer(() => server.close({ graceMs: STOP_GRACE_MS }));
    return server;
  }

  heard(event: OpeningEvent): void {
    this.#doing = event.kind === 'migrating' ? this.#migrating(event) : filling(event);
  }

  /** From now on all of it is answered. */
  serve(api: ServedApi): void {
    this.#api = api;
  }

  #migrating({ version, last }: Extract<OpeningEvent, { readonly kind: 'migrating' }>): string {
    this.#firstVersion ??= version;
    const done = percent(version - this.#firstVersion, last - this.#firstVersion + 1);
    return `the journal’s schema is brought up to date, migration ${version} of ${last}: ${done} done. A start that was cut short goes on with the one it was at`;
  }
}

function filling({ done, of }: Extract<OpeningEvent, { readonly kind: 'filling_cases' }>): string {
  return `cases are made of the audit log: ${percent(done, of)} of ${of} records. A start that was cut short goes on from there`;
}

function percent(done: number, of: number): string {
  return `${Math.floor((100 * done) / of)} %`;
}
