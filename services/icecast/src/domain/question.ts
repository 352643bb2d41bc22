import { readListener, type Listener } from './guests.ts'

/** What Icecast asks, or tells, in one POST of its URL authentication. */
export type Question =
  /** May this source start on this mount? Asked before Icecast looks whether the mount is busy. */
  | { readonly kind: 'source'; readonly path: string; readonly user: string; readonly password: string }
  /**
   * May somebody with these source credentials run an admin command on this mount? Icecast does not tell which: a yes to
   * `/admin/metadata` sets a title, a yes to anything else starts a source. Anybody who reaches the port can cause it, with empty credentials.
   */
  | { readonly kind: 'admin'; readonly path: string; readonly user: string; readonly password: string }
  | { readonly kind: 'source-started'; readonly path: string }
  | { readonly kind: 'source-ended'; readonly path: string }
  | ({ readonly kind: 'listener-came'; readonly path: string } & Listener)

/** Reads the form; null when it is none that we know. Only fields that a question needs are looked at. */
export function readQuestion(form: URLSearchParams): Question | null {
  const mount = form.get('mount')
  if (mount === null) return null
  const path = mount.split('?', 1)[0]! // a listener's mount comes with its query string
  switch (form.get('action')) {
    case 'stream_auth': {
      const kind = form.has('admin') ? 'admin' : 'source'
      return { kind, path: mount, user: form.get('user') ?? '', password: form.get('pass') ?? '' }
    }
    case 'mount_add':
      return { kind: 'source-started', path: mount }
    case 'mount_remove':
      return { kind: 'source-ended', path: mount }
    case 'listener_add':
      return { kind: 'listener-came', path, ...readListener(form.get('agent') ?? '') }
    default:
      return null
  }
}
