/** Takes the token out of the address, so that neither history nor whoever looks over a shoulder keeps it, and into the form. */
export function startSignInLink(): void {
  const field = document.querySelector<HTMLInputElement>('form[data-link] input[name=token]');
  if (field === null || location.hash === '') return;
  field.value = location.hash.slice(1);
  history.replaceState(null, '', location.pathname);
  field.form?.querySelector('button')?.focus();
}
