import type { Provider } from '../../ports.ts'

/** What a provider gave the operator. */
interface ProviderKey {
  readonly clientId: string
  readonly clientSecret: string
}

/** Those that are absent are not offered. */
export interface ProviderKeys {
  readonly google?: ProviderKey | undefined
  readonly facebook?: ProviderKey | undefined
  /** Any that speaks OpenID Connect. */
  readonly openid?: (ProviderKey & { readonly issuer: string; readonly name: string }) | undefined
}

export function providersOf(keys: ProviderKeys): Provider[] {
  return [
    ...(keys.google ? [{ id: 'google', name: 'Google' }] : []),
    ...(keys.facebook ? [{ id: 'facebook', name: 'Facebook' }] : []),
    ...(keys.openid ? [{ id: 'openid', name: keys.openid.name }] : []),
  ]
}
