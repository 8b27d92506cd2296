/** Programs of others that verify a published log: Tessera's fsck, and Go's own module database code. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { goProgram } from './go-program.ts';
import { type Ends, serverFolder } from './server.ts';

const CHECK_MS = 60_000;
const run = promisify(execFile);

export interface FsckVerdict {
  readonly ok: boolean;
  readonly version: string;
  readonly output: string;
}

/**
 * Checks a whole log with Tessera's fsck.
 *
 * @param log  a folder, or an http(s) URL, with `checkpoint` and `tile/…`
 * @param vkey Ed25519 verifier key of the log
 */
export async function tesseraFsck(ends: Ends, log: string, vkey: string): Promise<FsckVerdict> {
  const { path, version } = await goProgram('tessera-fsck');
  const keyFile = join(serverFolder(ends).folder, 'log.vkey');
  writeFileSync(keyFile, vkey);
  const url = /^https?:/.test(log) ? log : pathToFileURL(log).href;
  // with one worker it can wait for itself for ever; and it exits with 0 whatever it found
  const args = [`--storage_url=${url}/`, `--public_key=${keyFile}`, '--ui=false', '--N=4', '--logtostderr'];
  const { stdout, stderr } = await run(path, args, { timeout: CHECK_MS });
  const output = `${stdout}${stderr}`;
  return { ok: output.includes("Successfully fsck'd"), version, output };
}

export interface SumdbVerdict {
  readonly ok?: true;
  readonly error?: string;
  readonly checkpoint?: { readonly origin: string; readonly size: number; readonly root: string };
  readonly leaves?: number;
  /** base64; of the log at the older size that was asked for */
  readonly old_root?: string;
}

/**
 * Verifies a published log: the note, all tiles, inclusion of every entry, consistency from an older size.
 *
 * @param log as for {@link tesseraFsck}
 */
export function sumdbCheckLog(log: string, vkey: string, oldSize = 0): Promise<SumdbVerdict> {
  return sumdbCheck(['log', '-vkey', vkey, '-old', String(oldSize), log]);
}

/** Verifies a `c2sp.org/tlog-proof@v1` text for the bytes of one leaf. */
export function sumdbCheckProof(ends: Ends, proof: string, vkey: string, leaf: Uint8Array): Promise<SumdbVerdict> {
  const { folder } = serverFolder(ends);
  const [proofFile, leafFile] = [join(folder, 'proof'), join(folder, 'leaf')];
  writeFileSync(proofFile, proof);
  writeFileSync(leafFile, leaf);
  return sumdbCheck(['proof', '-vkey', vkey, '-entry', leafFile, proofFile]);
}

async function sumdbCheck(args: readonly string[]): Promise<SumdbVerdict> {
  const { path } = await goProgram('sumdb-check');
  const { stdout } = await run(path, args, { timeout: CHECK_MS }).catch(
    (error: { code?: unknown; stdout?: string }) => {
      if (error.code !== 1 || error.stdout === undefined) throw error;
      return { stdout: error.stdout };
    },
  );
  return JSON.parse(stdout);
}
