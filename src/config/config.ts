/** From a data folder, an environment and flags to one frozen Config, or to everything that is wrong with them. */

import { isAbsolute, join } from 'node:path';
import { type Network, readNetwork } from '../core/address.ts';
import { type ReviewedAction, withCovered } from '../core/approval.ts';
import type { DrillKind } from '../core/drill.ts';
import { authorityOf } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import { DAY_MS, HOUR_MS } from '../core/time.ts';
import type { AnchorBackendName } from '../merkle/anchor-receipt.ts';
import {
  backupContradictions,
  type SnapshotConfig,
  snapshotConfig,
  type WormConfig,
  wormConfig,
} from './backup-settings.ts';
import { isLoopback } from './checks.ts';
import { dataPaths } from './data-dir.ts';
import { explainFaults } from './fault.ts';
import { type OidcConfig, oidcConfig, oidcContradictions } from './oidc-settings.ts';
import { applyOverlay, type ConfigFlags, type Environment } from './overlay.ts';
import { type ConfigError, type ConfigProblem, shown } from './problem.ts';
import { checkSettings, SECTIONS, SETTINGS } from './settings.ts';
import type { Settings } from './settings-form.ts';
import { SINK_SETTINGS, type SinkConfig, sinkConfigs } from './sink-settings.ts';
import { parseTomlText, readTomlFile, type TomlFile, type TomlTree } from './toml-file.ts';
import { checkWitnessPolicyFile, type WitnessConfig, witnessConfig } from './witness-settings.ts';

export interface Config {
  /** Data folder, as given. */
  readonly dir: string;
  readonly nodeId: string;
  readonly authority: string;
  readonly gardens: readonly string[];
  /** Members of the gardens that have a list: garden, then node ids. */
  readonly gardenMembers: readonly (readonly [garden: string, members: readonly string[]])[];
  readonly listen: { readonly p2p: readonly string[]; readonly announce: readonly string[] };
  readonly api: {
    readonly host: string;
    /** 0: any free port. */
    readonly port: number;
    /** Null: the address it listens on. No slash at the end. */
    readonly nodeUrl: string | null;
    /** Absolute paths of PEM files; null: plain HTTP. */
    readonly tls: {
      readonly certFile: string;
      readonly keyFile: string;
      readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
    } | null;
    /** Lower-case names that the Host header may have, those of node_url among them. */
    readonly names: readonly string[];
    readonly behindProxy: boolean;
  };
  readonly network: {
    readonly allowed: readonly Network[];
    /** The same for peers. This machine is among them for a node that is reached from this machine alone. */
    readonly dialled: readonly Network[];
    /** Null: no private network. */
    readonly swarmKeyFile: string | null;
  };
  readonly federation: {
    readonly pollIntervalMs: number;
    readonly pageEntries: number;
    readonly pageBytes: number;
    readonly maxParallelPulls: number;
    readonly refusedPerSecond: number;
    readonly maxFutureSkewMs: number;
    readonly maxPastSkewMs: number;
  };
  readonly keys: {
    /** null: without an end */
    readonly validMs: number | null;
  };
  readonly tombstones: {
    readonly undoWindowMs: number;
    readonly receivedWindowMs: number;
    readonly maxPerHour: number;
  };
  readonly guard: {
    /** Absolute, or relative to where the process runs if the data folder is. */
    readonly signedHeadsFile: string;
    readonly waitMs: number;
  };
  readonly witness: WitnessConfig;
  readonly limits: {
    readonly maxValueBytes: number;
    readonly maxConnections: number;
    readonly peerBytesPerDay: number;
  };
  readonly anchor: {
    readonly backends: readonly AnchorBackendName[];
    readonly interval: number;
    readonly maxAgeMs: number;
    readonly retryMs: number;
    /** Absolute, or relative to the working directory as `dir` is. */
    readonly localPath: string;
    /** Null: no Rekor. No slash at the end. */
    readonly rekor: {
      readonly url: string;
      readonly version: 1 | 2;
      readonly readUrl: string;
      readonly trustRootFile: string;
    } | null;
  };
  readonly tee: { readonly reports: boolean };
  readonly tlog: { readonly isPublic: boolean };
  readonly review: {
    readonly fourEyes: readonly ReviewedAction[];
    readonly proposalMs: number;
    readonly namedPersons: boolean;
  };
  /** Null: people sign in with API keys alone. */
  readonly oidc: OidcConfig | null;
  readonly sinks: readonly SinkConfig[];
  /** Null: nothing is shipped. */
  readonly worm: WormConfig | null;
  /** Null: no snapshots are made by themselves. */
  readonly snapshot: SnapshotConfig | null;
  /** `everyMs` is null: none is made by itself. */
  readonly drills: {
    readonly everyMs: number | null;
    readonly kinds: readonly DrillKind[];
    readonly acknowledgeMs: number;
  };
  /** Null: everything is checked by hand only. */
  readonly fsck: { readonly everyMs: number | null };
  readonly log: { readonly level: Settings['log']['level'] };
  /** Null: no spans are made. `share`: of traces, from 0 to 1. */
  readonly traces: { readonly url: string; readonly share: number } | null;
}

/** Reads `DIR/config.toml` and puts environment and flags over it: flags > environment > file > defaults. */
export function loadConfig(dir: string, env: Environment, flags: ConfigFlags): Result<Config, ConfigError> {
  return loadConfigFile(dir, dataPaths(dir).config, env, flags);
}

/** The same for a file that stands elsewhere, such as one that is to be put in place; relative paths start at `dir`. */
export function loadConfigFile(
  dir: string,
  path: string,
  env: Environment,
  flags: ConfigFlags,
): Result<Config, ConfigError> {
  const file = readTomlFile(path);
  if (!file.ok) {
    return file.error.missing
      ? err(notInitialised(dir, path))
      : err({ code: 'invalid', problems: [file.error.problem] });
  }
  return resolveConfig(dir, path, file.value, env, flags);
}

/** The same for a text that is to stand there. */
export function loadConfigText(dir: string, path: string, text: string, env: Environment): Result<Config, ConfigError> {
  const file = parseTomlText(path, text);
  return file.ok
    ? resolveConfig(dir, path, file.value, env, {})
    : err({ code: 'invalid', problems: [file.error.problem] });
}

function notInitialised(dir: string, path: string): ConfigError {
  const message = 'expected the configuration of a node, got no such file';
  const fix = `Make a node with: stigmem-peerd init --data ${dir} --node-id stigmem://your-name.example`;
  return { code: 'not_initialised', problems: [{ where: path, key: null, message, fix }] };
}

function resolveConfig(
  dir: string,
  path: string,
  file: TomlFile,
  env: Environment,
  flags: ConfigFlags,
): Result<Config, ConfigError> {
  const tree: TomlTree = { ...file.tree };
  const { origins, problems } = applyOverlay(tree, env, flags);
  const whereIs = (key: string): string => {
    const line = file.lines.get(key);
    return origins.get(key) ?? (line === undefined ? path : `${path}:${line}`);
  };
  const checked = checkSettings(tree);
  if (!checked.ok) {
    const context = { tree, whereIs, expected: expectedAt, knownKeys: KNOWN_KEYS, reference: 'config.example.toml' };
    return err({ code: 'invalid', problems: [...problems, ...explainFaults(path, checked.faults, context)] });
  }
  const policyFile = checkWitnessPolicyFile(dir, checked.value.witness);
  const found = [
    ...problems,
    ...contradictions(checked.value, whereIs),
    ...backupContradictions(checked.value, whereIs),
    ...oidcContradictions(checked.value, whereIs),
    ...policyFile,
  ];
  return found.length > 0 ? err({ code: 'invalid', problems: found }) : ok(toConfig(dir, checked.value));
}

const SINK_KEYS: ReadonlyMap<string, string> = new Map([
  ['sink', 'tables, each written [[sink]]'],
  ...SINK_SETTINGS.map(({ name, expected }): [string, string] => [`sink.${name}`, expected]),
]);
const KNOWN_KEYS = [...SETTINGS.map(({ key }) => key), ...SECTIONS.map(({ name }) => name), ...SINK_KEYS.keys()];

function expectedAt(key: string): string {
  const setting = SETTINGS.find((candidate) => candidate.key === key)?.expected;
  return setting ?? SINK_KEYS.get(key) ?? `a section, written [${key}]`;
}

/** Rules that no single setting breaks. */
function contradictions(settings: Settings, whereIs: (key: string) => string): ConfigProblem[] {
  const { api } = settings;
  const problems: ConfigProblem[] = [];
  if ((api.tls_cert_file === '') !== (api.tls_key_file === '')) {
    const [set, missing] =
      api.tls_key_file === '' ? ['tls_cert_file', 'tls_key_file'] : ['tls_key_file', 'tls_cert_file'];
    const message = `api.${set} is set and api.${missing} is not: HTTPS needs both`;
    problems.push({
      where: whereIs(`api.${set}`),
      key: `api.${missing}`,
      message,
      fix: `Set api.${missing}, or empty both.`,
    });
  }
  if (!isLoopback(api.host) && api.tls_cert_file === '' && !api.behind_proxy) {
    problems.push({
      where: whereIs('api.host'),
      key: 'api.host',
      message: `api.host: ${shown(api.host)} can be reached from other machines, and keys would cross the network in the clear`,
      fix: 'Set api.tls_cert_file and api.tls_key_file, or api.behind_proxy = true if a proxy terminates TLS, or listen on 127.0.0.1.',
    });
  }
  const listed = settings.garden_members.map((line) => membersOf(line)[0]);
  const twice = listed.find((garden, i) => listed.indexOf(garden) !== i);
  if (twice !== undefined) {
    const message = `garden_members: expected each garden once, got ${twice} twice`;
    const where = whereIs('garden_members');
    problems.push({ where, key: 'garden_members', message, fix: 'Write its members into one text.' });
  }
  for (const key of ['rekor_url', 'rekor_trust_root'] as const) {
    if (!settings.anchor.backends.includes('rekor') || settings.anchor[key] !== '') continue;
    problems.push({
      where: whereIs('anchor.backends'),
      key: `anchor.${key}`,
      message: `anchor.backends names "rekor", and anchor.${key} is empty`,
      fix: `Set anchor.${key}, or leave "rekor" out.`,
    });
  }
  return problems;
}

function membersOf(line: string): readonly [string, readonly string[]] {
  const [garden = '', ...members] = line.split(' ');
  return [garden, members];
}

function networksOf(texts: readonly string[]): readonly Network[] {
  return texts.flatMap((text) => readNetwork(text) ?? []);
}

/** Whoever is a partner of such a node is on this machine, too. */
function isLocal(listen: readonly string[]): boolean {
  return listen.length > 0 && listen.every((address) => /^\/(ip4\/127\.|ip6\/::1\/)/.test(address));
}

function apiConfig(api: Settings['api'], inDir: (path: string) => string): Config['api'] {
  const files = { certFile: inDir(api.tls_cert_file), keyFile: inDir(api.tls_key_file) };
  return {
    host: api.host,
    port: api.port,
    nodeUrl: api.node_url === '' ? null : bare(api.node_url),
    tls: api.tls_cert_file === '' ? null : { ...files, minVersion: `TLSv${api.tls_min_version}` },
    names: [...api.allowed_hosts, ...(api.node_url === '' ? [] : [new URL(api.node_url).hostname])],
    behindProxy: api.behind_proxy,
  };
}

function toConfig(dir: string, settings: Settings): Config {
  const { anchor, api, federation, guard, keys, limits, listen, network, review, tlog, tombstones, traces } = settings;
  const allowed = networksOf(network.allow_addresses);
  const inDir = (path: string): string => (isAbsolute(path) ? path : join(dir, path));
  return deepFreeze({
    dir,
    nodeId: settings.node_id,
    authority: authorityOf(settings.node_id) ?? '',
    gardens: settings.gardens,
    gardenMembers: settings.garden_members.map(membersOf),
    listen: { p2p: listen.p2p, announce: listen.announce },
    api: apiConfig(api, inDir),
    network: {
      allowed,
      dialled: isLocal(listen.p2p) ? [...allowed, ...networksOf(['127.0.0.0/8', '::1/128'])] : allowed,
      swarmKeyFile: network.private_key_file === '' ? null : inDir(network.private_key_file),
    },
    federation: {
      pollIntervalMs: federation.poll_interval_s * 1_000,
      pageEntries: federation.page_entries,
      pageBytes: federation.page_bytes,
      maxParallelPulls: federation.max_parallel_pulls,
      refusedPerSecond: federation.refused_per_second,
      maxFutureSkewMs: federation.max_future_skew_s * 1_000,
      maxPastSkewMs: federation.max_past_skew_s * 1_000,
    },
    keys: { validMs: keys.valid_days === 0 ? null : keys.valid_days * DAY_MS },
    tombstones: {
      undoWindowMs: tombstones.undo_window_s * 1_000,
      receivedWindowMs: tombstones.received_window_s * 1_000,
      maxPerHour: tombstones.max_per_hour,
    },
    guard: { signedHeadsFile: inDir(guard.signed_heads_file), waitMs: guard.wait_s * 1_000 },
    witness: witnessConfig(dir, settings.witness),
    limits: {
      maxValueBytes: limits.max_value_bytes,
      maxConnections: limits.max_connections,
      peerBytesPerDay: limits.peer_mib_per_day * 1_048_576,
    },
    anchor: {
      backends: anchor.backends,
      interval: anchor.interval,
      maxAgeMs: anchor.max_age_s * 1_000,
      retryMs: anchor.retry_s * 1_000,
      localPath: inDir(anchor.local_path),
      rekor: rekorOf(anchor, inDir),
    },
    tee: { reports: settings.tee.reports },
    tlog: { isPublic: tlog.public },
    review: {
      fourEyes: withCovered(review.four_eyes),
      proposalMs: review.proposal_hours * HOUR_MS,
      namedPersons: review.named_persons,
    },
    oidc: oidcConfig(settings.oidc, inDir),
    sinks: sinkConfigs(dir, settings.sink),
    worm: wormConfig(settings.worm, inDir),
    snapshot: snapshotConfig(settings.snapshot, inDir),
    drills: drillsOf(settings.drills),
    fsck: { everyMs: settings.fsck.every_hours === 0 ? null : settings.fsck.every_hours * HOUR_MS },
    log: { level: settings.log.level },
    traces: tracesOf(traces),
  });
}

function drillsOf({ repeat_hours, kinds, acknowledge_hours }: Settings['drills']): Config['drills'] {
  return {
    everyMs: repeat_hours === 0 ? null : repeat_hours * HOUR_MS,
    kinds,
    acknowledgeMs: acknowledge_hours * HOUR_MS,
  };
}

function tracesOf({ otlp_url: url, sample_per_cent: perCent }: Settings['traces']): Config['traces'] {
  return url === '' ? null : { url: `${bare(url)}/v1/traces`, share: perCent / 100 };
}

function rekorOf(anchor: Settings['anchor'], inDir: (path: string) => string): Config['anchor']['rekor'] {
  if (!anchor.backends.includes('rekor')) return null;
  const url = bare(anchor.rekor_url);
  return {
    url,
    version: anchor.rekor_version === 2 ? 2 : 1,
    readUrl: anchor.rekor_read_url === '' ? `${url}/api/v2` : bare(anchor.rekor_read_url),
    trustRootFile: inDir(anchor.rekor_trust_root),
  };
}

function bare(url: string): string {
  return url.replace(/\/+$/, '');
}

function deepFreeze<T>(value: T): T {
  // Bytes cannot be frozen.
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
