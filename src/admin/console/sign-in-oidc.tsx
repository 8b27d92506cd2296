/**
 * Signing in at an identity provider. A link leads there, not a form: a browser judges where a form's answer leads by the page's
 * policy, which knows this server alone. What comes back is taken up by the browser that went, once, and soon.
 */
import { getCookie } from 'hono/cookie';
import { ATTEMPT_LIMITS, Attempts } from '../../oidc/attempts.ts';
import { grantOf, type PersonRefused, type SignedPerson } from '../../oidc/claims.ts';
import type { SignInRefusal } from '../../oidc/refusal.ts';
import { networkOf } from '../api/network-of.ts';
import { createQuota, type Quota } from '../api/quota.ts';
import type { ApiContext } from '../api/route.ts';
import { type Party, personParty } from '../party.ts';
import type { OidcDesk } from './deps.ts';
import { cookieName, type Desk, ownPath, pageOf, type Shown } from './desk.ts';
import { cookie, seeOther } from './headers.ts';
import { Mark } from './icons.tsx';
import { Document } from './layout.tsx';
import type { Html } from './parts.tsx';
import { countFailure, failedTooOften, signInAnswer } from './sign-in.tsx';
import { nodeName } from './words.ts';

export function addOidcSignIn(desk: Desk): void {
  const { oidc } = desk.deps;
  if (oidc === null) return;
  const attempts = new Attempts();
  const begins = createQuota(desk.deps.limits.quotas);
  desk.app.get('/console/sign-in/oidc', (c) => begin(desk, oidc, { attempts, begins }, c));
  desk.app.get('/console/sign-in/oidc/callback', (c) => finish(desk, oidc, attempts, c));
  desk.app.get('/console/signed-out', async () => {
    const there = await oidc.provider.endSessionUrl(`${oidc.nodeUrl()}/console/sign-in`);
    return pageOf(signedOutPage(desk, there, oidc));
  });
}

interface Beginnings {
  readonly attempts: Attempts;
  readonly begins: Quota;
}

async function begin(desk: Desk, oidc: OidcDesk, { attempts, begins }: Beginnings, c: ApiContext): Promise<Response> {
  const { deps } = desk;
  const next = ownPath(c.req.query('next') ?? '');
  // A page of another site must not have somebody sign in here unawares.
  const from = c.req.header('sec-fetch-site') ?? 'none';
  if (from !== 'same-origin' && from !== 'none') return seeOther(`/console/sign-in?next=${encodeURIComponent(next)}`);
  const network = networkOf(c.env.address ?? '');
  const wait = begins.take(network, 'sign_in_begun', deps.nowMs());
  if (wait !== null) return signInAnswer(desk, c, { status: 429, refusal: tooManyBegin(wait), next });
  const begun = attempts.begin({ next, network }, deps.nowMs());
  const to = await oidc.provider.begin(begun);
  if (!to.ok) return notLetIn(desk, c, { ...to.error, person: null, name: null }, next);
  const age = `; Max-Age=${ATTEMPT_LIMITS.lifeMs / 1_000}`;
  const kept = `${cookie(attemptCookie(c, desk), begun.browser, deps.secure, 'Lax')}${age}`;
  return seeOther(to.value.href, { 'set-cookie': kept });
}

async function finish(desk: Desk, oidc: OidcDesk, attempts: Attempts, c: ApiContext): Promise<Response> {
  const { deps, sessions, signIns } = desk;
  const answer = new URL(c.req.url).searchParams;
  const name = attemptCookie(c, desk);
  const attempt = attempts.take(answer.get('state') ?? '', getCookie(c, name) ?? '', deps.nowMs());
  if (!attempt.ok) return notLetIn(desk, c, { ...attempt.error, person: null, name: null }, '/console');
  const { next } = attempt.value;
  const over = await failedTooOften(desk, c);
  if (over !== null) return signInAnswer(desk, c, { status: 429, refusal: `${over} ${KEY_WORKS}`, next });
  const network = networkOf(c.env.address ?? '');
  const signed = await oidc.provider.finish(answer, attempt.value, network);
  if (!signed.ok) return notLetIn(desk, c, signed.error, next);
  const party = partyOf(oidc, signed.value);
  if (party === null)
    return notLetIn(desk, c, { ...signed.value, code: 'no_role', detail: 'the rules changed meanwhile' }, next);
  const who = (): Party | null => partyOf(oidc, signed.value);
  const came = { party, method: 'oidc', network, maxMs: oidc.maxSessionMs } as const;
  const token = sessions.start(came, who, deps.nowMs());
  await signIns.signedIn(came);
  const response = await pageOf(onPage(desk, party, next));
  // The session's cookie goes with what this site starts, and a redirect from the provider is none of that: this page is.
  response.headers.set('refresh', `0; url=${next}`);
  response.headers.append('set-cookie', cookie(cookieName(c, deps), token, deps.secure));
  response.headers.append('set-cookie', `${cookie(name, '', deps.secure, 'Lax')}; Max-Age=0`);
  return response;
}

/** By the rules of this moment; null: none lets them in any more. */
function partyOf({ rules }: OidcDesk, { person, name, values }: SignedPerson): Party | null {
  const granted = grantOf(values, rules());
  return granted === null ? null : personParty({ person, name, ...granted });
}

async function notLetIn(desk: Desk, c: ApiContext, refused: PersonRefused, next: string): Promise<Response> {
  const over = await countFailure(desk, c);
  await desk.signIns.refused({ method: 'oidc', ...refused }, c.env.address);
  const [status, refusal] = over === null ? WORDS[refused.code] : [429, over];
  return signInAnswer(desk, c, { status, refusal, next });
}

function tooManyBegin(seconds: number): string {
  return `Too many sign-ins begin in your network. Try again in ${Math.max(1, Math.ceil(seconds))} s. ${KEY_WORKS}`;
}

function attemptCookie(c: ApiContext, { deps }: Desk): string {
  return `${cookieName(c, deps)}-oidc`;
}

const AGAIN = 'Begin again.';
const KEY_WORKS = 'A key works all the same.';
const NOT_VERIFIED = 'What the identity provider sent could not be verified. The audit log says why.';

/** For the person: what they can do. What an operator has to know stands in the audit log, and not before strangers. */
const WORDS: Readonly<Record<SignInRefusal, readonly [status: number, text: string]>> = {
  state_unknown: [400, `This sign-in has ended, or was used already. ${AGAIN}`],
  browser_differs: [400, `This sign-in began in another browser. ${AGAIN}`],
  provider_refused: [403, 'The identity provider did not let you in.'],
  provider_unavailable: [503, `The identity provider cannot be used at this moment. ${KEY_WORKS}`],
  response_invalid: [502, NOT_VERIFIED],
  code_refused: [502, `The identity provider did not confirm the sign-in. ${AGAIN}`],
  token_malformed: [502, NOT_VERIFIED],
  token_algorithm_refused: [502, NOT_VERIFIED],
  token_signature_invalid: [502, NOT_VERIFIED],
  token_time_invalid: [502, NOT_VERIFIED],
  token_claim_mismatch: [502, NOT_VERIFIED],
  subject_invalid: [502, NOT_VERIFIED],
  acr_insufficient: [403, 'You have to sign in at the identity provider in a stronger way.'],
  amr_insufficient: [403, 'You have to sign in at the identity provider with another method, such as a second factor.'],
  roles_missing: [403, 'The identity provider did not say which groups you are in. An operator has to look at it.'],
  roles_malformed: [403, 'The identity provider did not say which groups you are in. An operator has to look at it.'],
  no_role: [403, 'You are known, and no group of yours may use this console.'],
};

function onPage(desk: Desk, { name }: Party, next: string): Shown {
  const html = (
    <Document assets={desk.assets} title={`Signed in · ${nodeName(desk.deps.node.nodeId)}`}>
      <div class="center">
        <main>
          <Head desk={desk} title="Signed in" />
          <p>
            As <strong>{name}</strong>. <a href={next}>Go on</a>
          </p>
        </main>
      </div>
    </Document>
  );
  return { html };
}

function signedOutPage(desk: Desk, there: string | null, { issuer }: OidcDesk): Shown {
  const host = new URL(issuer).host;
  const html = (
    <Document assets={desk.assets} title={`Signed out · ${nodeName(desk.deps.node.nodeId)}`}>
      <div class="center">
        <main>
          <Head desk={desk} title="Signed out" />
          <p class="muted">You are signed out of this node. Your session at {host} goes on.</p>
          {there === null ? null : (
            <p>
              <a href={there}>Sign out at {host}, too</a>
            </p>
          )}
          <p>
            <a href="/console/sign-in">Sign in again</a>
          </p>
        </main>
      </div>
    </Document>
  );
  return { html };
}

function Head({ desk, title }: { desk: Desk; title: string }): Html {
  return (
    <div class="brand">
      <Mark />
      <div>
        <h1>{title}</h1>
        <span>{nodeName(desk.deps.node.nodeId)}</span>
      </div>
    </div>
  );
}
