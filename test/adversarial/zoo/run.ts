/**
 * Drills against a node: `node test/adversarial/zoo/run.ts list`, or with the name of an animal
 *
 *   --data DIR      folder of a node on this machine: its address, its key and its process are taken from there
 *   --install       puts the animal's peer file into that folder, and takes it away at the end
 *   --api URL       API of any other node; without --install the peer file is printed, for its operator to add
 *   --key-file F    an API key that may read audit records and peers: without it nothing can be judged
 *   --address A     where peers reach the node, when it names no address that is right from here
 *   --listen HOST   where the animal listens (default 127.0.0.1)
 *   --seconds N     how long the verdict may take (default 120)
 *
 * An insider gets a copy of the folder of --data, whose node must not run. Exit code 0: the verdict was reached.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { type PeerLine, peerText } from '../../support/node-process.ts';
import type { Animal } from './animal.ts';
import { ANIMALS, tables } from './catalogue.ts';
import { type Cage, release, releaseInto, type Verdict } from './release.ts';
import { Victim } from './victim.ts';

const THREAT_MODEL = new URL('../../../docs/threat-model.md', import.meta.url);
const CATALOGUE = new URL('../../../docs/zoo.md', import.meta.url);
const CATALOGUE_BEGINS = '| Animal |';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    install: { type: 'boolean', default: false },
    api: { type: 'string' },
    'key-file': { type: 'string' },
    address: { type: 'string' },
    listen: { type: 'string', default: '127.0.0.1' },
    seconds: { type: 'string', default: '120' },
  },
});
const [name = 'list'] = positionals;
if (name === 'list') list();
else if (name === 'doc') writeCatalogue();
else await drill(name);

function list(): void {
  for (const { name, threats, does } of ANIMALS) console.log(`${name}\n  ${does}. Threats ${threats.join(', ')}`);
}

function writeCatalogue(): void {
  const rows = [...readFileSync(THREAT_MODEL, 'utf8').matchAll(/^\| (\d+) \|/gm)].map((row) => Number(row[1]));
  const [before = ''] = readFileSync(CATALOGUE, 'utf8').split(CATALOGUE_BEGINS);
  writeFileSync(CATALOGUE, before + tables(rows));
}

async function drill(wanted: string): Promise<void> {
  const animal = ANIMALS.find((one) => one.name === wanted);
  if (animal === undefined) throw new Error(`expected the name of an animal, got ${wanted}; \`list\` has them all`);
  console.log(`${animal.name}: ${animal.does}.\nexpected: ${animal.verdict}.`);
  const verdict = await outcomeOf(animal);
  const grown = verdict.grownMiB === null ? '' : `, the node grew by ${verdict.grownMiB.toFixed(0)} MiB at most`;
  console.log(`${verdict.seconds.toFixed(1)} s${grown}`);
  for (const finding of verdict.findings) console.log(`NOT AS EXPECTED: ${finding}`);
  if (verdict.findings.length === 0) console.log('as expected');
  process.exit(verdict.findings.length === 0 ? 0 : 1);
}

async function outcomeOf(animal: Animal): Promise<Verdict> {
  const { data } = values;
  if (animal.kind === 'insider') {
    if (data === undefined) throw new Error('expected --data: an insider works on a copy of a folder');
    return releaseInto(animal, data);
  }
  const cage: Cage = { host: values.listen, deadlineMs: Number(values.seconds) * 1000, admit };
  return release(animal, await victimOf(), cage);
}

async function victimOf(): Promise<Victim> {
  const { data, api, address } = values;
  if (data !== undefined) return Victim.ofFolder(data);
  if (api === undefined) throw new Error('expected --data DIR or --api URL');
  const keyFile = values['key-file'];
  const key = keyFile === undefined ? '' : readFileSync(keyFile, 'utf8').trim();
  return Victim.ofApi(api, key, address ?? null, null);
}

function admit(peer: string, file: PeerLine): () => void {
  const text = peerText(file);
  if (!values.install || values.data === undefined) {
    console.log(`\nAdd this as peers/${peer}.toml, and remove it afterwards:\n\n${text}`);
    return () => undefined;
  }
  const path = join(dataPaths(values.data).peers, `${peer}.toml`);
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  return () => {
    if (existsSync(path)) rmSync(path);
  };
}
