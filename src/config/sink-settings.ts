/** The `[[sink]]` tables: who receives the audit log, and how. */
import { isAbsolute, join, normalize } from 'node:path';
import { z } from 'zod';
import { SEVERITIES, type Severity } from '../core/severity.ts';
import { MAX_SINKS, SINK_FORMATS, SINK_KINDS, SINK_NAME, type SinkFormat, type SinkKind } from '../core/sink.ts';
import { isLoopback } from './checks.ts';

/** A table as it is written. */
export interface SinkSettings {
  readonly name: string;
  readonly kind: SinkKind;
  readonly format: SinkFormat;
  readonly path: string;
  readonly url: string;
  readonly min_severity: Severity;
  readonly events: readonly string[];
  readonly with_record: boolean;
  readonly start: 'beginning' | 'now';
  readonly batch: number;
  readonly secret_file: string;
  readonly ca_file: string;
  readonly cert_file: string;
  readonly key_file: string;
  readonly rotate_mib: number;
  readonly indexer_ack: boolean;
}

export interface SinkConfig {
  readonly name: string;
  readonly kind: SinkKind;
  readonly format: SinkFormat;
  /** Of a file; empty for the others. */
  readonly path: string;
  /** Without a slash at the end; empty for a file. */
  readonly url: string;
  readonly minSeverity: Severity;
  readonly events: readonly string[];
  readonly withRecord: boolean;
  readonly start: 'beginning' | 'now';
  readonly batch: number;
  /** Files, absolute or relative to where the process runs if the data folder is; null: none. */
  readonly secretFile: string | null;
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly rotateBytes: number;
  readonly indexerAck: boolean;
}

export interface SinkSettingInfo {
  readonly name: keyof SinkSettings;
  readonly expected: string;
  readonly doc: string;
  /** As it stands in the example. */
  readonly example: string | number | boolean | readonly string[];
}

/** Every key of a table, in the order in which they are explained. */
export const SINK_SETTINGS: readonly SinkSettingInfo[] = [
  {
    name: 'name',
    expected: 'a name such as "archive": lower-case letters, digits, hyphens, at most 32',
    doc: 'Names the sink in the API, in metrics and in records. Its place in the log belongs to this name: another name begins anew.',
    example: 'archive',
  },
  {
    name: 'kind',
    expected: `one of ${list(SINK_KINDS)}`,
    doc: 'file: JSON lines; webhook: signed POSTs; syslog: RFC 5424 over TLS; otlp: OpenTelemetry logs over HTTP; splunk: HTTP Event Collector.',
    example: 'file',
  },
  {
    name: 'format',
    expected: `one of ${list(SINK_FORMATS)}`,
    doc: 'record: the audit record itself, whose hash a receiver can compute; ocsf, ecs: documents of these schemas; cef: a line of text.',
    example: 'record',
  },
  {
    name: 'path',
    expected: 'a path of a file',
    doc: 'Of a file. Relative paths start at the data folder; another volume is better. No two sinks have the same.',
    example: 'export/audit.jsonl',
  },
  {
    name: 'url',
    expected: 'a URL such as "https://siem.acme.example", for syslog "tls://siem.acme.example:6514"',
    doc: 'Where the others are. http:// is taken for this machine alone. Redirects are not followed.',
    example: '',
  },
  {
    name: 'min_severity',
    expected: `one of ${list(SEVERITIES)}`,
    doc: 'Least severe record that is sent. Digests and gaps always are.',
    example: 'info',
  },
  {
    name: 'events',
    expected: 'a list of names of events such as ["federation_integrity_rejected"]',
    doc: 'Only these events; an empty list: all.',
    example: [],
  },
  {
    name: 'with_record',
    expected: 'true or false',
    doc: 'Whether ocsf, ecs and cef hold the audit record as well. It may quote what a partner sent, up to 512 characters of each text.',
    example: false,
  },
  {
    name: 'start',
    expected: '"beginning" or "now"',
    doc: 'Where a sink that is new begins: at the first record, or at what comes next.',
    example: 'beginning',
  },
  { name: 'batch', expected: 'a number from 1 to 1000', doc: 'Records of one delivery at most.', example: 100 },
  {
    name: 'secret_file',
    expected: 'a path of a file',
    doc: 'webhook: whsec_… (HMAC) or whsk_… (Ed25519), Standard Webhooks; splunk: the token; otlp: lines of headers such as "authorization: Bearer …". Readable by its owner alone (chmod 600).',
    example: '',
  },
  {
    name: 'ca_file',
    expected: 'a path of a PEM file, or ""',
    doc: 'Authorities that the receiver’s certificate is checked with. Empty: those of this system.',
    example: '',
  },
  {
    name: 'cert_file',
    expected: 'a path of a PEM file, or ""',
    doc: 'Certificate that this node shows to the receiver.',
    example: '',
  },
  {
    name: 'key_file',
    expected: 'a path of a PEM file, or ""',
    doc: 'Its private key; readable by its owner alone.',
    example: '',
  },
  {
    name: 'rotate_mib',
    expected: 'MiB from 1 to 1048576',
    doc: 'A file that would grow beyond this is put aside, as NAME.upto-SEQUENCE. None is ever deleted.',
    example: 64,
  },
  {
    name: 'indexer_ack',
    expected: 'true or false',
    doc: 'splunk: a delivery counts when an indexer has acknowledged it. The token needs it on.',
    example: false,
  },
];

const MAX_EVENTS = 64;
const EVENT = /^[a-z][a-z0-9_]{0,63}$/;
const path = z.string().max(4_096).default('');

const TABLE = z
  .strictObject({
    name: z.string().regex(SINK_NAME),
    kind: z.enum(SINK_KINDS),
    format: z.enum(SINK_FORMATS).default('record'),
    path,
    url: path,
    min_severity: z.enum(SEVERITIES).default('info'),
    events: z.array(z.string().regex(EVENT)).max(MAX_EVENTS).default([]),
    with_record: z.boolean().default(false),
    start: z.enum(['beginning', 'now']).default('beginning'),
    batch: z.int().min(1).max(1_000).default(100),
    secret_file: path,
    ca_file: path,
    cert_file: path,
    key_file: path,
    rotate_mib: z.int().min(1).max(1_048_576).default(64),
    indexer_ack: z.boolean().default(false),
  })
  .superRefine((table, ctx) => {
    for (const [key, message] of tableFaults(table))
      ctx.addIssue({ code: 'custom', path: [key], message, input: table[key] });
  });

export const SINK_TABLES: z.ZodType<readonly SinkSettings[]> = z
  .array(TABLE)
  .max(MAX_SINKS)
  .superRefine((tables, ctx) => {
    // Two that write to one file would each take the other's half-written lines for torn ones, and cut them off.
    const own = { name: tables.map(({ name }) => name), path: tables.map(({ path: file }) => normalize(file)) };
    for (const [key, values] of Object.entries(own)) {
      const twice = values.findIndex((value, i) => value !== NO_PATH && values.indexOf(value) !== i);
      if (twice !== -1)
        ctx.addIssue({ code: 'custom', path: [twice, key], message: 'another sink has it', input: values[twice] });
    }
  })
  .default([]);

/** As `normalize` gives an empty one. */
const NO_PATH = '.';

type TableFault = readonly [key: keyof SinkSettings, message: string];

function tableFaults(table: SinkSettings): readonly TableFault[] {
  const { kind, path: file, url, secret_file, cert_file, key_file, format } = table;
  const faults: TableFault[] = [];
  if (kind === 'file') {
    if (file === '') faults.push(['path', 'a file needs one']);
    if (url !== '') faults.push(['url', 'a file has none']);
  } else {
    if (file !== '') faults.push(['path', `only a file has one, and this is ${kind}`]);
    const fault = urlFaultOf(kind, url);
    if (fault !== null) faults.push(['url', fault]);
  }
  if ((kind === 'webhook' || kind === 'splunk') && secret_file === '')
    faults.push(['secret_file', `${kind} needs one`]);
  if ((cert_file === '') !== (key_file === ''))
    faults.push([cert_file === '' ? 'cert_file' : 'key_file', 'a certificate and its key go together']);
  if (kind === 'file' && format === 'cef') faults.push(['format', 'a file has JSON lines: record, ocsf or ecs']);
  return faults;
}

/** Records must not cross a network in the clear. */
function urlFaultOf(kind: Exclude<SinkKind, 'file'>, text: string): string | null {
  const url = URL.parse(text);
  if (url === null || url.search !== '' || url.hash !== '') return `${kind} needs one, without query and fragment`;
  if (url.username !== '' || url.password !== '') return 'names and passwords are not part of it: use secret_file';
  if (kind === 'syslog') {
    const isBare = url.pathname === '' || url.pathname === '/';
    return url.protocol === 'tls:' && url.hostname !== '' && isBare ? null : 'it is tls://HOST:PORT';
  }
  if (url.protocol === 'https:') return null;
  return url.protocol === 'http:' && isLoopback(url.hostname) ? null : 'it starts with https://, or is on this machine';
}

/** The tables of checked settings. */
export function sinkConfigs(dir: string, tables: readonly SinkSettings[]): readonly SinkConfig[] {
  const inDir = (file: string): string => (isAbsolute(file) ? file : join(dir, file));
  const fileOf = (file: string): string | null => (file === '' ? null : inDir(file));
  return tables.map((table) => ({
    name: table.name,
    kind: table.kind,
    format: table.format,
    path: table.path === '' ? '' : inDir(table.path),
    url: table.url.replace(/\/+$/, ''),
    minSeverity: table.min_severity,
    events: table.events,
    withRecord: table.with_record,
    start: table.start,
    batch: table.batch,
    secretFile: fileOf(table.secret_file),
    caFile: fileOf(table.ca_file),
    certFile: fileOf(table.cert_file),
    keyFile: fileOf(table.key_file),
    rotateBytes: table.rotate_mib * 1_048_576,
    indexerAck: table.indexer_ack,
  }));
}

function list(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(', ');
}
