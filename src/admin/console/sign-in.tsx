/** Signing in with an API key, and out again. The key itself is not kept: the session remembers which one it was. */

import { getCookie } from 'hono/cookie';
import type { Child } from 'hono/jsx';
import { HOUR_MS } from '../../core/time.ts';
import { networkOf } from '../api/network-of.ts';
import type { ApiBindings, ApiContext } from '../api/route.ts';
import { keyParty, type Party } from '../party.ts';
import type { OidcDesk } from './deps.ts';
import { cookieName, type Desk, ownPath, pageOf, readForm, type Shown } from './desk.ts';
import { cookie, seeOther } from './headers.ts';
import { Mark } from './icons.tsx';
import { Document, NoticeLine } from './layout.tsx';
import { Field, type Html } from './parts.tsx';
import { isSameToken, newToken, type SignInMethod } from './sessions.ts';
import { nodeName } from './words.ts';

/** Of the cookie of a form that no session stands behind, seconds. */
export const FORM_COOKIE_AGE = 600;

export function addSignIn(desk: Desk): void {
  const { app, deps, sessions, signIns } = desk;
  app.get('/console/sign-in', async (c) =>
    signInAnswer(desk, c, { status: 200, refusal: null, next: ownPath(c.req.query('next') ?? '') }),
  );
  app.post('/console/sign-in', async (c) => {
    const form = await readForm(c, deps);
    const expected = getCookie(c, formCookie(c, desk)) ?? '';
    if (form === null || expected === '' || !isSameToken(form.text('_csrf'), expected))
      return signInAnswer(desk, c, {
        status: 403,
        refusal: 'This form had grown old. Send it again.',
        next: '/console',
      });
    const next = ownPath(form.text('next'));
    const outcome = await signIn(desk, c, form.text('key').trim());
    if ('refusal' in outcome) {
      await signIns.refused({ method: 'api_key', code: 'key_refused', detail: outcome.refusal }, c.env.address);
      return signInAnswer(desk, c, { ...outcome, next });
    }
    const entered = await enterByKey(desk, c, outcome.keyId, 'api_key', next);
    // Revoked in this moment.
    return entered ?? signInAnswer(desk, c, { status: 401, refusal: UNKNOWN_KEY, next });
  });
  desk.act('/console/sign-out', async ({ c, frame }) => {
    const { holder } = frame.session;
    const name = cookieName(c, deps);
    sessions.end(getCookie(c, name) ?? '');
    await signIns.signedOut(holder);
    // Who came by a key has no session at the provider.
    return seeOther(holder.keyId === null && deps.oidc !== null ? '/console/signed-out' : '/console/sign-in', {
      'set-cookie': `${cookie(name, '', deps.secure)}; Max-Age=0`,
      'clear-site-data': '"cache"',
    });
  });
}

/** Begins a session of a key, in the place of the one that this browser had. @returns null: the key is not in force */
export async function enterByKey(
  desk: Desk,
  c: ApiContext,
  keyId: string,
  method: SignInMethod,
  next: string,
): Promise<Response | null> {
  const { deps, sessions, signIns } = desk;
  const who = (): Party | null => {
    const key = deps.keys.inForce(keyId, deps.nowMs());
    return key === null ? null : keyParty(key);
  };
  const party = who();
  if (party === null) return null;
  const came = { party, method, network: networkOf(c.env.address ?? '') };
  await endOld(desk, c);
  const token = sessions.start(came, who, deps.nowMs());
  await signIns.signedIn(came);
  return seeOther(next, { 'set-cookie': cookie(cookieName(c, deps), token, deps.secure) });
}

/** Of this browser, which has no way back to it. Where a provider sends somebody back, the browser does not show it. */
async function endOld({ deps, sessions, signIns }: Desk, c: ApiContext): Promise<void> {
  const token = getCookie(c, cookieName(c, deps)) ?? '';
  const old = sessions.find(token, deps.nowMs(), false);
  if (old === null) return;
  sessions.end(token);
  await signIns.signedOut(old.holder);
}

const UNKNOWN_KEY = 'This key is unknown, expired or revoked.';

type Outcome = { readonly keyId: string } | { readonly status: number; readonly refusal: string };

/** By the API's own question whose key this is: failures count there, by address, as any other. */
async function signIn({ deps }: Desk, c: ApiContext, key: string): Promise<Outcome> {
  const authorization = /^[\x21-\x7e]{1,256}$/.test(key) ? `Bearer ${key}` : '';
  const response = await askWhose(deps, c, authorization);
  if (response.status === 200) return { keyId: ((await response.json()) as { key_id: string }).key_id };
  const over = tooMany(response);
  return over === null ? { status: 401, refusal: UNKNOWN_KEY } : { status: 429, refusal: over };
}

/** Counts a failure that no key was in, with those of keys. @returns what to tell when there were too many; else null */
export async function countFailure({ deps }: Desk, c: ApiContext): Promise<string | null> {
  return tooMany(await askWhose(deps, c, ''));
}

/** @returns what to tell who comes from a network that has failed too often by now; else null. It counts as no failure */
export async function failedTooOften({ deps }: Desk, c: ApiContext): Promise<string | null> {
  return tooMany(await askWhose(deps, c, '', { onlyLooks: true }));
}

async function askWhose(
  { api }: Desk['deps'],
  c: ApiContext,
  authorization: string,
  how: Pick<ApiBindings, 'onlyLooks'> = {},
): Promise<Response> {
  const request = new Request('http://console.invalid/v1/me', { headers: { authorization } });
  return api.fetch(request, { address: c.env.address, ...how });
}

function tooMany({ status, headers }: Response): string | null {
  if (status !== 429) return null;
  return `Too many failed attempts from your network. Try again in ${headers.get('retry-after') ?? '1'} s.`;
}

/** No session stands behind the form yet: its token is compared with a cookie that only this server sets. */
export async function signInAnswer(desk: Desk, c: ApiContext, given: Omit<Given, 'token'>): Promise<Response> {
  const token = newToken();
  const response = await pageOf(signInPage(desk, { ...given, token }));
  const set = `${cookie(formCookie(c, desk), token, desk.deps.secure)}; Max-Age=${FORM_COOKIE_AGE}`;
  response.headers.append('set-cookie', set);
  return response;
}

export function formCookie(c: ApiContext, { deps }: Desk): string {
  return `${cookieName(c, deps)}-form`;
}

interface Given {
  readonly status: number;
  readonly refusal: string | null;
  readonly next: string;
  readonly token: string;
}

function signInPage(desk: Desk, { status, refusal, next, token }: Given): Shown {
  const { oidc } = desk.deps;
  const html = (
    <SignInDocument
      desk={desk}
      refusal={refusal}
      about={
        <>
          Make a key for yourself with <code>stigmem-peerd key create NAME --role reviewer</code>; on the node’s own
          machine <code>stigmem-peerd open</code> signs in without one.{' '}
          {oidc === null
            ? 'You can do here what the key may do.'
            : 'What you can do here, your groups at the provider say, or the key.'}{' '}
          The session ends after 30 minutes without use, after {oidc === null ? '' : hours(oidc)}12 hours
          {oidc === null ? '' : ' with a key'}, when the key ends, and when the node restarts.
        </>
      }
    >
      {oidc === null ? null : <AtProvider oidc={oidc} next={next} />}
      <form method="post" action="/console/sign-in" class="form">
        <input type="hidden" name="_csrf" value={token} />
        <input type="hidden" name="next" value={next} />
        <Field label="API key">
          <input
            type="password"
            name="key"
            required
            autofocus={oidc === null}
            autocomplete="current-password"
            spellcheck={false}
            placeholder="smk_…"
          />
        </Field>
        <button class={oidc === null ? 'main' : ''} type="submit">
          {oidc === null ? 'Sign in' : 'Sign in with the key'}
        </button>
      </form>
    </SignInDocument>
  );
  return { status, html };
}

/** The page of who is not signed in: whose console it is, why somebody was not let in, a form, and what comes of it. */
export function SignInDocument({
  desk: { assets, deps },
  refusal,
  about,
  children,
}: {
  desk: Desk;
  refusal: string | null;
  about: Html;
  children: Child;
}): Html {
  const name = nodeName(deps.node.nodeId);
  return (
    <Document assets={assets} title={`Sign in · ${name}`}>
      <div class="center">
        <main>
          <div class="brand">
            <Mark />
            <div>
              <h1>Sign in</h1>
              <span>{name}</span>
            </div>
          </div>
          {refusal === null ? null : <NoticeLine notice={{ kind: 'failed', text: refusal }} />}
          <div class="panel">
            <div class="body">{children}</div>
          </div>
          <p class="muted small">{about}</p>
        </main>
      </div>
    </Document>
  );
}

function hours({ maxSessionMs }: OidcDesk): string {
  return `${maxSessionMs / HOUR_MS} hours, or `;
}

/** Absolute, to the one address that the provider sends people back to: a cookie of another name of this server would not be there. */
function AtProvider({ oidc, next }: { oidc: OidcDesk; next: string }): Html {
  const host = new URL(oidc.issuer).host;
  return (
    <div class="provider">
      <a class="button main" href={`${oidc.nodeUrl()}/console/sign-in/oidc?next=${encodeURIComponent(next)}`}>
        Sign in with {host}
      </a>
      {oidc.provider.fault === null ? null : (
        <p class="muted small" role="status">
          {host} could not be reached when this node last asked. A key works all the same.
        </p>
      )}
      <p class="or muted small">or</p>
    </div>
  );
}
