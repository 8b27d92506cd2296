import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { goProgram } from './go-program.ts';
import { answers, type Ends, freePorts, Server, serverFolder } from './server.ts';

/** An S3 server (versitygw) with one empty bucket. It checks every signature. */
export interface S3 {
  /** without a slash at the end; paths are `<url>/<bucket>/<key>` */
  readonly url: string;
  readonly version: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The bucket's objects as files. */
  readonly bucketFolder: string;
  readonly server: Server;
}

/**
 * Builds it if need be, starts it, and ends it with the test.
 *
 * @param versions it keeps versions of objects in the buckets that ask for it
 */
export async function startS3(ends: Ends, versions = false): Promise<S3> {
  const { path, version } = await goProgram('versitygw');
  const { folder, add } = serverFolder(ends);
  const [port = 0] = await freePorts(1);
  const [bucket, region, accessKeyId, secretAccessKey] = ['published-log', 'eu-test-1', 'test-key', 'test-secret'];
  const [buckets, sidecar, old] = [join(folder, 'buckets'), join(folder, 'sidecar'), join(folder, 'versions')];
  const bucketFolder = join(buckets, bucket);
  mkdirSync(bucketFolder, { recursive: true });
  mkdirSync(sidecar);
  mkdirSync(old);
  const url = `http://127.0.0.1:${port}`;
  const account = ['--access', accessKeyId, '--secret', secretAccessKey, '--region', region];
  const args = ['--port', `127.0.0.1:${port}`, ...account, 'posix', '--sidecar', sidecar];
  args.push(...(versions ? ['--versioning-dir', old] : []), buckets);
  const server = add(new Server({ name: 'versitygw', path, args, ready: () => answers(url) }));
  await server.start();
  return { url, version, region, bucket, accessKeyId, secretAccessKey, bucketFolder, server };
}
