const storageKey = 'resnet-edge.credential';

/** Upload tokens begin like this; everything else is an API key. */
const tokenPrefix = 'rut_';

/** The key or token of this tab. sessionStorage forgets it when the tab is closed. */
export function readCredential(): string {
  return sessionStorage.getItem(storageKey) ?? '';
}

export function keepCredential(credential: string): void {
  if (credential === '') sessionStorage.removeItem(storageKey);
  else sessionStorage.setItem(storageKey, credential);
}

export const isUploadToken = (credential: string): boolean => credential.startsWith(tokenPrefix);
