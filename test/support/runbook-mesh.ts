/** What an operator of a node has in front of him when he opens the guide: partners good and bad, records, cases, sinks, copies. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import * as app from '../../src/app.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import { type Ran, type RunOptions, runOnce } from './cli-fixture.ts';
import { befriend, openScene, type Scene, say } from './console-scene.ts';
import type { HostileProcess } from './hostile-process.ts';
import { logVkeyIn } from './log-vkey.ts';
import type { NodeProcess } from './node-process.ts';

const SINKS = `
[[sink]]
name = "archive"
kind = "file"
path = "export/audit.jsonl"

[[sink]]
name = "siem"
kind = "file"
path = "export/siem.jsonl"
`;

export interface RunbookMesh {
  readonly scene: Scene;
  readonly node: NodeProcess;
  /** Where the operator stands: relative names of files are of this folder. */
  readonly desk: string;
  /** What stands in the guide for something that each node has otherwise. */
  readonly values: Map<string, string>;
  cli(words: readonly string[], options?: RunOptions): Promise<Ran>;
}

/** Peers of acme: globex is honest; mallory's CIDs are wrong; hal tells agents what to do; initech signed two histories; hooli's key waits. */
export async function openRunbookMesh(t: TestContext): Promise<RunbookMesh> {
  let worm = '';
  // Where root runs, files of a WORM folder cannot be removed before; hooks run in the order in which they are made.
  t.after(() => void spawnSync('chattr', ['-R', '-i', worm]));
  const scene = await openScene(t, {
    facts: ['cid_mismatch', 'instruction_inbound', 'hlc_past'],
    pages: ['checkpoint_split_view_1'],
    settings: ['review.four_eyes=peer.resume', 'gardens=incident-42', 'guard.wait_s=1'],
  });
  const { node, bench } = scene;
  const desk = join(bench.root, 'desk');
  worm = join(desk, 'worm');
  for (const folder of ['backup/acme', 'vault', 'worm', 'www', 'srv'])
    mkdirSync(join(desk, folder), { recursive: true });
  await node.stop();
  mkdirSync(join(node.dir, 'export'));
  appendFileSync(join(node.dir, 'config.toml'), SINKS);
  await node.start();
  const cli = (words: readonly string[], options: RunOptions = {}): Promise<Ran> =>
    runOnce(words, app, { isAlive, ...options });
  const mesh = { scene, node, desk, cli, values: new Map<string, string>() };
  await befriendAll(scene);
  await fillValues(mesh);
  return mesh;
}

async function befriendAll(scene: Scene): Promise<void> {
  const { node, partner, liars, cheats, bench } = scene;
  await befriend(scene);
  node.writePeer('mallory', liars.asPeer('cid_mismatch'));
  node.writePeer('hal', liars.asPeer('instruction_inbound'));
  node.writePeer('initech', cheats.asPeer('checkpoint_split_view_1'));
  const { logKey: _, ...unconfirmed } = liars.asPeer('hlc_past');
  node.writePeer('hooli', unconfirmed);
  for (const name of ['edge7', 'edge9']) await say(partner, `device/${name}`, 'globex:firmware', '4.2.1');
  for (const [event, query] of Object.entries(FOUND))
    await bench.until(`${event} is recorded`, async () => ((await node.audit(query)).length > 0 ? true : undefined));
}

/** What the guide speaks of has happened. */
const FOUND: Readonly<Record<string, string>> = {
  federation_integrity_rejected: 'reason=cid_mismatch',
  quarantine_ingest: 'event=quarantine_ingest',
  peer_suspended: 'event=peer_suspended',
  peer_log_key_waits: 'event=peer_log_key_waits',
};

async function fillValues(mesh: RunbookMesh): Promise<void> {
  const { node, scene, desk, values, cli } = mesh;
  const erased = await say(node, 'person/7', 'acme:phone', '555-0199');
  const fact = await say(node, 'host/web1', 'acme:status', 'up');
  const records = await node.audit('reason=cid_mismatch');
  const cases = (await node.get('/v1/cases?about=cid_mismatch')).body.cases as readonly { readonly id: number }[];
  const hidden = (await node.get('/v1/quarantine')).body.facts as readonly { readonly fact: { readonly id: string } }[];
  const set = (named: Readonly<Record<string, string>>): void => {
    for (const [name, value] of Object.entries(named)) values.set(name, value);
  };
  set({ DIR: node.dir, FACT: fact, ERASED: erased, SEQ: String(records[0]?.seq), CASE: String(cases[0]?.id) });
  set({ HIDDEN: String(hidden[0]?.fact.id), FIRST_VKEY: logVkeyIn(node.dir), WAITING: keyOf(scene.liars, 'hlc_past') });
  cpSync(join(node.dir, 'config.toml'), join(desk, 'new.toml'));
  cpSync(join(dataPaths(node.dir).peers, 'globex.toml'), join(desk, 'globex.toml'));
  writeFileSync(join(desk, 'bob.key'), `${scene.keys.root}\n`, { mode: 0o600 });
  const shown = (await cli(['peer', 'show', 'self', '--data', node.dir, '--json'])).json() as { peer_id: string };
  values.set('PEER_ID', shown.peer_id);
}

function keyOf(liars: HostileProcess, name: string): string {
  return String(liars.asPeer(name).logKey);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The newest snapshot that was made at the desk. */
export function newestSnapshot({ desk }: RunbookMesh): string {
  const shelf = join(desk, 'backup/acme');
  return join(shelf, readdirSync(shelf).sort().at(-1) ?? '');
}

/** As the guide asks for: beside the snapshots, and anew after each change of a key. */
export function copyKeys(dir: string, desk: string): void {
  cpSync(dataPaths(dir).keys, join(desk, 'vault/acme-keys'), { recursive: true });
}
