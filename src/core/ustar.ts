/** Plain tar files (POSIX ustar): the same files always give the same bytes, and only such files are read. */
import { err, ok, type Result } from './result.ts';

const BLOCK = 512;
const NAME_CHARS = 100;
const SIZE_AT = 124;
const CHECKSUM_AT = 148;
const CHECKSUM_CHARS = 8;
const MAGIC_AT = 257;
const MAGIC = 'ustar\x0000';
/** Names that mean the same on every system and lead out of no folder. */
const NAME = /^(?:[a-z0-9][a-z0-9._-]*\/)?[A-Za-z0-9][A-Za-z0-9._-]*$/;
const MAX_FILES = 64;

export interface TarFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * One tar file of the files given, in their order. Modes are 0644; times and owners are zero, so that they say nothing.
 *
 * @throws RangeError for a name that {@link readTar} would refuse
 */
export function writeTar(files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap(({ name, bytes }) => {
    if (!NAME.test(name) || name.length > NAME_CHARS) throw new RangeError(`${name} is no name of a file in a tar`);
    return [headerOf(name, bytes.length), bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** True if the bytes start as a tar file does. */
export function isTar(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(MAGIC_AT, MAGIC_AT + MAGIC.length)).toString('latin1') === MAGIC;
}

/** Reads a tar file that {@link writeTar} could have written: anything else, and anything behind its end, is refused. */
export function readTar(tar: Uint8Array): Result<ReadonlyMap<string, Buffer>, string> {
  const bytes = Buffer.from(tar.buffer, tar.byteOffset, tar.byteLength);
  const files = new Map<string, Buffer>();
  let at = 0;
  while (at + BLOCK <= bytes.length && bytes[at] !== 0) {
    const header = bytes.subarray(at, at + BLOCK);
    const name = header.toString('latin1', 0, NAME_CHARS).replace(/\0+$/, '');
    const size = Number.parseInt(header.toString('latin1', SIZE_AT, SIZE_AT + 11), 8);
    const isPlain = NAME.test(name) && Number.isSafeInteger(size) && headerOf(name, size).equals(header);
    if (!isPlain) return err(`what stands at byte ${at} is not the header of a plain file`);
    if (files.has(name) || files.size === MAX_FILES) return err(`${name} comes twice, or there are too many files`);
    const end = at + BLOCK + size;
    at = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (at > bytes.length || bytes.subarray(end, at).some((byte) => byte !== 0)) return err(`${name} is cut off`);
    files.set(name, bytes.subarray(end - size, end));
  }
  const isEnd = bytes.length === at + 2 * BLOCK && bytes.subarray(at).every((byte) => byte === 0);
  return isEnd ? ok(files) : err('it does not end as a tar file ends');
}

function headerOf(name: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'latin1');
  header.write('0000644\x000000000\x000000000\x00', NAME_CHARS, 'latin1');
  header.write(`${size.toString(8).padStart(11, '0')}\x0000000000000\x00`, SIZE_AT, 'latin1');
  header.write('        ', CHECKSUM_AT, 'latin1');
  header.write('0', CHECKSUM_AT + CHECKSUM_CHARS, 'latin1');
  header.write(MAGIC, MAGIC_AT, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\x00 `, CHECKSUM_AT, 'latin1');
  return header;
}
