/** The audit log on its way to those who watch: sinks of the configuration, and the digests that they are sent. */

import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { readPrivateFile, readSecretFile } from '../config/secret-file.ts';
import type { SinkConfig } from '../config/sink-settings.ts';
import { err, ok, type Result } from '../core/result.ts';
import { HOUR_MS } from '../core/time.ts';
import type { SinkState } from '../journal/sink-records.ts';
import { type AuditBell, createAuditBell } from '../observe/audit-bell.ts';
import { createHttpClient, type TlsFiles } from '../outbound/http-client.ts';
import { Digests } from '../siem/digests.ts';
import { Exporting, type ExportTarget } from '../siem/exporting.ts';
import { createJsonlSink } from '../siem/jsonl-sink.ts';
import { createOtlpSink } from '../siem/otlp-sink.ts';
import { DIGEST_EVENT, type SiemNode } from '../siem/siem-event.ts';
import type { Sink } from '../siem/sink.ts';
import { createSplunkSink } from '../siem/splunk-sink.ts';
import { createSyslogSink } from '../siem/syslog-sink.ts';
import { createWebhookSink, webhookSigner } from '../siem/webhook-sink.ts';
import { type Base, StartError } from './base.ts';
import { VERSION } from './version.ts';

const RETRY_MS = 1_000;
const SYSLOG_TIMEOUT_MS = 30_000;
const SYSLOG_PORT = 6_514;
const INDEXER_ACK_MS = 60_000;
const MAX_PEM_BYTES = 1_048_576;
const MAX_HEADERS_BYTES = 16_384;

export interface Siem {
  readonly exporting: Exporting;
  readonly digests: Digests;
  /** Rings when the place of a sink has moved. */
  readonly acks: AuditBell;
}

/** @throws StartError for files that cannot be read */
export async function startSiem(base: Base, owned: AsyncDisposableStack): Promise<Siem> {
  const { config, events, logger, writer, reader, nowMs } = base;
  const node: SiemNode = { nodeId: config.nodeId, authority: config.authority, version: VERSION };
  const targets = config.sinks.map((sink) => targetOf(base, sink));
  for (const { name, start } of config.sinks) await writer.openSink(name, start);
  const auditLines = (after: number, limit: number, maxBytes: number): ReturnType<typeof reader.auditLines> =>
    reader.auditLines(after, limit, maxBytes);
  const opened = async (name: string): Promise<SinkState> => {
    const state = await writer.sinkState(name);
    if (state === null) throw new Error(`sink ${name} has no place in the log`);
    return state;
  };
  const onError = (error: unknown): void => {
    // While the restore guard holds the journal nothing is signed: the digest comes when it is cleared.
    if (error instanceof Error && 'code' in error && error.code === 'guarded') return;
    logger.error({ err: error }, 'the audit log cannot be sent on');
  };
  const acks = createAuditBell();
  const exporting = new Exporting(
    {
      journal: {
        auditLines,
        sinkState: opened,
        ackSink: async (name, from, to) => {
          const isMoved = await writer.ackSink(name, from, to);
          acks.ring(to);
          return isMoved;
        },
        failSink: (name, at, error) => writer.failSink(name, at, error),
        moveSink: (name, move, by) => writer.moveSink(name, move, by),
      },
      node,
      audits: base.audits,
      nowMs,
      retryMs: RETRY_MS,
      onDelivered: (sink, count) => events.exported(sink, count),
      onFailed: (sink, { code, message }, attempts) => events.exportFailed(sink, code, message, attempts),
      onGap: (sink, seq) => events.exportGap(sink, seq, 'refused'),
      onError,
    },
    targets,
  );
  const digests = new Digests({
    journal: {
      auditLines,
      head: () => writer.head(),
      sinkState: opened,
      recordDigest: (digest) => writer.recordDigest(digest),
      newestDigest: () => newestDigest(base),
    },
    node,
    sinks: config.sinks,
    everyMs: HOUR_MS,
    nowMs,
    onError,
  });
  exporting.start();
  // Who sends nothing on needs no digests in its log.
  if (targets.length > 0) digests.start();
  owned.defer(async () => {
    await digests.stop();
    await exporting.stop();
  });
  return { exporting, digests, acks };
}

async function newestDigest({ reader }: Base): Promise<{ last: number; atMs: number } | null> {
  const { records } = await reader.auditPage({ event: DIGEST_EVENT, order: 'desc', limit: 1 });
  const [newest] = records;
  return newest === undefined ? null : { last: Number(newest.detail['last']), atMs: Date.parse(newest.at) };
}

function targetOf({ config, nowMs }: Base, settings: SinkConfig): ExportTarget {
  const { name, format, withRecord, batch, minSeverity, events } = settings;
  return { name, format, withRecord, batch, minSeverity, events, sink: sinkOf(config, settings, nowMs) };
}

function sinkOf(config: Config, settings: SinkConfig, nowMs: () => number): Sink {
  const { kind, url, format, path, rotateBytes, indexerAck } = settings;
  if (kind === 'file') return createJsonlSink({ path, maxBytes: rotateBytes });
  const tls = tlsOf(settings);
  const { allowed } = config.network;
  if (kind === 'syslog') {
    const { hostname, port } = new URL(url);
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    return createSyslogSink({
      host,
      port: port === '' ? SYSLOG_PORT : Number(port),
      tls,
      allowed,
      timeoutMs: SYSLOG_TIMEOUT_MS,
    });
  }
  // Connections of its own: another sink's certificate is not shown here.
  const http = createHttpClient(allowed, undefined, tls);
  if (kind === 'otlp') return createOtlpSink({ http, url, headers: headersOf(settings) });
  const secret = required(settings, readSecretFile(settings.secretFile ?? '', `the secret of sink ${settings.name}`));
  if (kind === 'splunk')
    return createSplunkSink({ http, url, token: secret, format, ack: indexerAck, ackMs: INDEXER_ACK_MS });
  const signer = webhookSigner(secret);
  if (!signer.ok) throw new StartError([secretProblem(settings)]);
  return createWebhookSink({ http, url, format, signer: signer.value, nowMs });
}

function tlsOf({ name, caFile, certFile, keyFile }: SinkConfig): TlsFiles {
  return {
    ...(caFile === null ? {} : { ca: pem(name, caFile) }),
    ...(certFile === null ? {} : { cert: pem(name, certFile) }),
    ...(keyFile === null
      ? {}
      : { key: requiredPart(readPrivateFile(keyFile, `the key of sink ${name}`, MAX_PEM_BYTES)) }),
  };
}

function pem(sink: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `sink ${sink}: expected a PEM file, got ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new StartError([{ where: path, key: 'sink', message, fix: 'Put it there, or correct the path.' }]);
  }
}

/** Lines `name: value`. What stands in them is never part of an error. */
function headersOf({ name, secretFile }: SinkConfig): Readonly<Record<string, string>> {
  if (secretFile === null) return {};
  const text = requiredPart(readPrivateFile(secretFile, `the headers of sink ${name}`, MAX_HEADERS_BYTES));
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  const pairs = lines.map((line) => /^([A-Za-z0-9-]+):[ \t]*([\u0020-\u007e]+)$/.exec(line));
  if (pairs.includes(null)) {
    const message = `sink ${name}: expected lines such as "authorization: Bearer …", got another line`;
    throw new StartError([
      { where: secretFile, key: 'sink.secret_file', message, fix: 'Write one header in each line.' },
    ]);
  }
  return Object.fromEntries(
    pairs.flatMap((pair) => (pair === null ? [] : [[String(pair[1]).toLowerCase(), String(pair[2])]])),
  );
}

function secretProblem({ name, secretFile }: SinkConfig): ConfigProblem {
  const message = `sink ${name}: expected whsec_ and 24 to 64 bytes in base64, or whsk_ and an Ed25519 seed, got something else`;
  const fix = 'Make one: printf "whsec_%s\\n" "$(openssl rand -base64 32)"';
  return { where: secretFile ?? 'config.toml', key: 'sink.secret_file', message, fix };
}

function required(settings: SinkConfig, read: Result<string, ConfigProblem>): string {
  const checked =
    read.ok && !/^[\u0021-\u007e]+$/.test(read.value) ? err(secretProblem(settings)) : read.ok ? ok(read.value) : read;
  return requiredPart(checked);
}

function requiredPart(read: Result<string, ConfigProblem>): string {
  if (read.ok) return read.value;
  throw new StartError([read.error]);
}
