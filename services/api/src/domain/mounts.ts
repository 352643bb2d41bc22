/** The mounts that a channel's replicas feed. Whoever listens asks for `/{slug}`, and is sent to where the programme is. */
export function mountsOf({ slug, primaryMount }: { readonly slug: string; readonly primaryMount: 'own' | 'waiting' }): {
  readonly primary: string
  readonly standby: string
} {
  const [own, waiting] = [`/${slug}`, `/w/${slug}`]
  return primaryMount === 'own' ? { primary: own, standby: waiting } : { primary: waiting, standby: own }
}
