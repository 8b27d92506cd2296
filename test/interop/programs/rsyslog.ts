/** rsyslog of Debian over TLS, with a queue that outlives its end: what it takes stands in a file, a line for each message, in the parts that it read. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { selfSigned } from '../../support/self-signed.ts';
import { type Ends, freePorts, Server, serverFolder } from './server.ts';

export interface SyslogMessage {
  readonly pri: string;
  readonly time: string;
  readonly host: string;
  readonly app: string;
  readonly msgid: string;
  readonly data: string;
  readonly msg: string;
}

export interface Rsyslog {
  /** `tls://localhost:PORT` */
  readonly url: string;
  /** Whom to trust. */
  readonly caFile: string;
  readonly server: Server;
  messages(): readonly SyslogMessage[];
}

const PATH = '/usr/sbin/rsyslogd';
/** No part holds a tab: what arrives is printable. */
const TEMPLATE =
  '%pri%\\t%timereported:::date-rfc3339%\\t%hostname%\\t%app-name%\\t%msgid%\\t%structured-data%\\t%msg%\\n';

/** Starts it, and ends it with the test. It is stopped and started again on the same port and file. */
export async function startRsyslog(ends: Ends): Promise<Rsyslog> {
  const { folder, add } = serverFolder(ends);
  const [port = 0] = await freePorts(1);
  const { cert, key } = selfSigned();
  const [certFile, keyFile, out] = [join(folder, 'cert.pem'), join(folder, 'key.pem'), join(folder, 'messages')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  const config = join(folder, 'rsyslog.conf');
  writeFileSync(config, configuration({ folder, port, certFile, keyFile, out }));
  const args = ['-n', '-f', config, '-i', join(folder, 'pid')];
  const server = add(new Server({ name: 'rsyslogd', path: PATH, args, ready: () => listens(port) }));
  await server.start();
  return {
    url: `tls://localhost:${port}`,
    caFile: certFile,
    server,
    messages: () => (existsSync(out) ? linesOf(readFileSync(out, 'utf8')) : []),
  };
}

function linesOf(text: string): SyslogMessage[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [pri = '', time = '', host = '', app = '', msgid = '', data = '', msg = ''] = line.split('\t');
    return { pri, time, host, app, msgid, data, msg };
  });
}

function configuration(at: { folder: string; port: number; certFile: string; keyFile: string; out: string }): string {
  const { folder, port, certFile, keyFile, out } = at;
  return `
global(workDirectory="${folder}" maxMessageSize="64k" defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="${certFile}" defaultNetstreamDriverCertFile="${certFile}" defaultNetstreamDriverKeyFile="${keyFile}")
main_queue(queue.type="LinkedList" queue.filename="main" queue.saveOnShutdown="on" queue.timeoutShutdown="10000")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="parts" type="string" string="${TEMPLATE}")
input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="kept")
ruleset(name="kept") { action(type="omfile" file="${out}" template="parts" sync="on") }
`;
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
