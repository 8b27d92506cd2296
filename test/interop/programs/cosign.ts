import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goProgram } from './go-program.ts';
import { type Ends, serverFolder } from './server.ts';

const VERIFY_MS = 60_000;
const run = promisify(execFile);

export interface BlobToVerify {
  /** what was signed */
  readonly blob: string | Uint8Array;
  /** SPKI DER */
  readonly publicKey: Uint8Array;
  /** Sigstore bundle, JSON of version 0.3 */
  readonly bundle: object;
  /** JSON */
  readonly trustedRoot: object;
}

export interface CosignVerdict {
  readonly ok: boolean;
  readonly output: string;
  readonly version: string;
}

/** Verifies a signature and its entry in a log with `cosign verify-blob`, offline. Builds cosign if need be. */
export async function cosignVerifyBlob(ends: Ends, blob: BlobToVerify): Promise<CosignVerdict> {
  const { path, version } = await goProgram('cosign');
  const { folder } = serverFolder(ends);
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const key = createPublicKey({ key: Buffer.from(blob.publicKey), format: 'der', type: 'spki' });
  const keyFile = file('key.pem', key.export({ format: 'pem', type: 'spki' }));
  const bundleFile = file('bundle.json', JSON.stringify(blob.bundle));
  const rootFile = file('root.json', JSON.stringify(blob.trustedRoot));
  const args = ['verify-blob', '--key', keyFile, '--bundle', bundleFile, '--trusted-root', rootFile];
  // a home of its own: nothing of the user's cache of trust roots
  const env = { ...process.env, HOME: folder, TUF_ROOT: join(folder, 'tuf') };
  try {
    const { stdout, stderr } = await run(path, [...args, file('blob', blob.blob)], { timeout: VERIFY_MS, env });
    return { ok: true, output: stdout + stderr, version };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { ok: false, output: stdout + stderr, version };
  }
}
