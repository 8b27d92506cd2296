import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { openKeyStore } from '../admin/keys.ts';
import { syncFolder, writeFileAtomically } from '../config/atomic-file.ts';
import { nodeIdFault } from '../config/checks.ts';
import { dataPaths } from '../config/data-dir.ts';
import { makeFolders } from '../config/make-folders.ts';
import { randomSeed, writeSeedFile } from '../config/secret-file.ts';
import { renderConfig } from '../config/template.ts';
import { authorityOf } from '../core/node-id.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { mintCliToken } from './cli-token.ts';
import { CliError } from './exit.ts';
import { loadNodeConfig } from './node-config.ts';
import type { Node } from './runtime.ts';

const ORIGIN_BYTES = 8;
const PRIVATE_FOLDER = 0o700;
const STAGING_PREFIX = '.init-';

interface InitOptions extends CommonOptions {
  readonly nodeId: string;
  readonly ifMissing?: true;
}

export function addInit(program: Command, cli: Cli): void {
  const command = program
    .command('init')
    .summary('make a node: configuration, keys, an empty journal')
    .description(
      'Makes the data folder of a new node: config.toml with every setting explained, its keys, an empty journal and an empty peers/ folder. The node id is who the node is to everybody and cannot be changed later.',
    )
    .requiredOption('--node-id <uri>', 'stigmem:// and a host name that is yours')
    .option('--if-missing', 'leave a folder that has this node already as it is: for what runs before each start')
    .action(action<InitOptions>(cli, runInit));
  withExamples(withCommonOptions(command), [
    'init --data ./acme --node-id stigmem://acme.example',
    'init --if-missing --data /data/node --node-id stigmem://acme.example',
  ]);
}

async function runInit(
  context: Context,
  _args: readonly string[],
  { nodeId, ifMissing }: InitOptions,
): Promise<Outcome> {
  const dir = context.dir();
  const fault = nodeIdFault(nodeId);
  if (fault !== null) {
    const message = `expected --node-id such as stigmem://acme.example, got ${JSON.stringify(nodeId)}: ${fault}`;
    throw new CliError({ exit: 'usage', message, fix: 'Use a host name that belongs to you.' });
  }
  if (ifMissing === true && existsSync(dataPaths(dir).config)) return leaveAsItIs(dir, nodeId);
  refuseUsedFolder(dir);
  const made = await createDataFolder(dir, nodeId, await context.node(), context.runtime.nowMs());
  const human = [
    `Made ${nodeId} in ${dir}`,
    context.screen.pairs([
      ['peer id', made.peerId],
      ['journal', made.journalOrigin],
      ['settings', dataPaths(dir).config],
    ]),
    '',
    'Keep a copy of keys/ in a safe place: a node that loses its keys cannot go on as the same node.',
    `Next: stigmem-peerd run --data ${dir}`,
  ].join('\n');
  const { peerId: peer_id, journalOrigin: journal_origin, auditOrigin: audit_origin } = made;
  return {
    json: JSON.stringify({ data: resolve(dir), node_id: nodeId, made: true, peer_id, journal_origin, audit_origin }),
    human,
  };
}

/** @throws CliError if the node in there is another one, or its configuration cannot be read */
function leaveAsItIs(dir: string, nodeId: string): Outcome {
  const found = loadNodeConfig(dir).nodeId;
  if (found !== nodeId) {
    const message = `expected the node ${nodeId} in ${dir}, got ${found}`;
    throw new CliError({ exit: 'refused', code: 'other_node', message, fix: 'Give it a folder of its own.' });
  }
  return {
    json: JSON.stringify({ data: resolve(dir), node_id: nodeId, made: false }),
    human: `${dir} has ${nodeId} already: nothing to do`,
  };
}

/** A folder is free when it does not exist or holds nothing but what an interrupted init left in its staging folder. */
function refuseUsedFolder(dir: string): void {
  if (!existsSync(dir)) return;
  if (existsSync(dataPaths(dir).config)) {
    const message = `expected a folder without a node, got ${dir}, which has one`;
    throw new CliError({
      exit: 'refused',
      code: 'already_initialised',
      message,
      fix: `Start it: stigmem-peerd run --data ${dir}`,
    });
  }
  if (!statSync(dir).isDirectory()) {
    const message = `expected a folder, or a path where nothing is, got ${dir}, which is a file`;
    throw new CliError({ exit: 'refused', message, fix: 'Choose another path.' });
  }
  const found = readdirSync(dir).filter((name) => !name.startsWith(STAGING_PREFIX));
  if (found.length === 0) return;
  const listed = found.slice(0, 5).join(', ');
  const message = `expected an empty folder, got ${dir} with ${listed}`;
  const fix =
    found.includes('journal.db') || found.includes('keys')
      ? 'This looks like a node without its config.toml. Restore that file, or choose another folder; init never overwrites keys.'
      : 'Choose another folder.';
  throw new CliError({ exit: 'refused', code: 'folder_not_empty', message, fix });
}

export interface Made {
  readonly peerId: string;
  readonly journalOrigin: string;
  readonly auditOrigin: string;
}

/**
 * Everything is made in a staging folder inside, then moved, `config.toml` last: with it the folder becomes a node. A
 * crash before leaves a folder that `init` refuses or makes anew, never one that `run` would take for a node.
 */
export async function createDataFolder(dir: string, nodeId: string, node: Node, nowMs: number): Promise<Made> {
  makeFolders(dir, PRIVATE_FOLDER);
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true });
  const staging = join(dir, `${STAGING_PREFIX}${randomBytes(4).toString('hex')}`);
  const paths = dataPaths(staging);
  for (const folder of [staging, paths.keys, paths.peers, paths.run]) mkdirSync(folder, { mode: PRIVATE_FOLDER });

  const nodeSeed = randomSeed('node');
  writeSeedFile(paths.nodeKey, 'node', nodeSeed);
  writeSeedFile(paths.logKey, 'log', randomSeed('log'));
  writeSeedFile(paths.witnessKey, 'witness', randomSeed('witness'));
  writeSeedFile(paths.anchorKey, 'anchor', randomSeed('anchor'));
  writeSeedFile(paths.restoreKey, 'restore', randomSeed('restore'));
  mintCliToken(staging, openKeyStore(paths.apiKeys), nowMs);

  const authority = authorityOf(nodeId) ?? '';
  const drawn = randomBytes(ORIGIN_BYTES).toString('hex');
  const journalOrigin = `${authority}/journal/${drawn}`;
  const auditOrigin = `${authority}/audit/${drawn}`;
  node.initJournal(staging, { nodeId, journalOrigin, auditOrigin, createdAt: new Date(nowMs).toISOString() });

  for (const name of readdirSync(staging)) renameSync(join(staging, name), join(dir, name));
  rmSync(staging, { recursive: true });
  syncFolder(dir);
  writeFileAtomically(dataPaths(dir).config, renderConfig(nodeId), 0o600);
  const { identityFromSeed } = await import('../transport/identity.ts');
  const { peerId } = await identityFromSeed(nodeSeed);
  return { peerId, journalOrigin, auditOrigin };
}
