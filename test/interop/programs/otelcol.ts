/** An OpenTelemetry collector that takes logs over OTLP/HTTP and writes what it took into a file, as it understood it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { goProgram } from './go-program.ts';
import { type Ends, freePorts, Server, serverFolder } from './server.ts';

export interface OtelLog {
  readonly timeUnixNano: string;
  readonly severityNumber: number;
  readonly eventName?: string;
  readonly body: { readonly stringValue: string };
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, string>> }[];
}

export interface Otelcol {
  readonly url: string;
  readonly server: Server;
  logs(): readonly OtelLog[];
}

export async function startOtelcol(ends: Ends): Promise<Otelcol> {
  const { path } = await goProgram('otelcol');
  const { folder, add } = serverFolder(ends);
  const [port = 0] = await freePorts(1);
  const [config, out] = [join(folder, 'config.yaml'), join(folder, 'logs.jsonl')];
  writeFileSync(config, configuration(port, out));
  const args = ['--config', `file:${config}`];
  const server = add(new Server({ name: 'otelcol', path, args, ready: () => listens(port) }));
  await server.start();
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    logs: () => (existsSync(out) ? logsIn(readFileSync(out, 'utf8')) : []),
  };
}

function configuration(port: number, out: string): string {
  return `receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${port}
exporters:
  file:
    path: ${out}
    append: true
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    logs:
      receivers: [otlp]
      exporters: [file]
`;
}

function logsIn(text: string): OtelLog[] {
  type Request = { resourceLogs: { scopeLogs: { logRecords: OtelLog[] }[] }[] };
  // The last line may be one that is being written.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const requests = whole.split('\n').filter((line) => line !== '');
  return requests.flatMap((line) =>
    (JSON.parse(line) as Request).resourceLogs.flatMap(({ scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords),
    ),
  );
}

function listens(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}
