import { readFileSync, statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Fact } from '../client/facts.ts';
import { type TrustOptions, trustOf } from '../client/trust.ts';
import {
  type VerifiedAnchor,
  type VerifiedCheckpoint,
  verifyAnchor,
  verifyCheckpoint,
  verifyFactBundle,
} from '../client/verify.ts';
import type { Result } from '../core/result.ts';
import { MAX_FACT_BUNDLE_BYTES } from '../wire/fact-bundle.ts';
import { action, type Cli, type CommonOptions, type Context, type Outcome, withExamples } from './cli.ts';
import { CliError } from './exit.ts';

interface TrustFlags extends CommonOptions {
  readonly logKey?: readonly string[];
  readonly node?: readonly string[];
  readonly policy?: string;
  readonly declaration?: string;
  readonly trustRoot?: string;
  readonly anchorKey?: readonly string[];
}

/** Adds `verify bundle FILE` and `verify checkpoint FILE`. */
export function addVerifyFiles(group: Command, cli: Cli): void {
  const bundle = withTrust(group.command('bundle').summary('a fact with its proof'))
    .argument('<file>', 'a fact bundle (GET /v1/facts/{id}/proof)')
    .description(
      'Verifies one fact: its own hashes, its leaf in the tree, the checkpoint by the keys that are given, the cosignatures that the policy asks for. Exits with 4 if it does not verify.',
    )
    .action(action<TrustFlags>(cli, runBundle));
  withExamples(bundle, [
    'verify bundle fact.json --node stigmem://acme.example=12D3KooW…',
    'verify bundle fact.json --log-key "$(cat acme.vkey)" --policy witnesses.txt',
  ]);
  const checkpoint = withTrust(group.command('checkpoint').summary('a signed checkpoint'))
    .argument('<file>', 'a signed note (C2SP tlog-checkpoint)')
    .option('--declaration <file>', 'the node’s signed declaration, for --node')
    .description(
      'Verifies a checkpoint by the keys that are given, and its cosignatures. Exits with 4 if it does not verify.',
    )
    .action(action<TrustFlags>(cli, runCheckpoint));
  addVerifyAnchor(group, cli);
  withExamples(checkpoint, ['verify checkpoint checkpoint --log-key "$(cat acme.vkey)" --policy witnesses.txt']);
}

function addVerifyAnchor(group: Command, cli: Cli): void {
  const command = withTrust(group.command('anchor').summary('a receipt of a transparency log'))
    .argument('<file>', 'an anchor receipt (JSON)')
    .option('--declaration <file>', 'the node’s signed declaration, for --node')
    .description(
      'Verifies that the anchor key has signed a checkpoint and that a transparency log of the trust root has that signature. Exits with 4 if it does not verify.',
    )
    .action(action<TrustFlags>(cli, runAnchor));
  withExamples(command, [
    'verify anchor receipt.json --trust-root trusted_root.json --anchor-key "$(cat anchor.vkey)" --log-key "$(cat acme.vkey)"',
  ]);
}

async function runAnchor(context: Context, [file = '']: readonly string[], flags: TrustFlags): Promise<Outcome> {
  const verdict = verifyAnchor(readBounded(file).toString('utf8'), trustFrom(flags), declarationIn(flags));
  return outcome(
    context,
    verdict,
    (anchor) => ({ anchor }),
    (anchor) => anchorPairs(anchor),
  );
}

function anchorPairs(anchor: VerifiedAnchor): readonly (readonly [string, string | number | null])[] {
  const { origin, size, root, backend, logId, logIndex, integratedTime } = anchor;
  const time = integratedTime === null ? null : new Date(integratedTime * 1000).toISOString();
  const log = `${backend} ${logId}, entry ${logIndex}`;
  return [
    ['origin', origin],
    ['size', size],
    ['root', root],
    ['log', log],
    ['time', time],
  ];
}

function declarationIn({ declaration }: TrustFlags): string | null {
  return declaration === undefined ? null : readBounded(declaration).toString('utf8');
}

function withTrust(command: Command): Command {
  return command
    .addOption(new Option('--log-key <vkey...>', 'verifier key of a log that is trusted'))
    .addOption(new Option('--node <id=peer-id...>', 'a node that is trusted: stigmem://…=12D3Koo…'))
    .option('--policy <file>', 'tlog-policy: which witnesses have to have cosigned')
    .option('--trust-root <file>', 'Sigstore trusted_root.json: an anchor by one of its logs is asked for')
    .option('--anchor-key <vkey...>', 'verifier key of an anchor key; a node that is trusted declares its own')
    .option('--json', 'one JSON document on standard output');
}

async function runBundle(context: Context, [file = '']: readonly string[], flags: TrustFlags): Promise<Outcome> {
  const verdict = verifyFactBundle(readBounded(file), trustFrom(flags));
  return outcome(
    context,
    verdict,
    (fact) => ({ fact }),
    (fact) => factPairs(fact),
  );
}

async function runCheckpoint(context: Context, [file = '']: readonly string[], flags: TrustFlags): Promise<Outcome> {
  const verdict = verifyCheckpoint(readBounded(file), trustFrom(flags), declarationIn(flags));
  return outcome(
    context,
    verdict,
    (checkpoint) => ({ checkpoint }),
    (checkpoint) => checkpointPairs(checkpoint),
  );
}

function outcome<T>(
  context: Context,
  verdict: Result<T, { readonly code: string; readonly message: string }>,
  json: (value: T) => object,
  pairs: (value: T) => readonly (readonly [string, string | number | null])[],
): Outcome {
  const { screen } = context;
  if (verdict.ok) {
    const human = `${screen.paint('green', 'verified')}\n${screen.pairs(pairs(verdict.value) as never)}`;
    return { json: JSON.stringify({ verified: true, ...json(verdict.value) }), human };
  }
  const { code, message } = verdict.error;
  const human = `${screen.paint('red', 'not verified')}: ${message} (${code})`;
  return { json: JSON.stringify({ verified: false, code, message }), human, exit: 'integrity' };
}

function factPairs(fact: Fact): readonly (readonly [string, string | number | null])[] {
  const proof = fact.proof;
  return [
    ['id', fact.id],
    ['cid', fact.cid],
    ['entity', fact.entity],
    ['relation', fact.relation],
    ['value', `${fact.valueText}  (${fact.valueType}, ${fact.interpretAs})`],
    ['source', fact.source],
    ['scope', fact.scope],
    ['confidence', fact.confidence],
    ['asserted', fact.timestamp],
    ['valid until', fact.validUntil],
    ['received from', fact.receivedFrom],
    ['log', proof === null ? null : `${proof.origin}, entry ${proof.index + 1} of ${proof.treeSize}`],
    ['root', proof?.root ?? null],
    ['cosigned', cosignedText(proof?.cosigned ?? [])],
  ];
}

function checkpointPairs({
  origin,
  size,
  root,
  cosigned,
}: VerifiedCheckpoint): readonly (readonly [string, string | number | null])[] {
  return [
    ['origin', origin],
    ['size', size],
    ['root', root],
    ['cosigned', cosignedText(cosigned)],
  ];
}

function cosignedText(cosigned: VerifiedCheckpoint['cosigned']): string | null {
  if (cosigned.length === 0) return null;
  return cosigned
    .map(({ witness, timeSeconds }) => `${witness} ${new Date(timeSeconds * 1000).toISOString()}`)
    .join(', ');
}

/** @throws CliError `usage` */
function trustFrom({ logKey = [], node = [], policy, trustRoot, anchorKey = [] }: TrustFlags): TrustOptions {
  const nodes = node.map((pair) => {
    const at = pair.lastIndexOf('=');
    return { nodeId: pair.slice(0, at), peerId: pair.slice(at + 1) };
  });
  const text = policy === undefined ? {} : { policy: readBounded(policy).toString('utf8') };
  const anchors =
    trustRoot === undefined
      ? {}
      : { anchors: { trustedRoot: readBounded(trustRoot).toString('utf8'), keys: anchorKey } };
  const trust: TrustOptions = { logKeys: logKey.map((key) => key.trim()), nodes, ...text, ...anchors };
  try {
    trustOf(trust);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const fix = 'Give --log-key VKEY, or --node stigmem://NAME=PEER_ID, from somewhere else than the file itself.';
    throw new CliError({ exit: 'usage', message: error.message, fix }, { cause: error });
  }
  return trust;
}

/** @throws CliError `not_found`, `refused` */
function readBounded(file: string): Buffer {
  try {
    if (statSync(file).size <= MAX_FACT_BUNDLE_BYTES) return readFileSync(file);
  } catch (cause) {
    const message = `expected a file, got ${JSON.stringify(file)}: ${(cause as Error).message}`;
    throw new CliError({ exit: 'not_found', message }, { cause });
  }
  throw new CliError({ exit: 'refused', message: `${file} is larger than anything that can be verified here` });
}
