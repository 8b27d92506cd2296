/**
 * Takes a report from the kernel: configfs-tsm, the one interface to TDX, SEV-SNP and others since Linux 6.7.
 *
 * @see Linux, Documentation/ABI/testing/configfs-tsm-report
 */
import { existsSync } from 'node:fs';
import { constants, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeDecimal } from '../merkle/decimal.ts';
import { MAX_TEE_BLOB_BYTES, type TeeBlobs } from '../merkle/tee-report.ts';

export const TSM_FOLDER = '/sys/kernel/config/tsm/report';

export type TeeErrorCode = 'unavailable' | 'not_permitted' | 'failed' | 'conflict' | 'not_bound';

export class TeeError extends Error {
  override readonly name = 'TeeError';
  readonly code: TeeErrorCode;

  constructor(code: TeeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What is done to the folder, and no more. Errors have a `code` as Node's file system gives it. */
export interface TsmFolder {
  exists(): boolean;
  mkdir(name: string): Promise<void>;
  rmdir(name: string): Promise<void>;
  read(name: string, attribute: string): Promise<Buffer>;
  write(name: string, attribute: string, bytes: Uint8Array): Promise<void>;
}

export function tsmFolder(path: string): TsmFolder {
  return {
    exists: () => existsSync(path),
    mkdir: async (name) => {
      await mkdir(join(path, name));
    },
    rmdir: (name) => rmdir(join(path, name)),
    read: (name, attribute) => readFile(join(path, name, attribute)),
    // In one write, without O_CREAT: an attribute is there or it is none.
    write: (name, attribute, bytes) => writeFile(join(path, name, attribute), bytes, { flag: constants.O_WRONLY }),
  };
}

/**
 * @param name of the request's own folder: one for each caller, so that nobody else writes into it
 * @throws TeeError
 */
export async function takeTsmReport(folder: TsmFolder, name: string, nonce: Uint8Array): Promise<TeeBlobs> {
  try {
    await makeEmpty(folder, name);
    try {
      return await ask(folder, name, nonce);
    } finally {
      await folder.rmdir(name);
    }
  } catch (thrown) {
    throw thrown instanceof TeeError ? thrown : teeErrorOf(thrown);
  }
}

/** What a run that was killed left behind has its request in it. */
async function makeEmpty(folder: TsmFolder, name: string): Promise<void> {
  try {
    await folder.mkdir(name);
  } catch (thrown) {
    if (codeOf(thrown) !== 'EEXIST') throw thrown;
    await folder.rmdir(name);
    await folder.mkdir(name);
  }
}

async function ask(folder: TsmFolder, name: string, nonce: Uint8Array): Promise<TeeBlobs> {
  const before = await generationOf(folder, name);
  await folder.write(name, 'inblob', nonce);
  const outblob = bounded('outblob', await folder.read(name, 'outblob'));
  const auxblob = await optional(folder, name, 'auxblob');
  const manifestblob = await optional(folder, name, 'manifestblob');
  const provider = (await folder.read(name, 'provider')).toString('latin1').trim();
  const after = await generationOf(folder, name);
  // Whoever else writes into the request changes what is answered, and nothing but the generation shows it.
  if (after !== before + 1) {
    const message = `expected generation ${before + 1} after one write, got ${after}: what was asked for is not what was answered`;
    throw new TeeError('conflict', message);
  }
  return { provider, outblob, auxblob, manifestblob };
}

async function generationOf(folder: TsmFolder, name: string): Promise<number> {
  const text = (await folder.read(name, 'generation')).toString('latin1').trim();
  const generation = decodeDecimal(text);
  if (generation === undefined)
    throw new TeeError('failed', `expected a number in generation, got ${JSON.stringify(text)}`);
  return generation;
}

async function optional(folder: TsmFolder, name: string, attribute: string): Promise<Buffer | null> {
  try {
    const bytes = bounded(attribute, await folder.read(name, attribute));
    return bytes.length === 0 ? null : bytes;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null;
    throw thrown;
  }
}

function bounded(attribute: string, bytes: Buffer): Buffer {
  if (bytes.length <= MAX_TEE_BLOB_BYTES) return bytes;
  throw new TeeError('failed', `expected at most ${MAX_TEE_BLOB_BYTES} bytes in ${attribute}, got ${bytes.length}`);
}

const CODES: Readonly<Record<string, TeeErrorCode>> = {
  ENOENT: 'unavailable',
  ENXIO: 'unavailable',
  EACCES: 'not_permitted',
  EPERM: 'not_permitted',
  EROFS: 'not_permitted',
};

function teeErrorOf(thrown: unknown): TeeError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new TeeError(CODES[codeOf(thrown)] ?? 'failed', message, { cause: thrown });
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}
