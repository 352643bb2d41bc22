import { LISTENER_DOORS, OWN_DOOR, SOURCE_DOORS } from './doors.ts'
import { escapeXml } from './escape-xml.ts'

export interface IcecastSettings {
  readonly hostname: string
  /** Where it listens, at each of its doors. */
  readonly innerPort: number
  readonly adminUser: string
  readonly adminPassword: string
  readonly maxListeners: number
  readonly maxSources: number
  /** Whom Icecast asks about every source and every listener. */
  readonly askUrl: string
  readonly logDirectory: string
  /** At this size a log is renamed to `.old` and begun anew. */
  readonly logMaxKb: number
  /** An empty folder: Icecast serves no file and no page of its own. */
  readonly webroot: string
}

/** What connections of the role itself and of administrators need beside listeners and sources. */
const SPARE_CLIENTS = 100
/** Not `listener_remove`: 300 who leave at once would stand in line before those who come then, and at 100 Icecast turns people away. */
const ASKED = ['stream_auth', 'mount_add', 'mount_remove', 'listener_add']

/**
 * The whole configuration of icecast2. No channel stands in it: three patterns serve them all, so nothing is ever reloaded
 * (a reload can block Icecast for minutes). Order matters, the first match counts, and the nameless block ends the search.
 * There is no source password: who may feed a mount is asked for each source.
 */
export function icecastXml(settings: IcecastSettings): string {
  const text = (value: string | number) => escapeXml(String(value))
  const asking = [
    `    <authentication type="url">`,
    ...ASKED.map((event) => `      <option name="${event}" value="${text(settings.askUrl)}"/>`),
    `    </authentication>`,
  ].join('\n')

  const listenSockets = [OWN_DOOR, ...LISTENER_DOORS, ...SOURCE_DOORS]
    .map(
      (address) => `  <listen-socket>
    <bind-address>${address}</bind-address>
    <port>${text(settings.innerPort)}</port>
  </listen-socket>`,
    )
    .join('\n')

  return `<?xml version="1.0" encoding="UTF-8"?>
<icecast>
  <hostname>${text(settings.hostname)}</hostname>
  <location>-</location>
  <admin>-</admin>
  <server-id>Skipcast</server-id>
  <fileserve>0</fileserve>
  <http-headers>
    <header name="Access-Control-Allow-Origin" value="*"/>
  </http-headers>
  <limits>
    <clients>${text(settings.maxListeners + settings.maxSources + SPARE_CLIENTS)}</clients>
    <sources>${text(settings.maxSources)}</sources>
    <queue-size>524288</queue-size>
    <burst-size>65535</burst-size>
    <client-timeout>30</client-timeout>
    <header-timeout>15</header-timeout>
    <source-timeout>2</source-timeout>
  </limits>
  <authentication>
    <admin-user>${text(settings.adminUser)}</admin-user>
    <admin-password>${text(settings.adminPassword)}</admin-password>
  </authentication>
${listenSockets}
  <mount type="default">
    <mount-name>/*</mount-name>
    <charset>UTF-8</charset>
${asking}
  </mount>
  <mount type="default">
    <mount-name>/w/*</mount-name>
    <hidden>1</hidden>
    <charset>UTF-8</charset>
${asking}
  </mount>
  <mount type="default">
    <hidden>1</hidden>
${asking}
  </mount>
  <paths>
    <logdir>${text(settings.logDirectory)}</logdir>
    <webroot>${text(settings.webroot)}</webroot>
    <adminroot>${text(settings.webroot)}</adminroot>
  </paths>
  <logging>
    <accesslog>access.log</accesslog>
    <errorlog>error.log</errorlog>
    <loglevel>2</loglevel>
    <logsize>${text(settings.logMaxKb)}</logsize>
  </logging>
  <security>
    <chroot>0</chroot>
  </security>
</icecast>
`
}
