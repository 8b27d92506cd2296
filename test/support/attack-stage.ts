/**
 * The stage of the administrator's attacks: a node with 120 facts, a peer that has pulled them, a witness that pulls nothing
 * and has cosigned them, a reader that has seen them, an auditor who kept a copy of the anchors. It is set once; each attack
 * gets copies of the folders, so that every attack meets people who know the same past.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { openOffline } from '../../src/app.ts';
import { FileStore, StigmemClient } from '../../src/client/node.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import { readSeedFile } from '../../src/config/secret-file.ts';
import { readTar } from '../../src/core/ustar.ts';
import { SIGNED_HEADS_FILE } from '../../src/journal/files.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { ALG_ED25519 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { type CliFixture, createCliFixture } from './cli-fixture.ts';
import type { DataFolder } from './data-folder.ts';
import { MeshNode } from './mesh-node.ts';
import { until } from './until.ts';

/** Sizes at which the node's checkpoints were anchored; the last is that of the whole history. */
export const ANCHORED: readonly [number, number, number] = [40, 100, 120];
/** Facts that yesterday's copy has. */
export const YESTERDAY: number = ANCHORED[1];
export const FACTS: number = ANCHORED[2];

const ANCHORING = { 'anchor.interval': '40', 'anchor.max_age_s': '1' };
const ANCHORS_FILE = 'anchors.jsonl';
/** What makes up a journal on disk, with all that is kept beside it. */
const STATE_FILES = ['journal.db', 'journal.db-wal', 'journal.db-shm', SIGNED_HEADS_FILE, ANCHORS_FILE];

export type Role = 'attacker' | 'peer' | 'other' | 'witness';
const ROLES: readonly Role[] = ['attacker', 'peer', 'other', 'witness'];

type Server = Pick<MeshNode, 'folder' | 'nodeId' | 'fetch'>;

interface Kept {
  readonly folders: Readonly<Record<Role, DataFolder>>;
  readonly vkey: string;
  /** A fact that stands before everything that is attacked. */
  readonly factId: string;
  /** The same as a bundle that the reader kept. */
  readonly bundle: string;
}

export class AttackStage {
  readonly root: string;
  readonly kept: Kept;
  readonly #cli: CliFixture;
  #copies = 0;

  private constructor(root: string, kept: Kept, cli: CliFixture) {
    this.root = root;
    this.kept = kept;
    this.#cli = cli;
  }

  static async open(): Promise<AttackStage> {
    const root = mkdtempSync(join(tmpdir(), 'peerd-attacks-'));
    const cli = await createCliFixture();
    cli.node.openOffline = openOffline;
    const nodes = {} as Record<Role, MeshNode>;
    for (const role of ROLES) nodes[role] = await MeshNode.create(`${role}.example`);
    try {
      return new AttackStage(root, await play(root, nodes), cli);
    } finally {
      for (const node of Object.values(nodes)) await node.halt();
    }
  }

  async close(): Promise<void> {
    await this.#cli.close();
    for (const folder of Object.values(this.kept.folders)) folder.remove();
    rmSync(this.root, { recursive: true, force: true });
  }

  get logSeed(): Uint8Array {
    const seed = readSeedFile(dataPaths(this.kept.folders.attacker.dir).logKey, 'log');
    assert.ok(seed.ok);
    return seed.value;
  }

  /** A copy of a node's folder as it was when the stage was set; it knows nobody's address. */
  copy(role: Role): DataFolder {
    const dir = join(this.root, `${role}-${++this.#copies}`);
    const folder = this.kept.folders[role];
    cpSync(folder.dir, dir, { recursive: true });
    const { peers } = dataPaths(dir);
    for (const file of readdirSync(peers)) rmSync(join(peers, file));
    return { ...folder, dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
  }

  /** Puts back what the folder held yesterday, with all that is kept beside the journal. */
  restoreYesterday({ dir }: Pick<DataFolder, 'dir'>): void {
    for (const name of STATE_FILES) {
      rmSync(join(dir, name), { force: true });
      const old = join(this.root, 'yesterday', name);
      if (existsSync(old)) copyFileSync(old, join(dir, name));
    }
  }

  /** The reader, who remembers the history that it saw. */
  reader(node: Server): StigmemClient {
    const memory = join(this.root, `reader-${++this.#copies}`);
    cpSync(join(this.root, 'reader'), memory, { recursive: true });
    return readerOf(node, memory);
  }

  /** The auditor's check of a file, with the anchors that were kept. */
  async audit({ dir }: Pick<DataFolder, 'dir'>): Promise<Audit> {
    const file = dataPaths(dir).journal;
    const anchors = join(this.root, ANCHORS_FILE);
    const ran = await this.#cli.runBare(['verify', file, '--anchors', anchors, '--log-key', this.kept.vkey, '--json']);
    assert.ok(ran.code === 0 || ran.code === 4, ran.stderr);
    return { exit: ran.code, problems: ran.json().problems };
  }

  /** Exports the evidence of a record from a node that has stopped, and has it judged by strangers. */
  async judge({ dir }: Pick<DataFolder, 'dir'>, seq: number): Promise<Judged> {
    const stranger = join(this.root, `stranger-${++this.#copies}`);
    mkdirSync(stranger);
    const tar = join(stranger, 'evidence.tar');
    const ran = await this.#cli.runBare(['evidence', 'export', String(seq), '--data', dir, '--out', tar]);
    assert.equal(ran.code, 0, ran.stderr);
    const files = readTar(readFileSync(tar));
    assert.ok(files.ok);
    rmSync(tar);
    for (const [name, bytes] of files.value) {
      mkdirSync(dirname(join(stranger, name)), { recursive: true });
      writeFileSync(join(stranger, name), bytes);
    }
    return strangersVerdict(stranger);
  }
}

export interface Audit {
  readonly exit: number;
  readonly problems: readonly {
    readonly code: string;
    readonly row: number | string | null;
    readonly field: string | null;
    readonly detail: string;
  }[];
}

export interface Judged {
  readonly verdict: 'contradiction' | 'accusation';
  /** Class of the contradiction, `a` to `d`; null for an accusation. */
  readonly kind: string | null;
}

async function play(root: string, nodes: Readonly<Record<Role, MeshNode>>): Promise<Kept> {
  const { attacker, peer, other, witness } = nodes;
  const anchors = join(attacker.folder.dir, ANCHORS_FILE);
  for (const size of ANCHORED) {
    await attacker.start(ANCHORING);
    const { entries } = await attacker.base.writer.stats();
    await attacker.assertFacts(Array.from({ length: size - entries }, (_, i) => `s${entries + i}`));
    await until(`${size} are anchored`, () => existsSync(anchors) && coveredIn(anchors).includes(size));
    if (size !== FACTS) await attacker.halt();
    if (size === YESTERDAY) cpSync(attacker.folder.dir, join(root, 'yesterday'), { recursive: true });
  }
  await Promise.all([peer.start(), other.start(), witness.start()]);
  for (const [name, node] of [['peer', peer] as const, ['other', other] as const, ['witness', witness] as const])
    attacker.writePeer(name, node.asPeer({ share: ['public'] }, false));
  for (const node of [peer, other]) node.writePeer('attacker', attacker.asPeer({ accept: ['public'] }));
  witness.writePeer('attacker', attacker.asPeer({ share: ['public'] }));
  for (const node of [peer, other])
    await until('everything is pulled', async () => (await node.base.writer.stats()).entries === FACTS);
  await until('the witness has cosigned', async () => {
    const { logs } = JSON.parse((await witness.get('/v1/witness')).text);
    return logs[0]?.cosigned_size === FACTS;
  });

  const { facts } = await readerOf(attacker, join(root, 'reader')).query({ entity: `${attacker.nodeId}/service/s0` });
  const factId = facts[0]?.id ?? '';
  const bundle = (await attacker.get(`/v1/facts/${factId}/proof`)).text;
  await Promise.all(Object.values(nodes).map((node) => node.halt()));
  copyFileSync(anchors, join(root, ANCHORS_FILE));
  const folders = Object.fromEntries(ROLES.map((role) => [role, nodes[role].folder])) as Record<Role, DataFolder>;
  return { folders, vkey: vkeyOf(folders.attacker), factId, bundle };
}

/** Trusts the node by its identity alone: whoever holds the log key cannot make another one. */
function readerOf(node: Server, memory: string): StigmemClient {
  const { nodeId, peerId, keys } = node.folder;
  return new StigmemClient({
    url: 'http://node.invalid',
    key: keys.ro,
    trust: { nodes: [{ nodeId, peerId }] },
    checkpoints: new FileStore(memory),
    fetch: (input, init) => node.fetch(new Request(input, init)),
  });
}

function coveredIn(anchors: string): readonly number[] {
  const lines = readFileSync(anchors, 'utf8').split('\n').filter(Boolean);
  return lines.flatMap((line) => {
    const { kind, covered_chain_seq } = JSON.parse(line).payload;
    return kind === 'stigmem.fact_chain_checkpoint' ? [covered_chain_seq as number] : [];
  });
}

function vkeyOf({ dir }: DataFolder): string {
  const paths = dataPaths(dir);
  const seed = readSeedFile(paths.logKey, 'log');
  const first = readFileSync(join(dir, SIGNED_HEADS_FILE), 'utf8');
  const name = (JSON.parse(first).journal.note as string).split('\n')[0] ?? '';
  assert.ok(seed.ok);
  return formatVerifierKey({
    name,
    algorithm: ALG_ED25519,
    publicKey: createLogSigner(name, seed.value).publicKey,
  });
}

/** Every Node.js of this machine comes to one verdict, by `verify.mjs` and the files beside it alone. */
function strangersVerdict(folder: string): Judged {
  const verdicts = nodesHere().map((program) => {
    const args = ['verify.mjs', '--json', 'evidence.json'];
    const ran = spawnSync(program, args, { cwd: folder, env: {}, encoding: 'utf8' });
    assert.ok(ran.status === 0 || ran.status === 1, ran.stderr);
    const { verdict, class: kind } = JSON.parse(ran.stdout);
    assert.equal(ran.status === 0, verdict === 'contradiction');
    return { verdict, kind };
  });
  for (const verdict of verdicts) assert.deepEqual(verdict, verdicts[0]);
  return verdicts[0] as Judged;
}

function nodesHere(): readonly string[] {
  const found = (process.env['PATH'] ?? '').split(delimiter).flatMap((folder) => {
    const program = join(folder, 'node');
    try {
      accessSync(program, constants.X_OK);
      return [realpathSync(program)];
    } catch {
      return [];
    }
  });
  return [...new Set([realpathSync(process.execPath), ...found])];
}
