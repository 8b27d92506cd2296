import type { OnboardingView } from '../core/onboarding.ts';
import { decodeInviteCode } from '../wire/invite-code.ts';
import { type Api, withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { CommonOptions, Context, Outcome } from './cli.ts';
import { CliError } from './exit.ts';
import { noteLocalAddresses, onboardingTable } from './onboarding-view.ts';
import { decideHere } from './peer-decide.ts';
import { readSpan } from './span.ts';
import { readTermsOptions, type TermsOptions } from './terms-options.ts';

const LOOK_EVERY_MS = 300;

export interface InviteOptions extends CommonOptions, TermsOptions {
  readonly validFor?: string;
}

/** `peer invite`: one code for one partner. On a terminal it waits for the partner and for the operator's yes. */
export async function runInvite(context: Context, _args: readonly string[], options: InviteOptions): Promise<Outcome> {
  const body = { ...readTermsOptions(options), ...readValidFor(options.validFor) };
  if (options.share === undefined && options.accept === undefined) {
    const message = 'expected at least one feed that the partner may read, or that is taken from it, got none';
    throw new CliError({ exit: 'usage', message, fix: 'Add --share public, --accept public, or both.' });
  }
  return withApi(context, async (api) => {
    const json = expectOk(await api.post('/v1/federation/invites', JSON.stringify(body)));
    const { code, onboarding } = JSON.parse(json) as { readonly code: string; readonly onboarding: OnboardingView };
    const decoded = decodeInviteCode(code);
    if (decoded.ok) noteLocalAddresses(context, decoded.value.addresses);
    if (!context.runtime.interactive || context.json) return { json, human: codeText(code, onboarding) };
    context.runtime.stdout.write(`${codeText(code, onboarding)}\n`);
    context.note('\nWaiting for the partner to use it. Ctrl-C ends the waiting, not the invitation.');
    return decideHere(context, api, await untilUsed(api, onboarding.id));
  });
}

/** `peer invites`: codes that are out, partners that wait, and those that were decided lately. */
export async function runInvites(context: Context): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/federation/onboarding')));
  const { onboarding } = JSON.parse(json) as { readonly onboarding: readonly OnboardingView[] };
  const none = 'No invitations, and nobody waits. Make one: stigmem-peerd peer invite --help';
  return { json, human: onboarding.length === 0 ? none : onboardingTable(context.screen, onboarding) };
}

function codeText(code: string, { id, expires_at }: OnboardingView): string {
  return `Code for one partner, good until ${expires_at} (invitation ${id}):

${code}

Whoever has it can come as that partner: send it over a channel that others do not read. There: stigmem-peerd peer join CODE`;
}

/** Somebody has come with the code. @throws CliError when nobody can any more */
async function untilUsed(api: Api, id: string): Promise<OnboardingView> {
  for (;;) {
    const view = JSON.parse(expectOk(await api.get(`/v1/federation/onboarding/${id}`))) as OnboardingView;
    if (view.partner !== null) return view;
    if (view.state !== 'open') {
      const message = `nobody has used the code, and the invitation is ${view.state}`;
      throw new CliError({ exit: 'refused', code: view.state, message, fix: 'Make a new one: peer invite' });
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function readValidFor(text: string | undefined): { readonly valid_for_s?: number } {
  if (text === undefined) return {};
  const valid_for_s = readSpan(text);
  if (valid_for_s !== undefined) return { valid_for_s };
  const message = `expected --valid-for with a span such as 1h, 30m or 2d, got ${JSON.stringify(text)}`;
  throw new CliError({ exit: 'usage', message });
}
