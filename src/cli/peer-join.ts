import type { OnboardingView } from '../core/onboarding.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { CommonOptions, Context, Outcome } from './cli.ts';
import { waitingView } from './onboarding-view.ts';
import { decideHere } from './peer-decide.ts';

export interface JoinOptions extends CommonOptions {
  readonly name?: string;
}

/** `peer join`: uses a partner's code. On a terminal it goes on to the operator's yes. */
export async function runJoin(context: Context, code: readonly string[], { name }: JoinOptions): Promise<Outcome> {
  return withApi(context, async (api) => {
    const body = { code: code.join(' '), ...(name === undefined ? {} : { name }) };
    const json = expectOk(await api.post('/v1/federation/join', JSON.stringify(body)));
    const view = JSON.parse(json) as OnboardingView;
    if (context.runtime.interactive && !context.json) return decideHere(context, api, view);
    return { json, human: waitingText(context, view) };
  });
}

/** What there is to do where nobody can be asked. */
export function waitingText(context: Context, view: OnboardingView): string {
  const shown = view.partner === null ? '' : waitingView(context.screen, view, view.partner);
  return `${shown}\n${view.name} waits. With the words on its screen: stigmem-peerd peer confirm ${view.name} --words "…"`;
}
