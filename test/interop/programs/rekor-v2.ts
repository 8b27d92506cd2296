import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goProgram } from './go-program.ts';
import { answers, type Ends, freePorts, Server, serverFolder } from './server.ts';
import { noteLogId, type TrustedRootJson, trustedRoot } from './trusted-root.ts';

/** A Rekor v2 server (rekor-tiles) with its log in a folder. */
export interface RekorV2 {
  /** without a slash at the end; `POST <url>/api/v2/log/entries` */
  readonly url: string;
  readonly version: string;
  /** Name of the log in its checkpoints. It is the host of {@link url}, as clients look for it there. */
  readonly origin: string;
  /** Ed25519 */
  readonly publicKey: KeyObject;
  /** 32 bytes */
  readonly logId: Uint8Array;
  /** The published log as files: `checkpoint`, `tile/…`. */
  readonly logFolder: string;
  readonly trustedRoot: TrustedRootJson;
  readonly server: Server;
}

/** Builds it if need be, starts it with an empty log and a key of its own, and ends it with the test. */
export async function startRekorV2(ends: Ends): Promise<RekorV2> {
  const { path, version } = await goProgram('rekor-tiles');
  const { folder, add } = serverFolder(ends);
  const [http = 0, grpc = 0, metrics = 0] = await freePorts(3);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const keyFile = join(folder, 'key.pem');
  writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  const logFolder = join(folder, 'log');
  mkdirSync(logFolder);
  const url = `http://127.0.0.1:${http}`;
  const origin = '127.0.0.1';
  const flags = {
    'http-address': '127.0.0.1',
    'http-port': http,
    'http-metrics-port': metrics,
    'grpc-address': '127.0.0.1',
    'grpc-port': grpc,
    hostname: origin,
    'storage-dir': logFolder,
    'signer-filepath': keyFile,
    'checkpoint-interval': '100ms',
    'batch-max-age': '50ms',
    'persistent-antispam': true,
    'tlog-timeout': '5s',
  };
  const args = ['serve', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
  const server = add(new Server({ name: 'rekor-tiles', path, args, ready: () => answers(`${url}/healthz`) }));
  await server.start();
  const logId = noteLogId(origin, publicKey);
  const root = trustedRoot({ baseUrl: url, publicKey, keyDetails: 'PKIX_ED25519', logId });
  return { url, version, origin, publicKey, logId, logFolder, trustedRoot: root, server };
}
