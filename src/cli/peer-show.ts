import { join } from 'node:path';
import { stringify } from 'smol-toml';
import type { WellKnown } from '../admin/api/node.ts';
import type { Config } from '../config/config.ts';
import { dataPaths } from '../config/data-dir.ts';
import { PEER_SUFFIX, readPeerFile } from '../config/peer-file.ts';
import { problemText } from '../config/problem.ts';
import { readSeedFile } from '../config/secret-file.ts';
import type { PeerStatus } from '../core/peer-status.ts';
import { connectDaemonApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { Context, Outcome } from './cli.ts';
import { CliError } from './exit.ts';
import { loadNodeConfig } from './node-config.ts';
import { noteLocalAddresses } from './onboarding-view.ts';
import { ownVkeys, vkeyComments } from './own-vkeys.ts';
import { fileView, requirePeer } from './peer-manage.ts';
import { refusesSentences } from './peer-notices.ts';
import { acknowledgedSentence, circuitSentence, peerSentence } from './peer-table.ts';
import { keyLines } from './peer-trust-key.ts';
import type { Cell } from './screen.ts';

/** `peer show`: one partner in full, or what to give to a partner. */
export async function runShow(context: Context, [name = '']: readonly string[]): Promise<Outcome> {
  const config = loadNodeConfig(context.dir());
  return name === 'self' ? showSelf(context, config) : showPeer(context, name);
}

async function showSelf(context: Context, config: Config): Promise<Outcome> {
  const seed = readSeedFile(dataPaths(config.dir).nodeKey, 'node');
  if (!seed.ok)
    throw new CliError({
      exit: 'unavailable',
      message: `${seed.error.where}: ${seed.error.message}`,
      fix: seed.error.fix,
    });
  const { identityFromSeed } = await import('../transport/identity.ts');
  const { peerId } = await identityFromSeed(seed.value);
  const addresses =
    config.listen.announce.length > 0 ? config.listen.announce : await listeningAddresses(context, config);
  const keys = ownVkeys(config.dir, (await context.node()).identityIn(config.dir));
  const logKey = keys.find(({ use }) => use === 'log')?.vkey;
  const snippet = {
    node_id: config.nodeId,
    peer_id: peerId,
    addresses: addresses.map(withoutPeerId),
    namespaces: [config.authority],
    ...(logKey === undefined ? {} : { log_key: logKey }),
  };
  const toml = `${stringify(snippet).trimEnd()}\n${vkeyComments(keys)}`;
  noteLocalAddresses(context, snippet.addresses);
  context.note(
    'Give this to the partner. It adds its own share and accept, and compares peer id and log key over another channel.',
  );
  return { json: JSON.stringify({ ...snippet, keys, toml }), human: toml };
}

/** What the daemon really listens on, where it runs: a configured port of 0 is another one then. */
async function listeningAddresses(context: Context, config: Config): Promise<readonly string[]> {
  const api = await connectDaemonApi(context);
  if (api === null) return config.listen.p2p;
  try {
    const node = JSON.parse(expectOk(await api.get('/.well-known/stigmem'))) as WellKnown;
    return node.peerd.addresses;
  } finally {
    await api.close();
  }
}

function withoutPeerId(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '');
}

async function showPeer(context: Context, name: string): Promise<Outcome> {
  requirePeer(context.dir(), name);
  const path = join(dataPaths(context.dir()).peers, `${name}${PEER_SUFFIX}`);
  const file = readPeerFile(path);
  const status = await runningPeer(context, name);
  if (!file.ok && status === null) {
    const message = `the file of ${name} has problems:\n${file.error.map((problem) => `  ${problemText(problem)}`).join('\n')}`;
    throw new CliError({
      exit: 'refused',
      code: 'peer_file_invalid',
      message,
      fix: 'Mend it; the daemon takes it up by itself.',
    });
  }
  const problems = file.ok ? [] : file.error;
  const json = JSON.stringify({ file: file.ok ? fileView(file.value) : null, status, problems });
  const warnings = problems.map((problem) => `\n${context.screen.paint('yellow', '!')} ${problemText(problem)}`);
  return {
    json,
    human: context.screen.pairs(peerRows(file.ok ? fileView(file.value) : {}, status)) + warnings.join(''),
  };
}

async function runningPeer(context: Context, name: string): Promise<PeerStatus | null> {
  const api = await connectDaemonApi(context);
  if (api === null) return null;
  try {
    const answer = await api.get(`/v1/federation/peers/${name}`);
    return answer.status === 404 ? null : (JSON.parse(expectOk(answer)) as PeerStatus);
  } finally {
    await api.close();
  }
}

function peerRows(file: Readonly<Record<string, unknown>>, status: PeerStatus | null): (readonly [string, Cell])[] {
  const fileRows = Object.entries(file).map(([key, value]): readonly [string, Cell] => [
    key.replaceAll('_', ' '),
    typeof value === 'string'
      ? value
      : value === null || (Array.isArray(value) && value.length === 0)
        ? null
        : JSON.stringify(value),
  ]);
  if (status === null) return [...fileRows, ['state', 'the node is not running, or has not taken the file up yet']];
  const refuses = refusesSentences(status);
  const verdicts = status.last_verdicts.map(({ at, reason, event, seq }) => `${at} ${reason ?? event} (audit ${seq})`);
  return [
    ...fileRows,
    ['state', `${status.state}: ${peerSentence(status)}`],
    ['pinned log key', status.pinned_log_key],
    ['circuit', circuitSentence(status)],
    ['taken', status.accepted],
    ['refused', status.refused],
    ['feeds', status.cursors.map(({ feed, after, length }) => `${feed} ${after}/${length ?? '?'}`).join(', ') || null],
    ['receipts', acknowledgedSentence(status)],
    ['checkpoint', status.checkpoint === null ? null : `${status.checkpoint.size} ${status.checkpoint.root}`],
    ...status.key_changes.map((change) => [`${change.use} key changed`, { lines: keyLines(change) }] as const),
    ['refused of ours', refuses.length === 0 ? null : { lines: refuses }],
    ['last contact', status.last_contact_at],
    ['next attempt', status.next_attempt_at],
    ['clock', status.clock_skew_ms === null ? null : skewText(status.clock_skew_ms)],
    ['last refusals', verdicts.length === 0 ? null : { lines: verdicts }],
  ];
}

function skewText(ms: number): string {
  return `${Math.abs(ms)} ms ${ms < 0 ? 'behind' : 'ahead of'} ours`;
}
