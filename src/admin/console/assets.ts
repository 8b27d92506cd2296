/** What pages load besides themselves. Each file has its hash in its name, so that it may be kept for ever. */
import { hash } from 'node:crypto';

export interface Asset {
  /** Path below the server. */
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

export interface Assets {
  readonly style: Asset;
  readonly script: Asset;
  /** The verifier that others use too, loaded when somebody asks to verify. */
  readonly verifier: Asset;
}

const HASH_CHARS = 16;

export function assetsOf(texts: {
  readonly style: string;
  readonly script: string;
  readonly verifier: string;
}): Assets {
  return {
    style: asset('console', 'css', 'text/css', texts.style),
    script: asset('console', 'js', 'text/javascript', texts.script),
    verifier: asset('verify', 'js', 'text/javascript', texts.verifier),
  };
}

function asset(name: string, extension: string, type: string, body: string): Asset {
  const path = `/console/assets/${name}.${hash('sha256', body, 'hex').slice(0, HASH_CHARS)}.${extension}`;
  return { path, type: `${type}; charset=utf-8`, body };
}
