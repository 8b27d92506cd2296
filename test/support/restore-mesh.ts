/** Three nodes that all pull from each other, and a copy of one of them that grows old. Real processes. */
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { Bench, type NodeProcess } from './node-process.ts';

const AUTHORITIES = ['acme.example', 'globex.example', 'initech.example'] as const;

export class RestoreMesh {
  readonly bench: Bench;
  readonly nodes: readonly [NodeProcess, NodeProcess, NodeProcess];
  /** Facts of each node so far. */
  readonly #written = new Map<NodeProcess, number>();

  private constructor(bench: Bench, nodes: RestoreMesh['nodes']) {
    this.bench = bench;
    this.nodes = nodes;
  }

  /** @param first settings of the first node alone */
  static async start(
    t: TestContext,
    settings: readonly string[] = [],
    first: readonly string[] = [],
  ): Promise<RestoreMesh> {
    const bench = new Bench(t);
    const [a, b, c] = await Promise.all(
      AUTHORITIES.map((name, i) => bench.node(name, ['guard.wait_s=30', ...settings, ...(i === 0 ? first : [])])),
    );
    if (a === undefined || b === undefined || c === undefined) throw new Error('three nodes');
    const mesh = new RestoreMesh(bench, [a, b, c]);
    await Promise.all(mesh.nodes.map((node) => node.start()));
    for (const node of mesh.nodes) for (const peer of mesh.others(node)) mesh.join(node, peer);
    return mesh;
  }

  join(node: NodeProcess, peer: NodeProcess): void {
    node.writePeer(nameOf(peer), peer.asPeer({ share: ['public'], accept: ['public'] }));
  }

  others(node: NodeProcess): readonly NodeProcess[] {
    return this.nodes.filter((one) => one !== node);
  }

  /** Facts that the node has written. */
  written(node: NodeProcess): number {
    return this.#written.get(node) ?? 0;
  }

  async write(
    node: NodeProcess,
    count: number,
    more: Readonly<Record<string, unknown>> = {},
    token: string = node.token,
  ): Promise<void> {
    const from = this.written(node);
    const facts = Array.from({ length: count }, (_, i) => ({
      entity: `${node.nodeId}/service/s${from + i}`,
      relation: 'memory:status',
      value: { type: 'text', v: `state ${from + i}` },
      source: `${node.nodeId}/agent/a1`,
      confidence: 1,
      scope: 'public',
      ...more,
    }));
    await this.bench.until(`${count} facts are written at ${node.authority}`, async () => {
      const { status } = await node.post('/v1/facts', { facts }, token);
      return status === 201 ? true : undefined;
    });
    this.#written.set(node, from + count);
  }

  /** Every node has every public fact of the others. */
  async settle(nodes: readonly NodeProcess[] = this.nodes): Promise<void> {
    for (const node of nodes)
      for (const peer of nodes)
        if (peer !== node)
          await node.peerUntil(nameOf(peer), 'is pulled', ({ accepted }) => accepted === this.written(peer));
  }

  /** What the keeper keeps for the node reaches to the keeper's last fact. */
  async noted(node: NodeProcess, keeper: NodeProcess): Promise<void> {
    await this.bench.until(`${keeper.authority} keeps the notes of ${node.authority}`, () =>
      keptTo(keeper, node) === this.written(keeper) ? true : undefined,
    );
  }

  /** The largest checkpoint of the node that the others hold covers all that it has. */
  async shown(node: NodeProcess): Promise<number> {
    const { size } = (await node.get('/v1/journal/head')).body as { size: number };
    for (const peer of this.others(node))
      await peer.peerUntil(nameOf(node), 'has its newest head', ({ checkpoint }) => checkpoint?.size === size);
    return size;
  }

  /** Stops the node, copies its folder and starts it again. */
  async copy(node: NodeProcess): Promise<string> {
    await node.stop();
    const copy = join(this.bench.root, `copy of ${node.authority}`);
    cpSync(node.dir, copy, { recursive: true });
    await node.start();
    return copy;
  }

  /** Facts of all, a copy of the first node, then facts of all again in turns: what it lacks was shown to all. */
  async grow(): Promise<{ readonly copy: string; readonly size: number }> {
    const [a, b, c] = this.nodes;
    for (const node of this.nodes) await this.write(node, 3);
    await this.settle();
    const copy = await this.copy(a);
    for (const node of [b, c, a]) {
      await this.write(node, 4);
      await this.settle();
    }
    for (const keeper of [b, c]) await this.noted(a, keeper);
    return { copy, size: await this.shown(a) };
  }

  /** Puts a copy in the place of the node's folder; the lost one is set aside. */
  putBack(node: NodeProcess, copy: string): void {
    const lost = join(this.bench.root, `lost ${node.authority}`);
    rmSync(lost, { recursive: true, force: true });
    renameSync(node.dir, lost);
    cpSync(copy, node.dir, { recursive: true });
  }
}

export function nameOf(node: NodeProcess): string {
  return node.authority.split('.')[0] ?? '';
}

/** All facts that a node gives, with everything that the API says of them. */
export async function factsOf(node: NodeProcess): Promise<readonly unknown[]> {
  const { body } = await node.get('/v1/facts?limit=500');
  return body.facts as unknown[];
}

/** Looks into a journal that a daemon may be writing to. */
export function inJournal<T>(node: NodeProcess, look: (db: Database.Database) => T): T {
  const db = new Database(join(node.dir, 'journal.db'), { readonly: true, timeout: 5_000 });
  try {
    return look(db);
  } finally {
    db.close();
  }
}

function keptTo(keeper: NodeProcess, node: NodeProcess): number {
  const sql = "SELECT coalesce(max(to_seq), 0) FROM kept_notes WHERE peer = ? AND feed = 'public'";
  return inJournal(keeper, (db) => Number(db.prepare(sql).pluck().get(node.nodeId)));
}
