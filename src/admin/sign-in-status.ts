/** How people sign in at an identity provider, as the API tells it. */
export interface SignInStatus {
  readonly issuer: string;
  readonly client_id: string;
  readonly redirect_uri: string;
  readonly rules: number;
  /** Names of keys in force that name a person of another issuer. */
  readonly other_issuer_keys: readonly string[];
  /** Why the provider cannot be used; null: it can. */
  readonly fault: string | null;
  readonly keys: number | null;
  readonly algorithms: readonly string[];
  readonly clock_skew_ms: number | null;
  readonly ends_sessions: boolean;
}
