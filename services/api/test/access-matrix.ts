/** Who asks for what, one for each column below. */
export const columns = [
  'nobody', // without a token
  'forger', // with a token that nobody gave out
  'unfit', // an admin’s token without any scope, on another’s
  'fit', // a dj’s token with the very scope of the route and no other, on their own
  'listener-own', // these have a session each
  'listener-other',
  'dj-own',
  'dj-other',
  'admin-other',
] as const

export type Column = (typeof columns)[number]

/** 401, 403 and 404 refuse, whether or not the rest of the request is right; `ok` is whatever got past the door. */
export type Cell = '401' | '403' | '404' | 'ok'

/**
 * The authorisation matrix: every route of the application, asked for by everybody. `own` and `other` say whose the objects are that the path names; where it names
 * none, both are the same. It is written down a second time on purpose: the routes themselves name a permission, and `domain/roles.ts` says what follows.
 */
const MATRIX = `
                                                   nobody forger  unfit fit   listener    dj          admin
                                                                              own  other  own  other  other
GET    /api/channels                               ok     ok      ok    ok    ok   ok     ok   ok     ok
POST   /api/channels                               401    401     403   ok    403  403    ok   ok     ok
GET    /api/channels/:channel                      ok     ok      ok    ok    ok   ok     ok   ok     ok
PUT    /api/channels/:channel                      401    401     403   ok    403  403    ok   403    ok
PATCH  /api/channels/:channel                      401    401     403   ok    403  403    ok   403    ok
DELETE /api/channels/:channel                      401    401     403   ok    403  403    ok   403    ok
GET    /api/channels/:channel/artwork              ok     ok      ok    ok    ok   ok     ok   ok     ok
PUT    /api/channels/:channel/artwork              401    401     403   ok    403  403    ok   403    ok
DELETE /api/channels/:channel/artwork              401    401     403   ok    403  403    ok   403    ok
GET    /api/channels/:channel/jobs                 401    401     403   ok    403  403    ok   403    ok
POST   /api/channels/:channel/genres               401    401     403   ok    403  403    ok   403    ok
DELETE /api/channels/:channel/genres               401    401     403   ok    403  403    ok   403    ok
POST   /api/channels/:channel/stream/start         401    401     403   ok    403  403    ok   403    ok
POST   /api/channels/:channel/stream/stop          401    401     403   ok    403  403    ok   403    ok
PUT    /api/channels/:channel/state                401    401     403   ok    403  403    ok   403    ok
GET    /api/channels/:channel/stream/status        ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /api/channels/:channel/stream-url           ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /api/channels/:channel/events               ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /api/channels/:channel/track-plays          ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /api/channels/:channel/metrics              401    401     403   ok    403  403    ok   403    ok
GET    /api/channels/:channel/media                ok     ok      ok    ok    ok   ok     ok   ok     ok
POST   /api/channels/:channel/media                401    401     403   ok    403  403    ok   403    ok
DELETE /api/channels/:channel/media                401    401     403   ok    403  403    ok   403    ok
PUT    /api/channels/:channel/media/order          401    401     403   ok    403  403    ok   403    ok
GET    /api/channels/:channel/placement            401    401     403   ok    403  403    ok   403    ok
PATCH  /api/channels/:channel/placement            401    401     403   ok    403  403    ok   403    ok
POST   /api/channels/:channel/move                 401    401     403   ok    403  403    ok   403    ok
GET    /api/events                                 ok     ok      ok    ok    ok   ok     ok   ok     ok
POST   /api/channels/:channel/like                 401    401     403   ok    ok   ok     ok   ok     ok
DELETE /api/channels/:channel/like                 401    401     403   ok    ok   ok     ok   ok     ok
GET    /api/channels/:channel/reviews              ok     ok      ok    ok    ok   ok     ok   ok     ok
POST   /api/channels/:channel/reviews              401    401     403   ok    ok   ok     ok   ok     ok
DELETE /api/channels/:channel/reviews/:review      401    401     403   ok    ok   403    ok   403    ok
GET    /api/channels/trash/view                    401    401     403   ok    403  403    ok   ok     ok
GET    /api/channels/trashed                       401    401     403   ok    403  403    ok   ok     ok
GET    /api/channels/trash/view/:trashed           401    401     403   ok    403  403    ok   404    ok
POST   /api/channels/trash/restore                 401    401     403   ok    403  403    ok   ok     ok
POST   /api/channel/trash/restore                  401    401     403   ok    403  403    ok   ok     ok
POST   /api/channels/restore                       401    401     403   ok    403  403    ok   ok     ok
POST   /api/channels/:trashed/restore              401    401     403   ok    403  403    ok   404    ok

POST   /api/media/upload                           401    401     403   ok    403  403    ok   ok     ok
POST   /api/media/uploads                          401    401     403   ok    403  403    ok   ok     ok
HEAD   /api/media/uploads/:upload                  401    401     403   ok    403  403    ok   404    404
PATCH  /api/media/uploads/:upload                  401    401     403   ok    403  403    ok   404    404
DELETE /api/media/uploads/:upload                  401    401     403   ok    403  403    ok   404    404
POST   /api/media                                  401    401     403   ok    403  403    ok   ok     ok
GET    /api/media                                  401    401     403   ok    ok   ok     ok   ok     ok
GET    /api/media/usage                            401    401     403   ok    ok   ok     ok   ok     ok
GET    /api/media/sweep                            401    401     403   403   403  403    403  403    ok
POST   /api/media/sweep                            401    401     403   403   403  403    403  403    ok
GET    /api/media/:media                           401    401     403   ok    ok   404    ok   404    ok
GET    /api/media/:media/file                      401    401     403   ok    ok   404    ok   404    ok
GET    /api/media/:media/original                  401    401     403   ok    ok   404    ok   404    ok
GET    /api/media/:media/cover                     401    401     403   ok    ok   404    ok   404    ok
GET    /api/media/:media/url                       401    401     403   ok    ok   404    ok   404    ok
GET    /api/media/:media/jobs                      401    401     403   ok    ok   404    ok   404    ok
GET    /api/media/:media/events                    401    401     403   ok    ok   404    ok   404    ok
GET    /api/media/:media/waveform                  401    401     403   ok    ok   404    ok   404    ok
PUT    /api/media/:media/cover                     401    401     403   ok    ok   404    ok   404    ok
DELETE /api/media/:media/cover                     401    401     403   ok    ok   404    ok   404    ok
POST   /api/media/:media/convert                   401    401     403   ok    403  403    ok   404    ok
POST   /api/media/:media/trim                      401    401     403   ok    403  403    ok   404    ok
POST   /api/media/:media/channels                  401    401     403   ok    403  403    ok   404    ok
DELETE /api/media/:media/channels                  401    401     403   ok    403  403    ok   404    ok
POST   /api/media/:media/like                      401    401     403   ok    ok   404    ok   404    ok
DELETE /api/media/:media/like                      401    401     403   ok    ok   404    ok   404    ok
GET    /api/media/trash/view                       401    401     403   ok    ok   ok     ok   ok     ok
GET    /api/media/trash/view/:trashedPiece         401    401     403   ok    ok   404    ok   404    ok
DELETE /api/media/trash/view/:trashedPiece         401    401     403   ok    ok   404    ok   404    ok
POST   /api/media/trash/restore                    401    401     403   ok    ok   ok     ok   ok     ok
PUT    /api/media/:media                           401    401     403   ok    ok   404    ok   404    ok
DELETE /api/media/:media                           401    401     403   ok    ok   404    ok   404    ok
POST   /api/media/:media/genres                    401    401     403   ok    ok   404    ok   404    ok
DELETE /api/media/:media/genres                    401    401     403   ok    ok   404    ok   404    ok

GET    /api/genres                                 ok     ok      ok    ok    ok   ok     ok   ok     ok
POST   /api/genres                                 401    401     403   403   403  403    403  403    ok
DELETE /api/genres/:genre                          401    401     403   403   403  403    403  403    ok

GET    /api/servers                                401    401     403   403   403  403    403  403    ok
POST   /api/servers/:server/drain                  401    401     403   403   403  403    403  403    ok
POST   /api/servers/:server/undrain                401    401     403   403   403  403    403  403    ok
GET    /api/users                                  401    401     403   403   403  403    403  403    ok
POST   /api/users                                  401    401     403   403   403  403    403  403    ok
PATCH  /api/users/:user                            401    401     403   403   403  403    403  403    ok
PATCH  /api/users/:user/quota                      401    401     403   403   403  403    403  403    ok
DELETE /api/users/:user                            401    401     403   403   403  403    403  403    ok
GET    /api/tokens                                 401    401     403   ok    ok   ok     ok   ok     ok
POST   /api/tokens                                 401    401     403   ok    ok   ok     ok   ok     ok
DELETE /api/tokens/:token                          401    401     403   ok    ok   404    ok   404    ok

GET    /api/account                                401    401     403   ok    ok   ok     ok   ok     ok
GET    /api/account/export                         401    401     403   403   ok   ok     ok   ok     ok
PATCH  /api/account                                401    401     403   403   ok   ok     ok   ok     ok
DELETE /api/account                                401    401     403   403   ok   ok     ok   ok     ok
POST   /api/account/password                       401    401     403   403   ok   ok     ok   ok     ok
POST   /api/account/email                          401    401     403   403   ok   ok     ok   ok     ok
GET    /api/account/sessions                       401    401     403   ok    ok   ok     ok   ok     ok
DELETE /api/account/sessions                       401    401     403   403   ok   ok     ok   ok     ok
DELETE /api/account/sessions/:session              401    401     403   403   ok   404    ok   404    404
POST   /api/account/totp                           401    401     403   403   ok   ok     ok   ok     ok
POST   /api/account/totp/confirm                   401    401     403   403   ok   ok     ok   ok     ok
DELETE /api/account/totp                           401    401     403   403   ok   ok     ok   ok     ok
POST   /api/logout                                 401    401     ok    ok    ok   ok     ok   ok     ok
POST   /api/register                               ok     ok      ok    ok    ok   ok     ok   ok     ok
POST   /api/confirm-email                          ok     ok      ok    ok    ok   ok     ok   ok     ok
POST   /api/confirm-email/resend                   ok     ok      ok    ok    ok   ok     ok   ok     ok
POST   /api/login                                  ok     ok      ok    ok    ok   ok     ok   ok     ok
POST   /api/password/forgot                        ok     ok      ok    ok    ok   ok     ok   ok     ok
POST   /api/password/reset                         ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /api/auth/providers                         ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /api/auth/:provider                         ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /api/auth/:provider/callback                ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /account/confirm-email                      ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /account/reset-password                     ok     ok      ok    ok    ok   ok     ok   ok     ok

GET    /api/test                                   ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /api/ping                                   ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /up                                         ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /healthz                                    ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /readyz                                     ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /metrics                                    401    401     403   ok    ok   ok     ok   ok     ok
GET    /docs                                       ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /docs/json                                  ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /docs/yaml                                  ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /docs/static/*                              ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /docs/static/index.html                     ok     ok      ok    ok    ok   ok     ok   ok     ok
GET    /docs/static/swagger-initializer.js        ok     ok      ok    ok    ok   ok     ok   ok     ok
`

/** `METHOD /path/:parameter` → what everybody gets. */
export const matrix: ReadonlyMap<string, Readonly<Record<Column, Cell>>> = new Map(
  MATRIX.split('\n')
    .filter((line) => /^[A-Z]+ +\//.test(line))
    .map((line) => {
      const [method, url, ...cells] = line.split(/ +/)
      if (cells.length !== columns.length) throw new Error(`not ${columns.length} cells: ${line}`)
      return [`${method} ${url}`, Object.fromEntries(columns.map((name, at) => [name, cells[at]])) as Record<Column, Cell>]
    }),
)
