/**
 * `verify.mjs`: one file that judges evidence wherever there is a Node.js, without anything installed and without a network.
 * It is put into every evidence packet.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { judgeFile } from './verify-file.ts';

const USAGE = `usage: node verify.mjs [--json] FILE…
Judges evidence (evidence-N.tar, or evidence.json with the files beside it).
Ends with 0 if all of it is proven, 1 if something is not, 2 if something is no evidence.`;
/** Larger files are no evidence: a page of 4 MiB in base64, twice, with room. */
const MAX_FILE_BYTES = 67_108_864;

function main(args: readonly string[]): number {
  const asJson = args.includes('--json');
  const paths = args.filter((arg) => arg !== '--json');
  if (paths.length === 0 || paths.some((path) => path.startsWith('-'))) {
    console.error(USAGE);
    return 2;
  }
  return Math.max(...paths.map((path) => judge(path, asJson, paths.length > 1)));
}

function judge(path: string, asJson: boolean, isOneOfMany: boolean): number {
  const bytes = read(path);
  if (bytes === null) {
    console.error(`${path}: expected a file of at most ${MAX_FILE_BYTES} bytes`);
    return 2;
  }
  const finding = judgeFile({ bytes, beside: (name) => read(join(dirname(path), name)) });
  if (isOneOfMany && !asJson) console.log(`${path}:`);
  process.stdout.write(asJson ? `${JSON.stringify({ file: path, ...finding.json })}\n` : finding.text);
  return finding.exit;
}

function read(path: string): Uint8Array | null {
  if (!existsSync(path)) return null;
  const { size } = statSync(path);
  return statSync(path).isFile() && size <= MAX_FILE_BYTES ? readFileSync(path) : null;
}

process.exitCode = main(process.argv.slice(2));
