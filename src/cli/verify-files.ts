import { readFileSync, statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type GivenTrust, readGivenTrust, TRUST_FIX } from '../client/given-trust.ts';
import { judgeProof, type ProofKind } from '../client/proof-file.ts';
import type { TrustOptions } from '../client/trust.ts';
import { MAX_FACT_BUNDLE_BYTES } from '../wire/fact-bundle.ts';
import { action, type Cli, type CommonOptions, type Context, type Outcome, withExamples } from './cli.ts';
import { CliError } from './exit.ts';

interface TrustFlags extends CommonOptions, GivenTrust {
  readonly declaration?: string;
}

/** Adds `verify bundle FILE`, `verify checkpoint FILE` and `verify anchor FILE`. */
export function addVerifyFiles(group: Command, cli: Cli): void {
  const bundle = withTrust(group.command('bundle').summary('a fact with its proof'))
    .argument('<file>', 'a fact bundle (GET /v1/facts/{id}/proof)')
    .description(
      'Verifies one fact: its own hashes, its leaf in the tree, the checkpoint by the keys that are given, the cosignatures that the policy asks for. Exits with 4 if it does not verify.',
    )
    .action(action<TrustFlags>(cli, judges('bundle')));
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
    .action(action<TrustFlags>(cli, judges('checkpoint')));
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
    .action(action<TrustFlags>(cli, judges('anchor')));
  withExamples(command, [
    'verify anchor receipt.json --trust-root trusted_root.json --anchor-key "$(cat anchor.vkey)" --log-key "$(cat acme.vkey)"',
  ]);
}

function declarationIn({ declaration }: TrustFlags): string | null {
  return declaration === undefined ? null : readBounded(declaration).toString('utf8');
}

function withTrust(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--log-key <vkey...>',
        'verifier key of a log that is trusted, as `peer show self` of its node shows it',
      ),
    )
    .addOption(new Option('--node <id=peer-id...>', 'a node that is trusted: stigmem://…=12D3Koo…'))
    .option('--policy <file>', 'tlog-policy: which witnesses have to have cosigned')
    .option('--trust-root <file>', 'Sigstore trusted_root.json: an anchor by one of its logs is asked for')
    .option('--anchor-key <vkey...>', 'verifier key of an anchor key; a node that is trusted declares its own')
    .option('--json', 'one JSON document on standard output');
}

function judges(kind: ProofKind): (context: Context, args: readonly string[], flags: TrustFlags) => Promise<Outcome> {
  return async ({ screen }, [file = ''], flags) => {
    const given = { trust: trustFrom(flags), declaration: declarationIn(flags) };
    const { fault, rows, json } = judgeProof(kind, readBounded(file), given);
    if (fault === null)
      return { json: JSON.stringify(json), human: `${screen.paint('green', 'verified')}\n${screen.pairs(rows)}` };
    return { json: JSON.stringify(json), human: `${screen.paint('red', 'not verified')}: ${fault}`, exit: 'integrity' };
  };
}

/** @throws CliError `usage` */
function trustFrom(flags: TrustFlags): TrustOptions {
  try {
    return readGivenTrust(flags, (file) => readBounded(file).toString('utf8'));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CliError({ exit: 'usage', message: error.message, fix: TRUST_FIX }, { cause: error });
  }
}

/** @throws CliError `not_found`, `refused` */
export function readBounded(file: string): Buffer {
  try {
    if (statSync(file).size <= MAX_FACT_BUNDLE_BYTES) return readFileSync(file);
  } catch (cause) {
    const message = `expected a file, got ${JSON.stringify(file)}: ${(cause as Error).message}`;
    throw new CliError({ exit: 'not_found', message }, { cause });
  }
  throw new CliError({ exit: 'refused', message: `${file} is larger than anything that can be verified here` });
}
