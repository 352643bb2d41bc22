import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import { Provider, type Adapter, type AdapterPayload } from 'oidc-provider'

/** Somebody as the provider knows them. */
export interface OpenIdPerson {
  readonly sub: string
  readonly email: string
  readonly email_verified: boolean
  readonly name?: string
}

/** A real OpenID provider on loopback, which lets everybody in as `person` without asking. */
export interface TestOpenId extends AsyncDisposable {
  readonly issuer: string
  person: OpenIdPerson
  /** What it was asked for at its door, oldest first. */
  readonly asked: URLSearchParams[]
  /** Follows a browser from our redirect through the provider; resolves with where it leads back to. */
  walk(url: string): Promise<URL>
}

export const CLIENT = { clientId: 'skipcast', clientSecret: 'the secret of this client' }

export async function testOpenId(redirectUri: string): Promise<TestOpenId> {
  const http = createServer()
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const issuer = `http://127.0.0.1:${(http.address() as { port: number }).port}`
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const provider = new Provider(issuer, {
    adapter: memory(),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256' }] },
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    findAccount: (_context, sub) => ({ accountId: sub, claims: async () => ({ ...openId.person }) }),
    async loadExistingGrant(context) {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client!.clientId,
        accountId: context.oidc.session!.accountId!,
      })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ['a key of the test'] },
  })
  const answer = provider.callback()
  http.on('request', (request, response) => {
    const isAsked = request.url?.startsWith('/interaction/')
    void (isAsked
      ? provider.interactionFinished(request, response, { login: { accountId: openId.person.sub } })
      : answer(request, response))
  })
  const asked: URLSearchParams[] = []
  const openId: TestOpenId = {
    issuer,
    person: { sub: 'nobody', email: 'nobody@radio.test', email_verified: true },
    asked,
    async walk(url) {
      const cookies = new Map<string, string>()
      asked.push(new URL(url).searchParams)
      for (let at = new URL(url); ;) {
        if (at.origin !== issuer) return at
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
        const response = await fetch(at, { redirect: 'manual', headers: { cookie } })
        const location = response.headers.get('location')
        if (location === null) throw new Error(`the provider stopped with ${response.status}: ${await response.text()}`)
        for (const set of response.headers.getSetCookie()) {
          const [name, value] = set.split(';')[0]!.split('=') as [string, string]
          cookies.set(name, value)
        }
        at = new URL(location, at)
      }
    },
    async [Symbol.asyncDispose]() {
      const closed = once(http, 'close')
      http.close()
      http.closeAllConnections()
      await closed
    },
  }
  return openId
}

/** What the provider remembers, for one test run. */
function memory(): (kind: string) => Adapter {
  const kept = new Map<string, AdapterPayload>()
  const drop = (isMeant: (payload: AdapterPayload) => boolean) => {
    for (const [key, payload] of kept) if (isMeant(payload)) kept.delete(key)
  }
  return (kind) => ({
    upsert: async (id, payload) => void kept.set(`${kind} ${id}`, payload),
    find: async (id) => kept.get(`${kind} ${id}`),
    findByUid: async (uid) => [...kept.values()].find((payload) => payload.uid === uid && payload.kind === kind),
    findByUserCode: async () => undefined,
    async consume(id) {
      const payload = kept.get(`${kind} ${id}`)
      if (payload) payload.consumed = Math.floor(Date.now() / 1000)
    },
    destroy: async (id) => void kept.delete(`${kind} ${id}`),
    revokeByGrantId: async (grantId) => drop((payload) => payload.grantId === grantId),
  })
}
