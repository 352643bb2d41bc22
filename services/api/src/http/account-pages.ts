import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { App } from './app-type.ts'

/**
 * Where the links in mails lead: two pages that need nothing else. The token stands after `#`, which no browser sends to a server or tells another page; and it is
 * used by a click, as programs that look into mails open links.
 */
const STYLE =
  'body{font:1rem/1.5 system-ui;max-width:26rem;margin:4rem auto;padding:0 1rem}input,button{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;margin:.3rem 0}'
const SCRIPT = `
const form = document.querySelector('form'), said = document.querySelector('p')
const token = new URLSearchParams(location.hash.slice(1)).get('token')
if (form.dataset.mail !== undefined && token) { form.hidden = true; document.querySelector('form + form').hidden = false }
for (const each of document.forms) each.addEventListener('submit', async (event) => {
  event.preventDefault()
  const body = Object.fromEntries(new FormData(each))
  if (each.dataset.mail === undefined) body.token = token ?? ''
  const answer = await fetch(each.action, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  said.textContent = (await answer.json()).message
  if (answer.ok) each.hidden = true
})`
const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const POLICY = `default-src 'none'; style-src ${hashOf(STYLE)}; script-src ${hashOf(SCRIPT)}; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'`

const page = (title: string, forms: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style><h1>${title}</h1>${forms}<p role="status"></p><script>${SCRIPT}</script></html>\n`

const PAGES = {
  '/account/confirm-email': {
    summary: 'The page that the link of confirmation leads to',
    text: page('Confirm your address', '<form action="/api/confirm-email"><button>Confirm</button></form>'),
  },
  '/account/reset-password': {
    summary: 'The page that the link for a new password leads to; without one, it asks for it',
    text: page(
      'Set a new password',
      '<form action="/api/password/forgot" data-mail><input name="email" type="email" required autocomplete="email" placeholder="Your e-mail address"><button>Send me a link</button></form><form action="/api/password/reset" hidden><input name="password" type="password" required minlength="10" maxlength="128" autocomplete="new-password" placeholder="New password"><button>Set it</button></form>',
    ),
  },
} as const

export function accountPages(app: App): void {
  for (const [url, { summary, text }] of Object.entries(PAGES)) {
    app.get(url, {
      config: { access: 'public' },
      schema: { tags: ['log-ins'], summary, response: { 200: { content: { 'text/html': { schema: z.string() } } } } },
      handler: async (_request, reply) =>
        reply
          .type('text/html; charset=utf-8')
          .headers({ 'content-security-policy': POLICY, 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' })
          .send(text),
    })
  }
}
