import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goProgram } from './go-program.ts';
import { answers, type Ends, freePorts, Server, serverFolder } from './server.ts';
import { keyLogId, type TrustedRootJson, trustedRoot } from './trusted-root.ts';

/** All but searchIndex, which wants Redis. */
const ENDPOINTS = [
  'getLogInfo',
  'getPublicKey',
  'getLogProof',
  'createLogEntry',
  'getLogEntryByIndex',
  'getLogEntryByUUID',
  'searchLogQuery',
];

/** A Rekor v1 server over Trillian with in-memory storage. */
export interface RekorV1 {
  /** without a slash at the end; `POST <url>/api/v1/log/entries` */
  readonly url: string;
  readonly version: string;
  /** First line of its checkpoints, `<host> - <tree id>`. */
  readonly origin: string;
  /** ECDSA P-256; signs checkpoints, under the host's name, and entry timestamps */
  readonly publicKey: KeyObject;
  /** 32 bytes */
  readonly logId: Uint8Array;
  readonly trustedRoot: TrustedRootJson;
  /** The HTTP server. The log outlives it: it is in another process until the test ends. */
  readonly server: Server;
}

/** Builds it if need be, starts it with an empty log and a key of its own, and ends it with the test. */
export async function startRekorV1(ends: Ends): Promise<RekorV1> {
  const { path, version } = await goProgram('rekor-v1');
  const { folder, add } = serverFolder(ends);
  const [http = 0, grpc = 0] = await freePorts(2);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const keyFile = join(folder, 'key.pem');
  writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  const treeId = await startTrillian(path, grpc, add);
  const url = `http://127.0.0.1:${http}`;
  const flags = {
    'rekor_server.address': '127.0.0.1',
    'rekor_server.hostname': '127.0.0.1',
    'rekor_server.signer': keyFile,
    port: http,
    'trillian_log_server.address': '127.0.0.1',
    'trillian_log_server.port': grpc,
    'trillian_log_server.tlog_id': treeId,
    enable_retrieve_api: false,
    enabled_api_endpoints: ENDPOINTS.join(','),
  };
  const args = ['serve', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
  const server = add(new Server({ name: 'rekor-server', path, args, ready: () => answers(`${url}/api/v1/log`) }));
  await server.start();
  const logId = keyLogId(publicKey);
  const root = trustedRoot({ baseUrl: url, publicKey, keyDetails: 'PKIX_ECDSA_P256_SHA_256', logId });
  return { url, version, origin: `127.0.0.1 - ${treeId}`, publicKey, logId, trustedRoot: root, server };
}

async function startTrillian(path: string, port: number, add: (server: Server) => Server): Promise<string> {
  let treeId: string | undefined;
  const ready = async (output: string): Promise<void> => {
    treeId = /"tree_id":"(\d+)"/.exec(output)?.[1];
    if (treeId === undefined) throw new Error('no tree yet');
  };
  await add(new Server({ name: 'trillian', path, args: ['trillian', '-address', `127.0.0.1:${port}`], ready })).start();
  return treeId ?? '';
}
