/** What an attacker or an accident puts into a text field. `canary` is a file that none of them may make. */
function fragments(canary: string): readonly string[] {
  return [
    // Liquidsoap: interpolation, protocols, annotations, playlists, the hub's own commands
    `#{process.run("touch ${canary}")}`,
    `"^process.run("touch ${canary}")^"`,
    `process:mp3,touch ${canary}`,
    `annotate:title="x",liq_cue_out="1":process:mp3,touch ${canary}`,
    `x\n#EXTM3U\n#EXTINF:1,x\nprocess:wav,touch ${canary}`,
    `say:x`,
    `synth:shape=sine`,
    `file:///etc/passwd`,
    `http://127.0.0.1:1/x.mp3`,
    `hub.remove {"key":"reference"}`,
    `x\nhub.remove {"key":"reference"}\nquit`,
    `%(touch ${canary})`,
    `$(if $(title),"x")`,
    // shells and programs' options
    `'; touch ${canary} #`,
    `$(touch ${canary})`,
    `\`touch ${canary}\``,
    `| touch ${canary}`,
    `&& touch ${canary} &&`,
    `\${IFS}touch\${IFS}${canary}`,
    `-i /etc/passwd -y ${canary}`,
    `--help`,
    `-`,
    // databases
    `'; DROP TABLE channels; --`,
    `' OR '1'='1`,
    `") UNION SELECT token_hash FROM api_tokens --`,
    `%' ESCAPE '\\`,
    `\\u0000`,
    `{"$ne":null}`,
    // markup
    `<script>alert(1)</script>`,
    `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>`,
    `]]></server_name><listeners>999999</listeners><server_name><![CDATA[`,
    `<source mount="/reference"><listeners>7</listeners></source>`,
    `</title><img src=x onerror=alert(1)>`,
    `&#0;&#x202e;&amp;&lt;`,
    `" onmouseover="alert(1)`,
    // headers and lines
    `x\r\nX-Evil: 1`,
    `x\r\n\r\nHTTP/1.0 200 OK\r\n\r\n`,
    `x\nice-public: 1`,
    `StreamTitle='x';StreamUrl='http://evil';`,
    `';StreamTitle='y`,
    `x\u0085y\u2028z\u2029`,
    // paths
    `../../../../${canary}`,
    `/../admin/killsource?mount=/reference`,
    `..%2f..%2fadmin%2fstats`,
    `.`,
    `con.mp3`,
    // objects of JavaScript
    `__proto__`,
    `constructor`,
    `{"__proto__":{"admin":true}}`,
    `[object Object]`,
    `undefined`,
    // formats and numbers
    `%s%s%s%n%n%n`,
    `%99999999999d`,
    `{{7*7}}\${7*7}<%= 7*7 %>`,
    `1e309`,
    `-0`,
    `NaN`,
    `9007199254740993`,
    // characters
    `\0`,
    `a\0b`,
    `\u001b[2J\u001b]0;x\u0007`,
    `\u0008\u0008\u007f`,
    `\u202eevil\u202c\u2066x\u2069`,
    `e\u0301\u0323\u0302`.repeat(20),
    `👩‍👩‍👧‍👦🏳️‍🌈🇩🇪`,
    `漢字かな한글العربيةעברית`,
    `\ufeff\ufffe\uffff\ufffd`,
    `\u{10ffff}\u{e0001}\u{1f600}`,
    `\ud800`,
    `x\udc00\ud83d`,
    `ﷺ`.repeat(18),
    `İıſ`,
    ` \t\u00a0\u3000\u200b`,
    ``,
    `x`.repeat(121),
    `ä`.repeat(2001),
    `"`.repeat(500),
    `\\`.repeat(99),
    `A`.repeat(10_240),
  ]
}

/** What one hostile text becomes next to another, or under a careless decoder. */
const mutations: readonly ((text: string, other: string, random: (below: number) => number) => string)[] = [
  (text) => text,
  (text) => text,
  (text) => text.replaceAll(/[\r\n\0\ud800-\udfff]/g, ' '),
  (text, other) => text + other,
  (text, other) => `${text}"${other}`,
  (text, other) => `'${text}' ${other}`,
  (text, other, random) => inserted(text, other, random(text.length + 1)),
  (text, other, random) => inserted(text, String.fromCharCode(random(0x80)), random(text.length + 1)) + other.slice(0, 20),
  (text, _, random) => text.slice(random(text.length + 1)),
  (text, _, random) => text.slice(0, random(text.length + 1)),
  (text, _, random) => text.repeat(1 + random(4)),
  (text) => encodeURIComponent(text.toWellFormed()),
  (text) => JSON.stringify(text),
  (text) => text.replaceAll('"', '\\"').replaceAll("'", "\\'"),
  (text) => text.toUpperCase(),
  (text) => Array.from(text).toReversed().join(''),
]

/** Longest text that is made, in UTF-16 units. */
const MAX_LENGTH = 10_240

/**
 * So many different hostile texts: code for every language on the way (Liquidsoap, shells, SQL, XML, HTML, HTTP), control and bidirectional characters,
 * broken surrogates, great lengths; each of them as it is, and mixed. The same seed gives the same texts. A text that is
 * ever executed makes the file `canary`.
 */
export function hostileStrings(seed: number, count: number, canary = '/tmp/skipcast-canary'): string[] {
  const all = fragments(canary)
  const random = randomBelow(seed)
  const pick = <T>(from: readonly T[]): T => from[random(from.length)]!
  const found = new Set(all.slice(0, count))
  while (found.size < count) {
    let text = pick(all)
    for (let rounds = 1 + random(3); rounds > 0; rounds--) text = pick(mutations)(text, pick(all), random).slice(0, MAX_LENGTH)
    found.add(text)
  }
  return [...found]
}

function inserted(text: string, other: string, at: number): string {
  return text.slice(0, at) + other + text.slice(at)
}

/** Whole numbers from 0 to below `limit`, always the same row for a seed (mulberry32). */
function randomBelow(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}
