/** Why somebody is not signed in. Codes stand in audit records, as reasons: a public contract. */
export type SignInRefusal =
  /** No sign-in began here with this state, or it is too long ago, or was used already. */
  | 'state_unknown'
  /** The sign-in began in another browser. */
  | 'browser_differs'
  /** The provider does not let the person in, or they went back. */
  | 'provider_refused'
  /** The provider, or what it says of itself, cannot be had or is not as it has to be. */
  | 'provider_unavailable'
  /** What came back names another provider, or is not what the protocol says. */
  | 'response_invalid'
  /** The provider does not take the code: it was used, is not its own, or the client's secret is wrong. */
  | 'code_refused'
  | 'token_malformed'
  | 'token_algorithm_refused'
  | 'token_signature_invalid'
  /** It has expired, or comes from the future. */
  | 'token_time_invalid'
  /** Issuer, audience, party or nonce are not those of this sign-in. */
  | 'token_claim_mismatch'
  | 'subject_invalid'
  | 'acr_insufficient'
  | 'amr_insufficient'
  /** The claim that roles come from is not in the token. */
  | 'roles_missing'
  | 'roles_malformed'
  /** No rule gives any of the person's values a role. */
  | 'no_role';

/** A refusal, and what an operator should know of it: a sentence of ours, with what others wrote cut short. */
export interface Refused {
  readonly code: SignInRefusal;
  readonly detail: string;
}

/** Of the person's own doing or the provider's word: only who has an account there gets so far. */
const AFTER_PROVIDER: ReadonlySet<SignInRefusal> = new Set([
  'token_malformed',
  'token_algorithm_refused',
  'token_signature_invalid',
  'token_time_invalid',
  'token_claim_mismatch',
  'subject_invalid',
  'acr_insufficient',
  'amr_insufficient',
  'roles_missing',
  'roles_malformed',
  'no_role',
]);

/** Whether anybody who reaches the console can earn it, as often as they like. */
export function isStrangers(code: string): boolean {
  return !(AFTER_PROVIDER as ReadonlySet<string>).has(code);
}
