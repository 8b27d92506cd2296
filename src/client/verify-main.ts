/**
 * `verify.mjs`: one file that judges evidence, and by given keys fact bundles, checkpoints and anchors, wherever there is
 * a Node.js: without anything installed and without a network. It is put into every evidence packet.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readGivenTrust } from './given-trust.ts';
import type { ProofTrust } from './proof-file.ts';
import { judgeFile } from './verify-file.ts';

const USAGE = `usage: node verify.mjs [--json] [KEYS] FILE…
Judges evidence (evidence-N.tar, or evidence.json with the files beside it); with KEYS also fact bundles, checkpoints
and receipts of transparency logs, as "stigmem-peerd verify" does. KEYS, each as often as needed but for the files:
  --log-key VKEY       verifier key of a log that is trusted
  --node ID=PEER_ID    a node that is trusted; its declaration is in a bundle, beside others: --declaration FILE
  --policy FILE        tlog-policy: which witnesses have to have cosigned
  --trust-root FILE    Sigstore trusted_root.json: an anchor by one of its logs is asked for
  --anchor-key VKEY    verifier key of an anchor key
Ends with 0 if everything is proven, 1 if evidence is not, 4 if something does not verify by the keys, 2 if something is
nothing that can be judged.`;
/** Larger files are no evidence: a page of 4 MiB in base64, twice, with room. */
const MAX_FILE_BYTES = 67_108_864;
const OPTIONS = {
  json: { type: 'boolean' },
  'log-key': { type: 'string', multiple: true },
  node: { type: 'string', multiple: true },
  policy: { type: 'string' },
  declaration: { type: 'string' },
  'trust-root': { type: 'string' },
  'anchor-key': { type: 'string', multiple: true },
} as const;

interface Order {
  readonly paths: readonly string[];
  readonly asJson: boolean;
  readonly given: ProofTrust | null;
}

function main(args: readonly string[]): number {
  const order = readOrder(args);
  if (order === null) return 2;
  return Math.max(...order.paths.map((path) => judge(path, order)));
}

/** Null: the command line is wrong, which was said. */
function readOrder(args: readonly string[]): Order | null {
  try {
    const { values, positionals: paths } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (paths.length === 0) throw new TypeError('expected a file');
    const { json: asJson = false, declaration, ...keys } = values;
    if (Object.keys(keys).length === 0) return { paths, asJson, given: null };
    const { 'log-key': logKey, node, policy, 'trust-root': trustRoot, 'anchor-key': anchorKey } = keys;
    const trust = readGivenTrust({ logKey, node, policy, trustRoot, anchorKey }, textOf);
    return { paths, asJson, given: { trust, declaration: declaration === undefined ? null : textOf(declaration) } };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`error: ${error.message}\n${USAGE}`);
    return null;
  }
}

function judge(path: string, { paths, asJson, given }: Order): number {
  const bytes = read(path);
  if (bytes === null) {
    console.error(`${path}: expected a file of at most ${MAX_FILE_BYTES} bytes`);
    return 2;
  }
  const finding = judgeFile({ bytes, beside: (name) => read(join(dirname(path), name)) }, given);
  if (paths.length > 1 && !asJson) console.log(`${path}:`);
  process.stdout.write(asJson ? `${JSON.stringify({ file: path, ...finding.json })}\n` : finding.text);
  return finding.exit;
}

function read(path: string): Uint8Array | null {
  if (!existsSync(path)) return null;
  const { size } = statSync(path);
  return statSync(path).isFile() && size <= MAX_FILE_BYTES ? readFileSync(path) : null;
}

/** @throws TypeError if there is none */
function textOf(path: string): string {
  const bytes = read(path);
  if (bytes !== null) return Buffer.from(bytes).toString('utf8');
  throw new TypeError(`expected a file of at most ${MAX_FILE_BYTES} bytes, got ${JSON.stringify(path)}`);
}

process.exitCode = main(process.argv.slice(2));
