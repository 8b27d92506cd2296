/** How two nodes become partners, as the API serves it. */
import type { OnboardingRefusal, OnboardingTerms, OnboardingView } from '../core/onboarding.ts';
import type { Result } from '../core/result.ts';

type Onboarded<T> = Promise<Result<T, OnboardingRefusal>>;

/** Invitations, and partners that wait to be confirmed. `id` is that of an invitation, or the name of who waits. */
export interface ApiOnboarding {
  invite(
    invitation: { readonly terms: OnboardingTerms; readonly validForS: number },
    actor: string,
  ): Onboarded<{ readonly code: string; readonly view: OnboardingView }>;
  revoke(id: string, actor: string): Onboarded<OnboardingView>;
  join(code: string, name: string | null, actor: string): Onboarded<OnboardingView>;
  /** This node's signed peer note, for those who exchange files. */
  ownNote(): string;
  take(note: string, terms: OnboardingTerms, actor: string): Onboarded<OnboardingView>;
  confirm(id: string, words: readonly string[], actor: string): Onboarded<OnboardingView>;
  reject(id: string, actor: string): Onboarded<OnboardingView>;
  list(): Promise<readonly OnboardingView[]>;
  get(id: string): Promise<OnboardingView | undefined>;
}
