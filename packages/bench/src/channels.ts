import type { ApiClient } from '@skipcast/testing'

/** So many channels that play this one file, uploaded once: their slugs. Those that the home has already stay as they are. */
export async function channelsOf(api: ApiClient, count: number, file: string): Promise<string[]> {
  const slugs = Array.from({ length: count }, (_, index) => `channel-${index}`)
  const [first] = slugs
  if (first === undefined || (await api.call('GET', `/api/channels/${first}`)).status === 200) return slugs
  await api.channel({ name: first, slug: first }, [file])
  const { body } = await api.call('GET', `/api/channels/${first}/media`)
  const media = body.data.map(({ id }: { id: string }) => id)
  for (const slug of slugs.slice(1)) {
    await api.call('POST', '/api/channels', { name: slug, slug })
    const { status } = await api.call('POST', `/api/channels/${slug}/media`, { media_ids: media })
    if (status >= 300) throw new Error(`The API answered ${status} to media for ${slug}`)
  }
  return slugs
}
