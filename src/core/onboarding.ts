/** How two nodes become partners, in the words of operators: shared by the station that does it and the API that shows it. */

/** `confirming`: an operator has said yes, and the steps that follow are not all done. */
export const ONBOARDING_STATES = [
  'open',
  'expired',
  'pending',
  'confirming',
  'confirmed',
  'rejected',
  'revoked',
] as const;
export type OnboardingState = (typeof ONBOARDING_STATES)[number];

/** How the partner came: with our code, by its code, or as a file. */
export type OnboardingWay = 'invite' | 'join' | 'file';

export const CHECK_NAMES = ['reach', 'key', 'clock', 'versions', 'tls', 'grants', 'partner'] as const;

/** One thing that was looked at before anybody says yes. */
export interface OnboardingCheck {
  readonly name: (typeof CHECK_NAMES)[number];
  readonly ok: boolean;
  readonly detail: string;
  /** What to do; null when it passed. */
  readonly fix: string | null;
}

/** A partner that has shown who it is and that nobody has confirmed yet. */
export interface PartnerView {
  readonly node_id: string;
  readonly peer_id: string;
  readonly addresses: readonly string[];
  readonly words: readonly string[];
  readonly checks: readonly OnboardingCheck[];
  /** Facts that this node would take, two digits of it; null: not told. */
  readonly takes_about: number | null;
  /** Facts that the partner would take. */
  readonly gives_about: number;
}

export interface OnboardingView {
  readonly id: string;
  readonly by: OnboardingWay;
  readonly state: OnboardingState;
  /** Of the peer file that is made, or will be; null while nobody has come. */
  readonly name: string | null;
  readonly made_at: string;
  /** When the code ends; null for a file. */
  readonly expires_at: string | null;
  /** Feeds of this node that the partner may read. */
  readonly share: readonly string[];
  /** Feeds of the partner that this node takes. */
  readonly accept: readonly string[];
  /** When the grants end. */
  readonly until: string | null;
  readonly partner: PartnerView | null;
}

export type OnboardingRefusalCode =
  | 'invitation_invalid'
  | 'too_many_invitations'
  | 'code_invalid'
  | 'code_expired'
  | 'own_code'
  | 'unreachable'
  | 'not_let_in'
  | 'code_used'
  | 'answer_invalid'
  | 'declaration_invalid'
  | 'not_found'
  | 'not_pending'
  | 'words_differ'
  | 'peer_exists';

/** Why a step of onboarding was not done; the message says what to do. */
export interface OnboardingRefusal {
  readonly code: OnboardingRefusalCode;
  readonly message: string;
}

/** What an invitation, or a file that is taken, grants. Times are ISO texts. */
export interface OnboardingTerms {
  readonly share: readonly string[];
  readonly accept: readonly string[];
  readonly until: string | null;
  /** What we call the partner; null: after its node id. */
  readonly name: string | null;
}

/** A number of facts with two digits, as `about 1,200`: who has a code learns no exact length. */
export function roughly(count: number): number {
  const unit = 10 ** Math.max(0, String(Math.trunc(count)).length - 2);
  return Math.round(count / unit) * unit;
}
