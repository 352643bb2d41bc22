import { isIPv6 } from 'node:net'
import { LISTENER_DOORS, MOST_LISTENERS_WAITING, SOURCE_DOORS } from './doors.ts'
import { GUEST_AGENT } from './guests.ts'
import { MONITOR_AGENT } from './monitors.ts'
import { MOUNT, SLUG } from './mounts.ts'
import { sessionLogFormat } from './session-report.ts'

export interface FrontSettings {
  /** Where the public listens. */
  readonly bind: string
  readonly port: number
  /** With the certificate that lies beside the configuration. */
  readonly tlsPort: number | null
  /** icecast2's port, at each of its doors. */
  readonly innerPort: number
  /** Where the role answers Icecast (TCP) and hears of sessions (UDP). */
  readonly askPort: number
  readonly sessionSecret: string
  /** What the tokens of sources are signed with. */
  readonly signingKey: string
  readonly maxConnections: number
  /** Who may read statistics, and from which networks. */
  readonly adminUser: string
  readonly adminPassword: string
  readonly statisticsFrom: readonly string[]
}

/** Beside the configuration; HAProxy runs in that directory. */
export const GATE_FILE = 'gate.lua'
export const CERTIFICATE_FILE = 'certificate.pem'
/** Which channels' listeners are sent to the second mount: `/{slug} /w/{slug}`, one a line. */
export const MAP_FILE = 'mounts.map'
/** How many may hear a channel, of those that have a limit: `/{slug} 100`, one a line, by its audience (`audienceOf`). */
export const LIMITS_FILE = 'limits.map'
/** Where HAProxy is told of changes in those maps. */
export const RUNTIME_SOCKET = 'runtime.sock'

/** Workers of former configurations that may live on for their listeners: with more, the oldest lets its own go. */
const MOST_OLD_WORKERS = 10
/** A role that restarts needs less. */
const GATE_PATIENCE_MS = 10_000
/** Usually 0.15 s, as Icecast asks in that rhythm. Less than what players have in store, and than what the agent takes for a failure. */
const TITLE_TIMEOUT_MS = 1000
/** The role judges who comes with a false token, and tells of it; the rest is refused here, so that no flood of them reaches Icecast. */
const FALSE_LOGINS = { most: 20, withinMs: 10_000 }
/** A slash, a slug, and a channel's id. */
const MOST_AUDIENCE_CHARACTERS = 192
/** A channel that is full is likely to be so for a while. */
const FULL_RETRY_AFTER_S = 10
const MOST_URL_CHARACTERS = 1000
const MOST_AGENT_CHARACTERS = 200
const FEW_FIELDS = `  # Icecast keeps heads beside its own words for the request: a field named __uri would take the place of the path that was looked at here.
  http-request del-header ^(?!(authorization|user-agent)$) -m reg`

/** As Icecast spells them; HAProxy would write them small. */
const RESPONSE_HEADERS = [
  'Server',
  'Date',
  'Content-Type',
  'Cache-Control',
  'Expires',
  'Pragma',
  'Connection',
  'Access-Control-Allow-Origin',
]

/**
 * The whole configuration of HAProxy, which stands between the world and icecast2:
 *
 *   SOURCE, PUT of either mount ─► signature ───────────► bytes as they are ─► source doors
 *   GET of /{slug} ─► room? ─► gate ─► map: which of its mounts ─┬► retry on 404 ────► listener doors
 *   GET of either mount by a monitor ─► signature ──────┘
 *   /admin/metadata of a source (an answer in a second, or none), /admin/stats of the role metrics ─► source doors
 *   anything else: refused here
 *
 * A SOURCE request has a body without length, which HTTP does not know; so every connection begins as TCP, and turns to HTTP when it
 * brings no source. No channel stands here (the maps are files beside it), and nothing that a user wrote.
 */
export function frontConfig(settings: FrontSettings): string {
  const { innerPort, tlsPort } = settings
  const login = Buffer.from(`${settings.adminUser}:${settings.adminPassword}`).toString('base64')
  const doors = (addresses: readonly string[]) =>
    addresses.map((address, index) => `  server door${index + 1} ${address}:${innerPort}`).join('\n')

  return `global
  maxconn ${settings.maxConnections}
  no strict-limits
  mworker-max-reloads ${MOST_OLD_WORKERS}
  log 127.0.0.1:${settings.askPort} len 2048 format raw local0
  lua-load ${GATE_FILE}
  stats socket unix@${RUNTIME_SOCKET} mode 600 level admin
  ssl-default-bind-options ssl-min-ver TLSv1.2
${RESPONSE_HEADERS.map((name) => `  h1-case-adjust ${name.toLowerCase()} ${name}`).join('\n')}

defaults
  mode http
  log global
  option httpclose
  timeout http-request 10s
  timeout connect 250ms
  # Time without a byte. A stream has none: the role feeds silence where nobody else feeds anything.
  timeout client 60s
  timeout server 60s
  http-error status 400 content-type text/plain string "This is no request.\\n"
  http-error status 408 content-type text/plain string "The request took too long.\\n"
  http-error status 502 content-type text/plain string "Icecast gave no answer.\\n"
  http-error status 503 content-type text/plain string "Not now. Try again in a moment.\\n" hdr Retry-After 1
  http-error status 504 content-type text/plain string "Icecast gave no answer in time.\\n"

frontend public
  mode tcp
  bind ${listenAt(settings.bind, settings.port)}
${tlsPort === null ? '' : `  bind ${listenAt(settings.bind, tlsPort)} ssl crt ${CERTIFICATE_FILE} alpn http/1.1\n`}\
  # Players of old hardware know their headers in one spelling only.
  option h1-case-adjust-bogus-client
  option dontlognull
  log-format "${sessionLogFormat(settings.sessionSecret)}"

  tcp-request inspect-delay 10s
  tcp-request content set-log-level silent
  tcp-request content set-var(txn.source) bool(true) if HTTP { method SOURCE PUT } { url -m reg ^${MOUNT}$ }
  tcp-request content set-var(txn.monitor) bool(true) if HTTP METH_GET { url -m reg ^${MOUNT}$ } { req.fhdr(authorization) -m beg "Basic c291cmNlO" }
  tcp-request content set-var(txn.title) bool(true) if HTTP METH_GET { path /admin/metadata } { req.fhdr(authorization) -m beg "Basic c291cmNlO" }
${signatureRules(settings.signingKey)}
  tcp-request content accept if { var(txn.source) -m bool } !{ var(txn.refused) -m bool }
  tcp-request content switch-mode http proto h1 if HTTP
  tcp-request content reject

  acl channel url -m reg ^${SLUG}([?].*)?$
  acl statistics url /admin/stats
  acl from_metrics req.fhdr(authorization) -m str "Basic ${login}"
  acl near src ${settings.statisticsFrom.join(' ')}
  acl two_logins req.fhdr_cnt(authorization) gt 1
  acl has_body req.hdr(transfer-encoding) -m found
  acl has_body req.hdr_val(content-length) gt 0

  http-request return status 429 hdr Retry-After 10 if { var(txn.refused) -m bool }
  http-request return status 405 hdr Allow "GET, HEAD, OPTIONS" if !{ method GET HEAD OPTIONS }
  http-request return status 414 if { url -m len gt ${MOST_URL_CHARACTERS} }
  http-request return status 400 if has_body or two_logins
  http-request return status 204 hdr Access-Control-Allow-Origin * hdr Access-Control-Allow-Methods "GET, HEAD, OPTIONS" hdr Access-Control-Allow-Headers * hdr Access-Control-Max-Age 86400 if METH_OPTIONS channel
  http-request return status 404 content-type text/plain string "There is no such channel.\\n" unless channel or { var(txn.exact) -m bool } or { var(txn.title) -m bool } or statistics METH_GET from_metrics near

  use_backend sources if { var(txn.source) -m bool }
  use_backend titles if { var(txn.title) -m bool }
  use_backend administration if statistics
  default_backend listeners

# How many listeners were handed on, and how many of them have their answer: the gate's two numbers.
backend asked
  stick-table type string len 8 size 1 store conn_cur
backend answered
  stick-table type string len 8 size 1 store conn_cur

# Who hears each channel, by its audience, whichever mount they are on: from their request to the end of their connection. Who asks for a private one without a
# link is among those of the bare mount, which count for nothing: they neither take a place nor are told that there is none.
backend audience
  stick-table type string len ${MOST_AUDIENCE_CHARACTERS} size ${settings.maxConnections} expire 10s store conn_cur

backend false_logins
  stick-table type string len 8 size 1 store conn_rate(${FALSE_LOGINS.withinMs})

backend listeners
  option http-no-delay
  balance roundrobin
  # Who comes in the moment in which an engine died is told 404: the filler is in by the time of the next try or two.
  retries 10
  retry-on conn-failure empty-response 404
  http-request disable-l7-retry unless METH_GET
${guestRules(settings.signingKey)}
  http-request set-var-fmt(txn.audience) "%[path]~%[var(txn.pass),field(1,~)]" if { var(txn.guest) -m bool }
  http-request set-var(txn.most) var(txn.audience),map_str_int(${LIMITS_FILE}) if { var(txn.audience) -m found }
  http-request set-var(txn.audience) path unless { var(txn.most) -m found }
  http-request set-var(txn.most) path,map_str_int(${LIMITS_FILE}) unless { var(txn.most) -m found } || { var(txn.exact) -m bool }
  # The counter of who brings a false password is in use: they would be counted nowhere.
  http-request return status 403 content-type text/plain string "This is no password of a monitor. Nobody needs one to listen.\\n" if { var(txn.most) -m found } { var(txn.monitor) -m bool }
  http-request set-var(txn.more) var(txn.audience),table_conn_cur(audience),sub(txn.most) if { var(txn.most) -m found }
  http-request return status 503 content-type text/plain string "This channel has as many listeners as it may. Try again later.\\n" hdr Retry-After ${FULL_RETRY_AFTER_S} if { var(txn.more) -m int ge 0 }
  http-request track-sc2 var(txn.audience) table audience unless { var(txn.exact) -m bool }
  http-request lua.gate ${MOST_LISTENERS_WAITING} ${GATE_PATIENCE_MS}
  http-request return status 503 default-errorfiles if { var(txn.turned_away) -m bool }
  http-request track-sc0 str(listener) table asked
  http-response track-sc1 str(listener) table answered

  # Icecast reads 4 KiB of a head, and a browser's cookies alone may be longer.
  http-request del-header ^(?!(user-agent|icy-metadata)$) -m reg
  http-request set-header User-Agent %[req.fhdr(user-agent),bytes(0,${MOST_AGENT_CHARACTERS})] if { req.fhdr(user-agent) -m found }
  # Those names are given here alone.
  http-request set-header User-Agent ${MONITOR_AGENT} if { req.fhdr(user-agent) -m beg "${MONITOR_AGENT} " }
  http-request del-header User-Agent if { req.fhdr(user-agent) -m beg ${GUEST_AGENT} }
  http-request set-header User-Agent "${MONITOR_AGENT} %[path]" if { var(txn.exact) -m bool }
  http-request set-var(txn.path) path
  http-request set-var(txn.agent) req.fhdr(user-agent)
  http-request set-header User-Agent "${GUEST_AGENT} %[var(txn.pass),field(1,~)] %[var(txn.pass),field(2,~)]" if { var(txn.guest) -m bool }
  http-request set-uri %[path]
  http-response set-var(txn.session) uuid() if METH_GET { status 200 }
  http-response set-log-level info if { var(txn.session) -m found }
  # Last, as the channel may have turned to its other mount while they waited at the gate. A monitor hears the mount that it asked for.
  http-request set-var(txn.turned) path,map_str(${MAP_FILE}) unless { var(txn.exact) -m bool }
  http-request set-path %[var(txn.turned)] if { var(txn.turned) -m found }
  # Icecast 2.4 knows no HEAD.
  http-request set-var(txn.head) bool(true) if METH_HEAD
  http-request set-method GET if METH_HEAD
  http-response set-var(txn.type) res.hdr(content-type) if { var(txn.head) -m bool }
  http-response return status 200 if { status 200 } { var(txn.head) -m bool }
  http-after-response set-header Content-Type %[var(txn.type)] if { status 200 } { var(txn.head) -m bool }
  # No password is asked of a listener. Icecast says 401 for the role's no, which means that there is no such channel, and also while
  # nobody is there to say no; 403 when it has no room.
  http-response return status 503 default-errorfiles if { status 401 } !{ nbsrv(role) gt 0 }
  http-response return status 503 default-errorfiles if { status 403 }
  http-response return status 404 content-type text/plain string "There is no such channel.\\n" if { status 401 404 }
${doors(LISTENER_DOORS)}

# Liquidsoap sends no sound until it is answered; Icecast asks the role, and would wait 15 s for one that hangs.
backend titles
  balance roundrobin
  timeout server ${TITLE_TIMEOUT_MS}ms
${FEW_FIELDS}
${doors(SOURCE_DOORS)}

backend administration
  balance roundrobin
${FEW_FIELDS}
${doors(SOURCE_DOORS)}

backend sources
  mode tcp
  balance roundrobin
  retries 3
${doors(SOURCE_DOORS)}

# Nobody is sent there; it is only looked whether the role is up.
backend role
  mode tcp
  server role 127.0.0.1:${settings.askPort} check inter 250ms rise 1 fall 2
`
}

/**
 * Marks those as `txn.refused` who bring no genuine token (`signSourceToken` of the contracts) while many such come. Genuine ones are never counted:
 * all engines of a server may come back at once, from the address of whoever floods. Which epoch may feed the mount, the role alone judges.
 */
function signatureRules(signingKey: string): string {
  const key = Buffer.from(signingKey).toString('base64')
  return `  acl login var(txn.source) -m bool
  acl login var(txn.title) -m bool
  acl login var(txn.monitor) -m bool
  tcp-request content set-var(txn.token) http_auth_pass if login
  tcp-request content set-var(txn.mount) url if { var(txn.source) -m bool } || { var(txn.monitor) -m bool }
  tcp-request content set-var(txn.mount) url_param(mount),url_dec if { var(txn.title) -m bool }
  tcp-request content set-var-fmt(txn.claim) "skipcast-source\\n%[var(txn.token),field(1,~)]\\n%[var(txn.mount)]\\n%[var(txn.token),field(2,~)]" if login
  tcp-request content set-var(txn.mac) var(txn.claim),hmac(sha256,${key}),bytes(0,16),ub64enc if login
  acl signed var(txn.token),field(3,~),secure_memcmp(txn.mac) -m bool
  tcp-request content set-var(txn.exact) bool(true) if { var(txn.monitor) -m bool } signed
  tcp-request content track-sc2 str(login) table false_logins if login !signed
  tcp-request content set-var(txn.refused) bool(true) if login !signed { sc2_conn_rate gt ${FALSE_LOGINS.most} }`
}

/** Who brings a genuine listen token (`signListenToken` of the contracts) is named by what it says; whether that is enough, the role judges. No token goes further than here. */
function guestRules(signingKey: string): string {
  const key = Buffer.from(signingKey).toString('base64')
  return `  http-request set-var(txn.pass) url_param(token),url_dec if { url_param(token) -m found }
  http-request set-var-fmt(txn.invitation) "skipcast-listener\\n%[var(txn.pass),field(1,~)]\\n%[var(txn.pass),field(2,~)]" if { var(txn.pass) -m found }
  http-request set-var(txn.pass_mac) var(txn.invitation),hmac(sha256,${key}),bytes(0,16),ub64enc if { var(txn.pass) -m found }
  http-request set-var(txn.guest) bool(true) if { var(txn.pass) -m found } { var(txn.pass),field(3,~),secure_memcmp(txn.pass_mac) -m bool } !{ var(txn.exact) -m bool }`
}

function listenAt(host: string, port: number): string {
  return `${isIPv6(host) ? 'ipv6@' : ''}${host}:${port}`
}
