/**
 * Signing in with a link that `stigmem-peerd open` made. The token is in the link's fragment, which stands in no request, log or Referer;
 * the page's script moves it into the form. A person presses the button: a page of another site that leads here signs nobody in.
 */
import { getCookie } from 'hono/cookie';
import type { ApiContext } from '../api/route.ts';
import { type Desk, pageOf, readForm, type Shown } from './desk.ts';
import { cookie } from './headers.ts';
import { isSameToken, newToken } from './sessions.ts';
import { countFailure, enterByKey, FORM_COOKIE_AGE, formCookie, SignInDocument, signInAnswer } from './sign-in.tsx';
import { LINK_PATH, type LinkRefusal } from './sign-in-links.ts';

export function addLinkSignIn(desk: Desk): void {
  const { app, deps } = desk;
  app.get(LINK_PATH, async (c) => {
    const token = newToken();
    const response = await pageOf(linkPage(desk, token));
    const set = cookie(formCookie(c, desk), token, deps.secure);
    response.headers.append('set-cookie', `${set}; Max-Age=${FORM_COOKIE_AGE}`);
    return response;
  });
  app.post(LINK_PATH, async (c) => {
    const form = await readForm(c, deps);
    const expected = getCookie(c, formCookie(c, desk)) ?? '';
    if (form === null || expected === '' || !isSameToken(form.text('_csrf'), expected))
      return signInAnswer(desk, c, {
        status: 403,
        refusal: 'This page had grown old. Open the link again.',
        next: NEXT,
      });
    const taken = deps.links.take(form.text('token'), deps.nowMs());
    if (!taken.ok) return notLetIn(desk, c, taken.error);
    const entered = await enterByKey(desk, c, taken.value, 'link', NEXT);
    // The key ended between the two.
    return entered ?? notLetIn(desk, c, 'link_expired');
  });
}

const NEXT = '/console';
const AGAIN = 'Make another: stigmem-peerd open';
const WORDS: Readonly<Record<LinkRefusal, string>> = {
  link_unknown: `This link opens nothing: it is not whole, or the node was started again since. ${AGAIN}`,
  link_used: `This link was used before. If that was not you, somebody else is signed in: stigmem-peerd session list. ${AGAIN}`,
  link_expired: `This link is over: it opens within a minute. ${AGAIN}`,
};

async function notLetIn(desk: Desk, c: ApiContext, code: LinkRefusal): Promise<Response> {
  const over = await countFailure(desk, c);
  await desk.signIns.refused({ method: 'link', code, detail: WORDS[code] }, c.env.address);
  const [status, refusal] = over === null ? [401, WORDS[code]] : [429, over];
  return signInAnswer(desk, c, { status, refusal, next: NEXT });
}

function linkPage(desk: Desk, token: string): Shown {
  const about = (
    <>
      The link works once, within a minute, and opens a session of the key that made it. It needs scripts; without them{' '}
      <a href="/console/sign-in">sign in with the key</a>.
    </>
  );
  const html = (
    <SignInDocument desk={desk} refusal={null} about={about}>
      <form method="post" action={LINK_PATH} class="form" data-link>
        <input type="hidden" name="_csrf" value={token} />
        <input type="hidden" name="token" value="" />
        <button class="main" type="submit">
          Sign in
        </button>
      </form>
    </SignInDocument>
  );
  return { html };
}
