/** Onboarding of nodes in one process: real records, notes and words; the wire is a call, the journal a list. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openPeerFolder } from '../../src/config/peer-folder.ts';
import type { OnboardingRefusal } from '../../src/core/onboarding.ts';
import type { Result } from '../../src/core/result.ts';
import type { AuditInput } from '../../src/journal/read-model.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { Onboarding } from '../../src/onboard/onboarding.ts';
import { TransportError } from '../../src/transport/errors.ts';
import { identityFromSeed } from '../../src/transport/identity.ts';
import { PROTOCOLS } from '../../src/wire/protocols.ts';
import { HonestPeer } from './honest-peer.ts';

export const START_MS: number = Date.parse('2026-11-24T12:00:00Z');

export interface DeskNode {
  readonly nodeId: string;
  readonly peerId: string;
  readonly dir: string;
  readonly onboarding: () => Onboarding;
  readonly audited: AuditInput[];
  /** Names of the peer files. */
  readonly peers: () => readonly string[];
  /** As after a crash: everything is read from disk again. */
  readonly restart: () => Promise<void>;
  /** The next write of the journal fails. */
  failNext: boolean;
}

interface NodeOptions {
  readonly addresses?: readonly string[];
  readonly software?: string;
  /** Gardens and their members. */
  readonly gardens?: readonly (readonly [string, readonly string[]])[];
}

/** Nodes that reach each other, under one clock. */
export class DeskNetwork {
  nowMs: number = START_MS;
  /** What becomes of an inviter's answer on its way. */
  altered: (frame: Uint8Array) => Uint8Array = (frame) => frame;
  readonly #t: TestContext;
  readonly #nodes = new Map<string, DeskNode>();

  constructor(t: TestContext) {
    this.#t = t;
  }

  /** @param seed makes the identity: two nodes may say that they are the same */
  async node(authority: string, seed: number, more: NodeOptions = {}): Promise<DeskNode> {
    const dir = mkdtempSync(join(tmpdir(), 'peerd-onboard-'));
    this.#t.after(() => rmSync(dir, { recursive: true, force: true }));
    const peersFolder = join(dir, 'peers');
    mkdirSync(peersFolder);
    const nodeId = `stigmem://${authority}`;
    const nodeSeed = Buffer.alloc(32, seed);
    const { peerId } = await identityFromSeed(nodeSeed);
    const signer = createLogSigner(nodeId, nodeSeed);
    const peer = new HonestPeer({ authority });
    const pinned = new Map<string, string>();
    const audited: AuditInput[] = [];
    const peers = () => [...openPeerFolder(peersFolder, nodeId).state().peers.values()];
    const write = (input: AuditInput): number => {
      if (node.failNext) {
        node.failNext = false;
        throw Object.assign(new Error('the disk is full'), { code: 'SQLITE_FULL' });
      }
      return audited.push(input);
    };
    const open = (): Promise<Onboarding> =>
      Onboarding.open({
        folder: join(dir, 'onboarding'),
        self: {
          nodeId,
          authority,
          peerId,
          signer,
          declaration: peer.declaration(signer, peerId),
          software: more.software ?? 'stigmem-peerd/0.1.0',
          protocols: PROTOCOLS,
          addresses: () => more.addresses ?? ['/ip4/192.0.2.7/tcp/4101'],
        },
        journal: {
          audit: async (input) => write(input),
          pinIfNew: async (of, note, input) => {
            if (pinned.has(of)) return undefined;
            const seq = write(input);
            pinned.set(of, note);
            return seq;
          },
          declarations: async (ids) => ids.map((id) => pinned.get(id) ?? null),
          successions: async (ids) => ids.map(() => []),
        },
        peersFolder,
        peers,
        feeds: () => [{ feed: 'public', length: 1_234 }],
        rules: { gardens: new Map(more.gardens ?? []), permits: new Map(), confirmed: new Set() },
        maxFutureSkewMs: 300_000,
        tls: () => null,
        whyNotDialled: () => null,
        openGuest: async (guestSeed, inviter) => this.#guest(guestSeed, inviter.peerId),
        peerIdOfSeed: async (one) => (await identityFromSeed(one)).peerId,
        onGuests: () => undefined,
        nowMs: () => this.nowMs,
        randomBytes,
        logger: createLogger('fatal'),
      });
    let onboarding = await open();
    const node: DeskNode = {
      nodeId,
      peerId,
      dir,
      onboarding: () => onboarding,
      audited,
      peers: () => peers().map(({ name }) => name),
      restart: async () => {
        onboarding = await open();
      },
      failNext: false,
    };
    this.#nodes.set(peerId, node);
    return node;
  }

  /** What the gate and the one protocol of a guest come to. */
  async #guest(seed: Uint8Array, to: string): ReturnType<Parameters<typeof Onboarding.open>[0]['openGuest']> {
    const { peerId } = await identityFromSeed(seed);
    const node = this.#nodes.get(to);
    const { signal } = new AbortController();
    const altered = (frame: Uint8Array): Uint8Array => this.altered(frame);
    return {
      request: async function* (_to, protocol, body) {
        const guest = node
          ?.onboarding()
          .guests()
          .find((one) => one.peerId === peerId && one.only === protocol);
        if (node === undefined || guest === undefined) throw new TransportError('refused', 'hung up');
        for await (const frame of node
          .onboarding()
          .answer(body, { peerId, remoteAddr: '/ip4/198.51.100.9/tcp/50000', signal }))
          yield altered(frame);
      },
      stop: async () => undefined,
    };
  }
}

/** The value, or the test fails with the refusal. */
export function taken<T>(result: Result<T, OnboardingRefusal>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.error.code}: ${result.error.message}`);
}

/** The code of the refusal, or the test fails. */
export function refusedAs<T>(result: Result<T, OnboardingRefusal>): string {
  if (!result.ok) return result.error.code;
  throw new Error('it was taken');
}
