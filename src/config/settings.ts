/**
 * Every setting once: its form, its default, what it means and which environment variables set it. The loader, the
 * commented `config.toml` that `init` writes and `config.example.toml` are all made from this table.
 */
import { z } from 'zod';
import {
  DEFAULT_MAX_FUTURE_SKEW_MS,
  DEFAULT_MAX_PAST_SKEW_MS,
  DEFAULT_PAGE_ENTRIES,
  MAX_PAGE_BYTES,
  MAX_PAGE_ENTRIES,
  MAX_VALUE_BYTES,
  TARGET_PAGE_BYTES,
} from '../core/limits.ts';
import {
  addressFault,
  GARDEN,
  gardenMembersFault,
  hostNameFault,
  logKeyFault,
  networkFault,
  nodeIdFault,
  urlFault,
} from './checks.ts';
import { type Fault, text, toFault } from './fault.ts';
import { ANCHOR_SECTION } from './section-anchor.ts';
import { DRILLS_SECTION } from './section-drills.ts';
import { FSCK_SECTION } from './section-fsck.ts';
import { OIDC_SECTION } from './section-oidc.ts';
import { REVIEW_SECTION } from './section-review.ts';
import { SNAPSHOT_SECTION } from './section-snapshot.ts';
import { TEE_SECTION } from './section-tee.ts';
import { TRACES_SECTION } from './section-traces.ts';
import { WORM_SECTION } from './section-worm.ts';
import { about, integer, MAX_SECONDS, type SettingKind, sectionDoc } from './setting-registry.ts';
import type { LogLevel, Settings } from './settings-form.ts';
import { SINK_TABLES } from './sink-settings.ts';
import { TOMBSTONES } from './tombstone-settings.ts';

const AT_START = 'at the next start of the daemon';
const TLS_EFFECT =
  'another path at the next start of the daemon; another file under the same path within two seconds, or at SIGHUP';
const LOG_LEVELS: readonly [LogLevel, ...LogLevel[]] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'];

const schema = z.strictObject({
  node_id: text(nodeIdFault).register(about, {
    kind: 'text',
    expected: 'a node id such as "stigmem://acme.example"',
    doc: 'Who this node is. Drawn into every fact, checkpoint and peer file: it is set by `init` and never changed.',
  }),
  gardens: z
    .array(z.string().regex(GARDEN, 'a garden name is lower-case letters, digits, dots, hyphens, at most 64'))
    .max(1_000)
    .default([])
    .register(about, {
      kind: 'list',
      expected: 'a list of garden names such as ["incident-42"]',
      doc: 'Gardens facts may be written to. Each garden of a scope is a feed of its own: company/incident-42.',
    }),
  garden_members: z.array(text(gardenMembersFault)).max(1_000).default([]).register(about, {
    kind: 'list',
    expected: 'a list such as ["incident-42 stigmem://globex.example stigmem://initech.example"]',
    doc: 'Gardens that are for these partners alone, whatever peer files grant: a garden, then node ids. A garden alone: nobody. A garden that is not listed: grants alone decide. Members still need a grant.',
  }),
  listen: z
    .strictObject({
      p2p: z.array(text(addressFault)).max(16).default(['/ip4/127.0.0.1/tcp/4101']).register(about, {
        kind: 'list',
        expected: 'a list of TCP multiaddrs such as ["/ip4/0.0.0.0/tcp/4101"]',
        doc: 'Where peers may connect. An empty list: nobody can; this node still pulls. Connections are always encrypted, and only peers with a file under peers/ are let in.',
      }),
      announce: z.array(text(addressFault)).max(16).default([]).register(about, {
        kind: 'list',
        expected: 'a list of TCP multiaddrs such as ["/dns4/peerd.acme.example/tcp/4101"]',
        doc: 'Addresses to hand to partners (`peer show self`) when they differ from where this node listens.',
      }),
    })
    .prefault({})
    .register(sectionDoc, { doc: 'Federation with peers.' }),
  api: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .register(about, {
          kind: 'text',
          expected: 'a host name or IP address such as "127.0.0.1"',
          doc: 'Where the HTTP API listens. Off loopback it needs a certificate (below) or behind_proxy = true.',
          env: ['STIGMEM_HOST'],
        }),
      port: integer(0, 65_535, 8_765).register(about, {
        kind: 'integer',
        expected: 'a port from 0 to 65535 (0: any free one)',
        doc: 'Port of the HTTP API. 0 takes any free port; `status` says which.',
        env: ['STIGMEM_PORT'],
      }),
      node_url: text(urlFault)
        .default('')
        .register(about, {
          kind: 'text',
          expected: 'a URL such as "https://peerd.acme.example", or "" for the address it listens on',
          doc: 'The URL under which others reach the API, shown in /.well-known/stigmem. Empty: where it listens.',
          env: ['STIGMEM_NODE_URL'],
        }),
      tls_cert_file: z
        .string()
        .default('')
        .register(about, {
          kind: 'text',
          expected: 'a path of a PEM file, or "" for plain HTTP',
          doc: 'Certificate chain (PEM) for HTTPS. Relative paths start at the data folder. Empty: plain HTTP.',
          env: ['STIGMEM_TLS_CERT_PATH'],
          effect: TLS_EFFECT,
        }),
      tls_key_file: z
        .string()
        .default('')
        .register(about, {
          kind: 'text',
          expected: 'a path of a PEM file, or "" for plain HTTP',
          doc: 'Private key (PEM) of that certificate; readable by its owner alone (chmod 600).',
          env: ['STIGMEM_TLS_KEY_PATH'],
          effect: TLS_EFFECT,
        }),
      tls_min_version: z.enum(['1.2', '1.3']).default('1.2').register(about, {
        kind: 'text',
        expected: '"1.2" or "1.3"',
        doc: 'Oldest version of TLS that is spoken. New files of certificate and key are taken up by themselves, or at SIGHUP.',
      }),
      allowed_hosts: z.array(text(hostNameFault)).max(64).default([]).register(about, {
        kind: 'list',
        expected: 'a list of host names such as ["peerd.acme.example"]',
        doc: 'Names besides those of the certificate and of node_url that the API answers to off loopback. A request with another name in Host is refused: it may be one that a page in a browser had pointed here.',
      }),
      behind_proxy: z.boolean().default(false).register(about, {
        kind: 'boolean',
        expected: 'true or false',
        doc: 'Your word that a proxy in front terminates TLS. Only then may the API listen off loopback without a certificate.',
      }),
    })
    .prefault({})
    .register(sectionDoc, { doc: 'HTTP API for applications, operators and auditors.' }),
  network: z
    .strictObject({
      private_key_file: z.string().default('').register(about, {
        kind: 'text',
        expected: 'a path of a libp2p swarm key, or "" for none',
        doc: 'Key of a private network (/key/swarm/psk/1.0.0/): this node speaks to nodes alone that have the same one, before any other check. All partners need it; a code to join does not hold it. Relative paths start at the data folder. Empty: peer files alone decide.',
      }),
      allow_addresses: z.array(text(networkFault)).max(64).default([]).register(about, {
        kind: 'list',
        expected: 'a list of networks such as ["10.0.0.0/8"]',
        doc: 'Where this node may connect besides: addresses that a partner names (in a code, an answer to one, a file for `peer add`) have to be public, and nothing leads to link-local addresses, metadata services of clouds, or by a name to this machine, unless they are in one of these networks.',
      }),
    })
    .prefault({})
    .register(sectionDoc, { doc: 'Connections that this node makes.' }),
  federation: z
    .strictObject({
      poll_interval_s: integer(1, 86_400, 30).register(about, {
        kind: 'integer',
        expected: 'seconds from 1 to 86400',
        doc: 'Peers tell at once when they have news; this is how often they are asked anyway.',
        env: ['STIGMEM_FEDERATION_PULL_INTERVAL_S'],
      }),
      page_entries: integer(1, MAX_PAGE_ENTRIES, DEFAULT_PAGE_ENTRIES).register(about, {
        kind: 'integer',
        expected: `a number from 1 to ${MAX_PAGE_ENTRIES}`,
        doc: 'Facts asked for in one page. Larger pages cost less per fact and more memory.',
      }),
      page_bytes: integer(65_536, MAX_PAGE_BYTES, TARGET_PAGE_BYTES).register(about, {
        kind: 'integer',
        expected: `bytes from 65536 to ${MAX_PAGE_BYTES}`,
        doc: 'Bytes of facts asked for in one page, before compression.',
      }),
      max_parallel_pulls: integer(1, 64, 8).register(about, {
        kind: 'integer',
        expected: 'a number from 1 to 64',
        doc: 'Peers pulled from at the same time.',
      }),
      refused_per_second: integer(1, 1_000_000, 50).register(about, {
        kind: 'integer',
        expected: 'a number from 1 to 1000000',
        doc: 'Refused facts of one peer that are judged in a second, in the long run. A peer that sends more is pulled from in small pages, with pauses.',
      }),
      max_future_skew_s: integer(1, MAX_SECONDS, DEFAULT_MAX_FUTURE_SKEW_MS / 1_000).register(about, {
        kind: 'integer',
        expected: `seconds from 1 to ${MAX_SECONDS}`,
        doc: 'A fact whose clock is further ahead than this is refused (hlc_future).',
        env: ['STIGMEM_FEDERATION_HLC_MAX_FUTURE_SKEW_S'],
      }),
      max_past_skew_s: integer(1, MAX_SECONDS * 100, DEFAULT_MAX_PAST_SKEW_MS / 1_000).register(about, {
        kind: 'integer',
        expected: `seconds from 1 to ${MAX_SECONDS * 100}`,
        doc: 'A fact whose clock is further behind than this is refused (hlc_past). Raise it to take in a long history.',
        env: ['STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S'],
      }),
    })
    .prefault({})
    .register(sectionDoc, { doc: 'What this node asks of its peers, and what it takes from them.' }),
  keys: z
    .strictObject({
      valid_days: integer(0, 3_650, 0).register(about, {
        kind: 'integer',
        expected: 'days from 0 to 3650; 0: until they are changed',
        doc: 'How long log, witness and anchor keys are good from when they came into use. Peers take nothing more from a log key past its end: warnings come 30, 14, 7 and 1 days before. 0: without an end.',
      }),
    })
    .prefault({})
    .register(sectionDoc, {
      doc: 'Keys that this node signs with. They are changed with `stigmem-peerd keys rotate`.',
    }),
  guard: z
    .strictObject({
      signed_heads_file: z.string().min(1).default('signed-heads.json').register(about, {
        kind: 'text',
        expected: 'a path such as "/var/lib/other-volume/signed-heads.json"',
        doc: 'Where the last signed checkpoint of each log is kept. Relative paths start at the data folder. Better on another volume, which is not restored together with the folder.',
      }),
      wait_s: integer(0, 3_600, 10).register(about, {
        kind: 'integer',
        expected: 'seconds from 0 to 3600',
        doc: 'How long a node that starts waits for its peers and witnesses to say what it has signed, before it takes writes.',
      }),
    })
    .prefault({})
    .register(sectionDoc, { doc: 'Restore guard: a node restored from an old copy never signs a second history.' }),
  tombstones: TOMBSTONES,
  witness: z
    .strictObject({
      logs: z.array(text(logKeyFault)).max(256).default([]).register(about, {
        kind: 'list',
        expected: 'a list of log keys, each "<origin>+<8 hex>+<base64>"',
        doc: 'Logs that this node cosigns beside those of its peers, by their verifier keys (C2SP vkey, Ed25519).',
      }),
      policy_file: z.string().default('').register(about, {
        kind: 'text',
        expected: 'a path of a C2SP tlog-policy, or "" for no policy',
        doc: 'Whose cosignatures this node’s own checkpoints shall have before they are served (C2SP tlog-policy). Witnesses named <authority>/witness are peers, others are reached at their URL. Relative paths start at the data folder. Empty: no policy.',
      }),
      gossip_interval_s: integer(1, 86_400, 30).register(about, {
        kind: 'integer',
        expected: 'seconds from 1 to 86400',
        doc: 'How often peers are asked for the newest checkpoints that they hold of third nodes.',
      }),
    })
    .prefault({})
    .register(sectionDoc, { doc: 'Cosignatures: on checkpoints of others, and on our own.' }),
  limits: z
    .strictObject({
      max_value_bytes: integer(1, MAX_VALUE_BYTES, MAX_VALUE_BYTES).register(about, {
        kind: 'integer',
        expected: `bytes from 1 to ${MAX_VALUE_BYTES}`,
        doc: 'Longest value of one fact, asserted here or received, in UTF-8 bytes.',
      }),
      max_connections: integer(1, 4_096, 256).register(about, {
        kind: 'integer',
        expected: 'a number from 1 to 4096',
        doc: 'Open connections of all peers together.',
      }),
      peer_mib_per_day: integer(1, 1_000_000_000, 16_384).register(about, {
        kind: 'integer',
        expected: 'MiB from 1 to 1000000000',
        doc: 'Bytes of pages that are taken from one peer in a day, refused facts among them: what a peer sends within its grant is stored. Beyond it nothing is asked for until a part of a day has passed. A restart begins anew.',
      }),
    })
    .prefault({})
    .register(sectionDoc, { doc: 'What others may make this node hold.' }),
  anchor: ANCHOR_SECTION,
  tee: TEE_SECTION,
  tlog: z
    .strictObject({
      public: z.boolean().default(false).register(about, {
        kind: 'boolean',
        expected: 'true or false',
        doc: 'Whether anybody who reaches the API may read /tlog without a key. It holds hashes alone: no fact can be learned from it, only how many there are.',
      }),
    })
    .prefault({})
    .register(sectionDoc, {
      doc: 'The published logs: checkpoints, hash tiles and salted leaf data of journal and audit log.',
    }),
  review: REVIEW_SECTION,
  oidc: OIDC_SECTION,
  sink: SINK_TABLES,
  worm: WORM_SECTION,
  snapshot: SNAPSHOT_SECTION,
  drills: DRILLS_SECTION,
  fsck: FSCK_SECTION,
  log: z
    .strictObject({
      level: z
        .enum(LOG_LEVELS)
        .default('info')
        .register(about, {
          kind: 'text',
          expected: `one of ${LOG_LEVELS.map((level) => JSON.stringify(level)).join(', ')}`,
          doc: 'Least severe line that is logged. Logs are JSON lines on standard error.',
        }),
    })
    .prefault({})
    .register(sectionDoc, { doc: 'Logs.' }),
  traces: TRACES_SECTION,
});

/** Checks a whole tree. Never throws; reports every fault, not only the first. */
export function checkSettings(
  tree: unknown,
): { readonly ok: true; readonly value: Settings } | { readonly ok: false; readonly faults: readonly Fault[] } {
  const checked = schema.safeParse(tree);
  if (checked.success) return { ok: true, value: checked.data };
  return { ok: false, faults: checked.error.issues.map(toFault) };
}

export interface SettingInfo {
  /** `api.port`; without a dot for the settings above all sections. */
  readonly key: string;
  readonly section: string | null;
  readonly name: string;
  readonly kind: SettingKind;
  readonly expected: string;
  readonly doc: string;
  readonly env: readonly string[];
  /** When a change takes effect, as a phrase. */
  readonly effect: string;
  /** Of whole numbers; null: the form says everything. */
  readonly bounds: { readonly min: number; readonly max: number } | null;
}

export interface SectionInfo {
  readonly name: string;
  readonly doc: string;
}

/** All settings in the order of the file. */
export const SETTINGS: readonly SettingInfo[] = listSettings();

/** All sections in the order of the file. */
export const SECTIONS: readonly SectionInfo[] = Object.entries(schema.shape).flatMap(([name, field]) => {
  const info = sectionDoc.get(field);
  return info === undefined ? [] : [{ name, doc: info.doc }];
});

function listSettings(): SettingInfo[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    if (!(field instanceof z.ZodPrefault)) return describe(null, name, field);
    const inner = field.unwrap();
    if (!(inner instanceof z.ZodObject)) return [];
    return Object.entries(inner.shape).flatMap(([key, value]) => describe(name, key, value));
  });
}

function describe(section: string | null, name: string, field: z.core.$ZodType): SettingInfo[] {
  const info = about.get(field);
  if (info === undefined) return [];
  const key = section === null ? name : `${section}.${name}`;
  // Who a node is stands in its folder alone: a variable left over in a shell must not make it somebody else.
  const own = key === 'node_id' ? [] : [`STIGMEM_PEERD_${key.replace('.', '_').toUpperCase()}`];
  const { kind, expected, doc } = info;
  const env = [...own, ...(info.env ?? [])];
  return [{ key, section, name, kind, expected, doc, env, effect: info.effect ?? AT_START, bounds: boundsOf(field) }];
}

function boundsOf(field: z.core.$ZodType): SettingInfo['bounds'] {
  const inner = field instanceof z.ZodDefault ? field.unwrap() : field;
  if (!(inner instanceof z.ZodNumber)) return null;
  const { minValue, maxValue } = inner;
  return minValue === null || maxValue === null ? null : { min: minValue, max: maxValue };
}
