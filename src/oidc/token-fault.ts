/** What the library found against an answer or a token, in codes of ours. */
import {
  INVALID_RESPONSE,
  JWT_CLAIM_COMPARISON,
  JWT_TIMESTAMP_CHECK,
  KEY_SELECTION,
  OperationProcessingError,
  PARSE_ERROR,
  RESPONSE_IS_NOT_CONFORM,
  RESPONSE_IS_NOT_JSON,
  UnsupportedOperationError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import type { Refused, SignInRefusal } from './refusal.ts';

const BY_CODE: Readonly<Record<string, SignInRefusal>> = {
  [JWT_CLAIM_COMPARISON]: 'token_claim_mismatch',
  [JWT_TIMESTAMP_CHECK]: 'token_time_invalid',
  [KEY_SELECTION]: 'token_signature_invalid',
  [PARSE_ERROR]: 'token_malformed',
  [RESPONSE_IS_NOT_CONFORM]: 'response_invalid',
  [RESPONSE_IS_NOT_JSON]: 'response_invalid',
  [INVALID_RESPONSE]: 'response_invalid',
};

/** @returns null for what is no fault of an answer: the provider could not be asked */
export function refusalOf(thrown: unknown): Refused | null {
  if (thrown instanceof WWWAuthenticateChallengeError)
    return { code: 'code_refused', detail: `the provider’s token endpoint answered ${thrown.status}` };
  if (thrown instanceof UnsupportedOperationError) return { code: unsupported(thrown), detail: thrown.message };
  if (!(thrown instanceof OperationProcessingError)) return null;
  const code = BY_CODE[thrown.code ?? ''];
  if (code === undefined) return null;
  return { code: code === 'response_invalid' ? finer(thrown) : code, detail: detailOf(thrown) };
}

function unsupported({ message }: UnsupportedOperationError): SignInRefusal {
  if (/algorithm/.test(message)) return 'token_algorithm_refused';
  return /JWE|JWT/.test(message) ? 'token_malformed' : 'response_invalid';
}

/** One code of the library's has several meanings, which its sentence tells apart; what it says anew stays a faulty answer. */
function finer({ message }: OperationProcessingError): SignInRefusal {
  if (/"alg" header/.test(message)) return 'token_algorithm_refused';
  if (/signature verification failed/.test(message)) return 'token_signature_invalid';
  return /JWT|ID Token/.test(message) ? 'token_malformed' : 'response_invalid';
}

/** Its sentences name what is compared, and never quote a value. */
function detailOf({ message, cause }: OperationProcessingError): string {
  const claim = typeof cause === 'object' && cause !== null && 'claim' in cause ? ` (${String(cause.claim)})` : '';
  return `${message}${claim}`;
}
