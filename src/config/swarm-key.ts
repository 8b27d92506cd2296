/** The key of a private libp2p network: who does not have it speaks to nobody in it. */
import { err, ok, type Result } from '../core/result.ts';
import type { ConfigProblem } from './problem.ts';
import { readPrivateFile } from './secret-file.ts';

const MAX_FILE_BYTES = 1_024;
const KEY_BYTES = 32;
const HEAD = '/key/swarm/psk/1.0.0/';

/**
 * Reads a key file in the form that libp2p nodes share: three lines, the last one hexadecimal or base64.
 *
 * @see https://github.com/libp2p/specs/blob/master/pnet/Private-Networks-PSK-V1.md
 */
export function readSwarmKey(path: string): Result<Uint8Array, ConfigProblem> {
  const text = readPrivateFile(path, 'the key of the private network', MAX_FILE_BYTES);
  if (!text.ok) return text;
  const [head, form, key = '', ...rest] = text.value.replace(/\r?\n$/, '').split(/\r?\n/);
  const bytes = head === HEAD && rest.length === 0 ? decode(form, key) : null;
  if (bytes?.length === KEY_BYTES) return ok(bytes);
  return err({
    where: path,
    key: 'network.private_key_file',
    message: `expected three lines, "${HEAD}", "/base16/" and 64 hexadecimal digits, got something else`,
    fix: `Make one, and give it to all of the network: printf '${HEAD}\\n/base16/\\n%s\\n' "$(openssl rand -hex 32)"`,
  });
}

function decode(form: string | undefined, key: string): Uint8Array | null {
  if (form === '/base16/') return /^[0-9a-f]{64}$/i.test(key) ? Buffer.from(key, 'hex') : null;
  if (form !== '/base64/') return null;
  const bytes = Buffer.from(key, 'base64');
  return bytes.toString('base64') === key ? bytes : null;
}
