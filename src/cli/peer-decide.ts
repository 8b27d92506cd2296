import type { OnboardingView } from '../core/onboarding.ts';
import { typedWords } from '../wire/fingerprint-words.ts';
import { type Api, withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { CommonOptions, Context, Outcome } from './cli.ts';
import { CliError } from './exit.ts';
import { readLines } from './line-reader.ts';
import { waitingView } from './onboarding-view.ts';

const ONBOARDING = '/v1/federation/onboarding';

export interface ConfirmOptions extends CommonOptions {
  readonly words?: readonly string[];
}

/** `peer confirm`: the yes to a partner that waits; without a terminal, by the words on its screen. */
export async function runConfirm(
  context: Context,
  [name = '']: readonly string[],
  { words }: ConfirmOptions,
): Promise<Outcome> {
  return withApi(context, async (api) => {
    const view = await oneOf(api, name);
    if (words !== undefined) return confirmed(await sendYes(api, view, typedWords(words.join(' '))));
    if (!context.runtime.interactive) {
      const message = 'expected the twelve words on the partner’s screen, got none and no terminal to ask on';
      const fix = `Have them read to you over another channel: peer confirm ${name} --words "…"`;
      throw new CliError({ exit: 'usage', message, fix });
    }
    return decideHere(context, api, view);
  });
}

/** `peer reject`: the no to a partner that waits, or the end of a code that nobody has used. */
export async function runReject(context: Context, [name = '']: readonly string[]): Promise<Outcome> {
  return withApi(context, async (api) => {
    const view = await oneOf(api, name);
    const isCode = view.by === 'invite' && view.partner === null;
    const path = isCode ? `/v1/federation/invites/${view.id}` : `${ONBOARDING}/${view.id}`;
    const json = expectOk(await api.delete(path));
    const human = isCode
      ? `The code of ${view.id} is good for nobody now.`
      : `${view.name} is rejected; nothing flows.`;
    return { json, human };
  });
}

/** Shows who waits and takes yes or no from the terminal. Both operators do this, each on their own screen. */
export async function decideHere(context: Context, api: Api, view: OnboardingView): Promise<Outcome> {
  const { partner } = view;
  const { stdout, stdin } = context.runtime;
  if (partner === null || view.state !== 'pending') return alreadyDecided(view);
  stdout.write(`\n${waitingView(context.screen, view, partner)}\n`);
  const question = 'Read them to each other over another channel. Are they the same on both screens? yes or no: ';
  stdout.write(question);
  for await (const line of readLines(stdin)) {
    const typed = 'text' in line ? line.text.trim() : '';
    if (typed === 'yes') return confirmed(await sendYes(api, view, partner.words));
    if (typed === 'no') {
      const json = expectOk(await api.delete(`${ONBOARDING}/${view.id}`));
      return { json, human: `${view.name} is rejected; nothing flows.`, exit: 'refused' };
    }
    stdout.write('yes or no, in full: ');
  }
  const message = `nothing was decided: ${view.name} waits`;
  throw new CliError({ exit: 'refused', code: 'undecided', message, fix: `Go on with: peer confirm ${view.name}` });
}

function alreadyDecided(view: OnboardingView): Outcome {
  const isDone = view.state === 'confirmed' || view.state === 'confirming';
  if (isDone) return confirmed(view);
  const message = `expected a partner that waits, got one that is ${view.state}`;
  throw new CliError({ exit: 'refused', code: 'not_pending', message, fix: 'See: stigmem-peerd peer invites' });
}

async function oneOf(api: Api, name: string): Promise<OnboardingView> {
  const answer = await api.get(`${ONBOARDING}/${encodeURIComponent(name)}`);
  if (answer.status === 404) {
    const message = `expected a partner that waits, or the id of an invitation, got ${JSON.stringify(name)}`;
    throw new CliError({ exit: 'not_found', message, fix: 'See: stigmem-peerd peer invites' });
  }
  return JSON.parse(expectOk(answer)) as OnboardingView;
}

async function sendYes(api: Api, view: OnboardingView, words: readonly string[]): Promise<OnboardingView> {
  const answer = await api.post(`${ONBOARDING}/${view.id}/confirm`, JSON.stringify({ words }));
  return JSON.parse(expectOk(answer)) as OnboardingView;
}

function confirmed(view: OnboardingView): Outcome {
  const human = `Added ${view.name}: peers/${view.name}.toml. Facts flow as soon as the other side has said yes too; see: stigmem-peerd status`;
  return { json: JSON.stringify(view), human };
}
