/** Signing in with an API key, and out again. The key itself is not kept: the session remembers which one it was. */
import { getCookie } from 'hono/cookie';
import type { ApiContext } from '../api/route.ts';
import { cookieName, type Desk, ownPath, pageOf, readForm, type Shown } from './desk.ts';
import { seeOther } from './headers.ts';
import { Mark } from './icons.tsx';
import { Document, NoticeLine } from './layout.tsx';
import { Field } from './parts.tsx';
import { isSameToken, newToken } from './sessions.ts';
import { nodeName } from './words.ts';

const MAX_COOKIE_AGE_S = 600;

export function addSignIn(desk: Desk): void {
  const { app, deps, sessions } = desk;
  app.get('/console/sign-in', async (c) => withToken(desk, c, 200, null, ownPath(c.req.query('next') ?? '')));
  app.post('/console/sign-in', async (c) => {
    const form = await readForm(c, deps);
    const expected = getCookie(c, formCookie(c, desk)) ?? '';
    if (form === null || expected === '' || !isSameToken(form.text('_csrf'), expected))
      return withToken(desk, c, 403, 'This form had grown old. Send it again.', '/console');
    const next = ownPath(form.text('next'));
    const outcome = await signIn(desk, c, form.text('key').trim());
    if ('refusal' in outcome) return withToken(desk, c, outcome.status, outcome.refusal, next);
    const { keyId } = outcome;
    const token = sessions.start(keyId, () => deps.keys.inForce(keyId, deps.nowMs()), deps.nowMs());
    return seeOther(next, { 'set-cookie': cookie(cookieName(c, deps), token, deps.secure) });
  });
  desk.act('/console/sign-out', async ({ c }) => {
    const name = cookieName(c, deps);
    sessions.end(getCookie(c, name) ?? '');
    return seeOther('/console/sign-in', {
      'set-cookie': `${cookie(name, '', deps.secure)}; Max-Age=0`,
      'clear-site-data': '"cache"',
    });
  });
}

type Outcome = { readonly keyId: string } | { readonly status: number; readonly refusal: string };

/** By the API's own question whose key this is: failures count there, by address, as any other. */
async function signIn({ deps }: Desk, c: ApiContext, key: string): Promise<Outcome> {
  const authorization = /^[\x21-\x7e]{1,256}$/.test(key) ? `Bearer ${key}` : '';
  const request = new Request('http://console.invalid/v1/me', { headers: { authorization } });
  const response = await deps.api.fetch(request, { address: c.env.address });
  const { status } = response;
  if (status === 200) return { keyId: ((await response.json()) as { key_id: string }).key_id };
  if (status === 429) {
    const wait = response.headers.get('retry-after') ?? '1';
    return { status, refusal: `Too many failed attempts from your network. Try again in ${wait} s.` };
  }
  return { status: 401, refusal: 'This key is unknown, expired or revoked.' };
}

/** No session stands behind the form yet: its token is compared with a cookie that only this server sets. */
async function withToken(
  desk: Desk,
  c: ApiContext,
  status: number,
  refusal: string | null,
  next: string,
): Promise<Response> {
  const token = newToken();
  const response = await pageOf(signInPage(desk, { status, refusal, next, token }));
  const set = `${cookie(formCookie(c, desk), token, desk.deps.secure)}; Max-Age=${MAX_COOKIE_AGE_S}`;
  response.headers.append('set-cookie', set);
  return response;
}

function formCookie(c: ApiContext, { deps }: Desk): string {
  return `${cookieName(c, deps)}-form`;
}

function cookie(name: string, value: string, secure: boolean): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}

interface Given {
  readonly status: number;
  readonly refusal: string | null;
  readonly next: string;
  readonly token: string;
}

function signInPage({ assets, deps }: Desk, { status, refusal, next, token }: Given): Shown {
  const html = (
    <Document assets={assets} title={`Sign in · ${nodeName(deps.node.nodeId)}`}>
      <div class="center">
        <main>
          <div class="brand">
            <Mark />
            <div>
              <h1>Sign in</h1>
              <span>{nodeName(deps.node.nodeId)}</span>
            </div>
          </div>
          {refusal === null ? null : <NoticeLine notice={{ kind: 'failed', text: refusal }} />}
          <div class="panel">
            <div class="body">
              <form method="post" action="/console/sign-in" class="form">
                <input type="hidden" name="_csrf" value={token} />
                <input type="hidden" name="next" value={next} />
                <Field label="API key">
                  <input
                    type="password"
                    name="key"
                    required
                    autofocus
                    autocomplete="current-password"
                    spellcheck={false}
                    placeholder="smk_…"
                  />
                </Field>
                <button class="main" type="submit">
                  Sign in
                </button>
              </form>
            </div>
          </div>
          <p class="muted small">
            Make a key for yourself with <code>stigmem-peerd key create NAME --role reviewer</code>. You can do here
            what the key may do. The session ends after 30 minutes without use, after 12 hours, when the key ends, and
            when the node restarts.
          </p>
        </main>
      </div>
    </Document>
  );
  return { status, html };
}
