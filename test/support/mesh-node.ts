/** A whole node in this process, over loopback libp2p, whose witness is driven by hand: its timers are too slow to matter. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from '../../src/admin/api/route.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import type { ConfigFlags } from '../../src/config/overlay.ts';
import { readSeedFile } from '../../src/config/secret-file.ts';
import { witnessName } from '../../src/core/node-id.ts';
import type { AuditRecord } from '../../src/journal/read-model.ts';
import { createLogSigner, type LogSigner } from '../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { startAnchoring } from '../../src/node/anchor.ts';
import { apiOf } from '../../src/node/api.ts';
import { type Base, openBase } from '../../src/node/base.ts';
import { startDrills } from '../../src/node/drills.ts';
import { type OpenFederation, startFederation } from '../../src/node/federation.ts';
import { startSiem } from '../../src/node/siem.ts';
import type { AssertRequest } from '../../src/verify/assertion.ts';
import { createFolder, type DataFolder } from './data-folder.ts';
import { logVkeyIn } from './log-vkey.ts';
import { type PeerLine, peerText } from './node-process.ts';

const FLAGS = {
  'listen.p2p': '/ip4/127.0.0.1/tcp/0',
  'log.level': 'error',
  'witness.gossip_interval_s': '86400',
  'federation.poll_interval_s': '86400',
};

export type Grants = Pick<PeerLine, 'share' | 'accept' | 'witnesses'>;

export class MeshNode {
  readonly folder: DataFolder;
  #owned = new AsyncDisposableStack();
  #base: Base | undefined;
  #federation: OpenFederation | undefined;
  #api: OpenAPIHono<ApiEnv> | undefined;

  private constructor(folder: DataFolder) {
    this.folder = folder;
  }

  /** A data folder; nothing runs yet. */
  static async create(authority: string): Promise<MeshNode> {
    return new MeshNode(await createFolder(authority));
  }

  /** A node over a folder that is there; it is removed with the node. */
  static over(folder: DataFolder): MeshNode {
    return new MeshNode(folder);
  }

  /**
   * @param isPatched a program whose restore guard takes whatever peers show of its own log for known
   * @param use a `daemon` waits for its restore guard, as `run` does; `offline` goes on at once
   */
  async start(flags: ConfigFlags = {}, isPatched = false, use: 'daemon' | 'offline' = 'offline'): Promise<this> {
    this.#base = await openBase(this.folder.dir, { ...FLAGS, ...flags }, this.#owned, use);
    if (isPatched) Object.assign(this.#base.writer, { compareOwnHead: async () => ({ kind: 'known' }) });
    this.#base.failed.catch(() => {});
    this.#federation = await startFederation(this.#base, this.#owned);
    // Only where it is asked for: a log that is written beside it is nothing that other tests look for.
    if (flags['anchor.interval'] !== undefined) startAnchoring(this.#base, this.#owned);
    const siem = await startSiem(this.#base, this.#owned);
    const drills = startDrills(this.#base, this.#federation, siem, this.#owned);
    const served = { nodeUrl: () => 'http://127.0.0.1', notices: () => [], siem, drills, checks: null };
    this.#api = apiOf(this.#base, this.#federation, served, this.#owned);
    return this;
  }

  /** Everything in memory is forgotten. */
  async restart(flags: ConfigFlags = {}): Promise<this> {
    await this.halt();
    return this.start(flags);
  }

  /** Stops the node; its folder stays. */
  async halt(): Promise<void> {
    await this.#owned.disposeAsync();
    this.#owned = new AsyncDisposableStack();
  }

  async stop(): Promise<void> {
    await this.#owned.disposeAsync();
    this.folder.remove();
  }

  get nodeId(): string {
    return this.folder.nodeId;
  }

  get base(): Base {
    if (this.#base === undefined) throw new Error('not started');
    return this.#base;
  }

  get federation(): OpenFederation {
    if (this.#federation === undefined) throw new Error('not started');
    return this.#federation;
  }

  get witnessSigner(): LogSigner {
    const seed = readSeedFile(dataPaths(this.folder.dir).witnessKey, 'witness');
    if (!seed.ok) throw new Error(seed.error.message);
    return createLogSigner(witnessName(this.nodeId), seed.value);
  }

  /** A line of a witness policy. */
  witnessLine(name: string): string {
    const { name: keyName, publicKey } = this.witnessSigner;
    return `witness ${name} ${formatVerifierKey({ name: keyName, algorithm: ALG_COSIGNATURE_V1, publicKey })}`;
  }

  writePeer(name: string, peer: PeerLine): void {
    const fresh = join(this.folder.dir, `${name}.new`);
    writeFileSync(fresh, peerText(peer), { mode: 0o600 });
    renameSync(fresh, join(dataPaths(this.folder.dir).peers, `${name}.toml`));
  }

  /** This node as another's peer file names it. @param isDialled whether the other dials it */
  asPeer(grants: Grants = {}, isDialled = true): PeerLine {
    const { dir, nodeId, peerId } = this.folder;
    const addresses = isDialled ? this.federation.addresses() : [];
    return { nodeId, peerId, addresses, logKey: logVkeyIn(dir), ...grants };
  }

  async assertFact(name: string): Promise<void> {
    await this.assertFacts([name]);
  }

  /** In one transaction. */
  async assertFacts(names: readonly string[]): Promise<void> {
    const { nodeId } = this.folder;
    const requests = names.map(
      (name): AssertRequest => ({
        entity: `${nodeId}/service/${name}`,
        relation: 'ops:state',
        source: `${nodeId}/agent/a1`,
        value: 'up',
        value_type: 'text',
        scope: 'public',
        confidence: 1,
        valid_until: null,
        garden_id: null,
        derived_from: [],
        attestation: null,
        interpret_as: 'content',
      }),
    );
    const outcomes = await this.base.writer.assert(requests, { mayWriteInstructions: false });
    const refused = outcomes.find(({ kind }) => kind !== 'stored');
    if (refused !== undefined) throw new Error(JSON.stringify(refused));
  }

  /** Audit records of an event, oldest first. */
  async audit(event: string): Promise<readonly AuditRecord[]> {
    const { records } = await this.base.reader.auditPage({ event, order: 'asc', limit: 500 });
    return records;
  }

  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const headers = { authorization: `Bearer ${this.folder.keys.full}` };
    const response = await this.#api?.request(path, { headers });
    return { status: response?.status ?? 0, text: (await response?.text()) ?? '' };
  }

  async post(path: string, body: string): Promise<Response> {
    return this.fetch(new Request(`http://node.invalid${path}`, { method: 'POST', body }));
  }

  /** @param env what the server hands in beside the request */
  async fetch(request: Request, env: { readonly address?: string } = {}): Promise<Response> {
    const response = await this.#api?.fetch(request, env);
    if (response === undefined) throw new Error('not started');
    return response;
  }
}
