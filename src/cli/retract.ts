import type { Command } from 'commander';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { assertFact } from './assert.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { CliError } from './exit.ts';
import { readFact } from './fact-view.ts';

export function addRetract(program: Command, cli: Cli): void {
  const command = program
    .command('retract')
    .summary('withdraw a fact')
    .description(
      'Withdraws a fact of this node: a new fact of the same source about the same, with confidence 0 and the value "retracted". Nothing is deleted, and peers that read the fact receive the withdrawal too.',
    )
    .argument('<fact>', 'fact id or CID')
    .action(action(cli, runRetract));
  withExamples(withCommonOptions(command), ['retract --data ./acme 0197c1b2-…', 'retract --data ./acme sha256:5be1…']);
}

async function runRetract(context: Context, [id = '']: readonly string[], _options: CommonOptions): Promise<Outcome> {
  return withApi(context, async (api) => {
    const fact = readFact(expectOk(await api.get(`/v1/facts/${encodeURIComponent(id)}`), { fact: id }));
    if (fact.receivedFrom !== null) {
      const message = `expected a fact of this node, got one that ${fact.receivedFrom} gave us`;
      throw new CliError({
        exit: 'refused',
        message,
        fix: 'Only its author can withdraw it; assert what you know instead.',
      });
    }
    return assertFact(context, api, {
      entity: fact.entity,
      relation: fact.relation,
      value: '{"type":"string","v":"retracted"}',
      source: fact.source,
      confidence: '0.0',
      scope: fact.scope,
      validUntil: null,
      garden: fact.garden,
    });
  });
}
