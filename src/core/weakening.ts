/** What an operator has set that makes a node easier to attack than it is by default. Codes are a contract, like reasons. */
export const WEAKENINGS = [
  'addresses_opened',
  'api_plain_http',
  'api_key_endless',
  'clock_ahead',
  'erasure_at_once',
  'guard_impatient',
  'team_shared',
] as const;
export type WeakeningCode = (typeof WEAKENINGS)[number];

export interface Weakening {
  readonly code: WeakeningCode;
  /** Where it is set: a setting, a peer file, a key. */
  readonly where: string;
  /** What follows from it, for people. */
  readonly sentence: string;
}
