import { existsSync, readFileSync, statSync } from 'node:fs';
import { writeFileAtomically } from '../config/atomic-file.ts';
import type { OnboardingView } from '../core/onboarding.ts';
import { MAX_PEER_NOTE_CHARS } from '../wire/peer-note.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { CommonOptions, Context, Outcome } from './cli.ts';
import { CliError } from './exit.ts';
import { decideHere } from './peer-decide.ts';
import { waitingText } from './peer-join.ts';
import { readTermsOptions, type TermsOptions } from './terms-options.ts';

const FILE_MODE = 0o644;

export interface DeclarationOptions extends CommonOptions {
  readonly out?: string;
}

/** `peer declaration`: what to give to a partner who takes files. There is nothing secret in it. */
export async function runDeclaration(
  context: Context,
  _args: readonly string[],
  { out }: DeclarationOptions,
): Promise<Outcome> {
  const note = await withApi(context, async (api) => expectOk(await api.get('/v1/federation/declaration')));
  if (out === undefined) return { json: JSON.stringify({ declaration: note }), human: note };
  writeFileAtomically(out, note, FILE_MODE);
  return { json: JSON.stringify({ file: out }), human: `${out}: give it to the partner, and compare words afterwards` };
}

/** `peer add FILE`: takes what the partner's `peer declaration` has written. */
export async function addFromFile(context: Context, path: string, options: TermsOptions): Promise<Outcome> {
  const body = { declaration: readNote(path), ...readTermsOptions(options) };
  return withApi(context, async (api) => {
    const json = expectOk(await api.post('/v1/federation/declarations', JSON.stringify(body)));
    const view = JSON.parse(json) as OnboardingView;
    if (context.runtime.interactive && !context.json) return decideHere(context, api, view);
    return { json, human: waitingText(context, view) };
  });
}

function readNote(path: string): string {
  const fix =
    'A file: what the partner’s `peer declaration --out FILE` has written. A name: add --node-id and --peer-id.';
  if (!existsSync(path)) {
    const message = `expected a partner’s declaration, got ${JSON.stringify(path)}, where no file is`;
    throw new CliError({ exit: 'not_found', message, fix });
  }
  const { size } = statSync(path);
  if (size > 0 && size <= 4 * MAX_PEER_NOTE_CHARS) return readFileSync(path, 'utf8');
  throw new CliError({ exit: 'refused', message: `expected a partner’s declaration, got ${size} bytes`, fix });
}
