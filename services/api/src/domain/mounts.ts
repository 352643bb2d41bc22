/** The mounts that a channel's replicas feed. Whoever listens asks for `/{slug}`, and is sent to where the programme is. */
export function mountsOf({ slug }: { readonly slug: string }): { readonly primary: string; readonly standby: string } {
  return { primary: `/${slug}`, standby: `/w/${slug}` }
}
