/** Opens an address that is a secret in the browser of whoever sits here. */
import { spawn } from 'node:child_process';
import { writeFileAtomically } from '../config/atomic-file.ts';
import { dataPaths } from '../config/data-dir.ts';
import type { Context } from './cli.ts';

/** The desktop's own way to open a file, or null: there is no desktop, or it is another machine's. */
function opener({ env }: Context['runtime']): string | null {
  if (env['SSH_CONNECTION'] !== undefined) return null;
  if (process.platform === 'darwin') return 'open';
  return env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined ? 'xdg-open' : null;
}

/**
 * Has it opened by way of a page that only this account can read: the arguments of a program are shown to everybody on the machine.
 *
 * @returns false where that could not be begun; the address is printed in any case
 */
export async function openOnDesktop(context: Context, url: string): Promise<boolean> {
  const program = opener(context.runtime);
  if (program === null) return false;
  try {
    const page = dataPaths(context.dir()).openPage;
    writeFileAtomically(page, leadingTo(url), 0o600);
    return await begin(program, page, context.runtime.env);
  } catch {
    return false;
  }
}

function begin(program: string, page: string, env: Context['runtime']['env']): Promise<boolean> {
  const child = spawn(program, [page], { detached: true, stdio: 'ignore', env });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}

function leadingTo(url: string): string {
  const safe = url.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  return `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${safe}">
<title>Sign in</title>
<a href="${safe}">Sign in</a>
`;
}
