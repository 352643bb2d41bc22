import { XMLParser } from 'fast-xml-parser'
import { unescapeXml } from './unescape-xml.ts'

/** One mount as Icecast shows it. */
export interface MountStatistics {
  readonly mount: string
  readonly listeners: number
  /** The most listeners at once since the present source connected. */
  readonly peak: number
  readonly bitrateKbps: number | null
  readonly title: string | null
  /** When the present source connected, in ms. */
  readonly startedAt: number | null
}

/** Everything else that stands there is read as one name: sources can add elements of any name (`ice-audio-info`), `__proto__` too. */
const FIELDS = new Set([
  'icestats',
  'source',
  'listeners',
  'listener_peak',
  'bitrate',
  'ice-bitrate',
  'artist',
  'title',
  'stream_start_iso8601',
])
const MOST_NESTED = 8
const MOST_TITLE_CHARACTERS = 2000

/** A parser that resolves nothing and makes no key that the document chose. */
const parser = new XMLParser({
  processEntities: false,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: MOST_NESTED,
  transformTagName: (name) => (FIELDS.has(name) ? name : 'other'),
  transformAttributeName: (name) => (name === '@mount' ? name : '@other'),
  isArray: (name) => name === 'source',
})

/**
 * Reads the answer of `/admin/stats`: no, one or many mounts. A mount whose entry makes no sense is left out.
 * Throws SyntaxError when the whole is no statistics of Icecast's, or declares a document type (entities are then near).
 */
export function readStatistics(xml: string): MountStatistics[] {
  if (/<!(DOCTYPE|ENTITY)/i.test(xml)) throw new SyntaxError('statistics never declare a document type')
  // The parser takes a document that was cut off for a short one, and the mounts behind the cut would pass for gone.
  if (!/(<\/icestats|<icestats\/)>\s*$/.test(xml.slice(-100))) throw new SyntaxError('it does not end as statistics do')
  const document = parse(xml)
  const icestats = Object.hasOwn(document, 'icestats') ? document['icestats'] : undefined
  if (icestats === undefined || Array.isArray(icestats)) throw new SyntaxError('no statistics of Icecast')
  const sources: unknown = typeof icestats === 'object' && icestats !== null ? (icestats as Fields)['source'] : undefined
  return Array.isArray(sources) ? sources.flatMap((source: unknown) => readMount(source) ?? []) : []
}

type Fields = Readonly<Record<string, unknown>>

function parse(xml: string): Fields {
  try {
    return parser.parse(xml) as Fields
  } catch (cause) {
    throw new SyntaxError('unreadable XML', { cause })
  }
}

function readMount(source: unknown): MountStatistics | null {
  if (typeof source !== 'object' || source === null) return null
  const text = (name: string) => {
    const value = Object.hasOwn(source, name) ? (source as Fields)[name] : undefined
    return typeof value === 'string' ? unescapeXml(value) : null
  }
  const mount = text('@mount')
  const listeners = readCount(text('listeners'))
  if (mount === null || listeners === null) return null
  return {
    mount,
    listeners,
    peak: Math.max(listeners, readCount(text('listener_peak')) ?? 0),
    bitrateKbps: readCount(text('bitrate')) ?? readCount(text('ice-bitrate')),
    title: readTitle(text('artist'), text('title')),
    startedAt: readInstant(text('stream_start_iso8601')),
  }
}

function readCount(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null
}

function readTitle(artist: string | null, title: string | null): string | null {
  const whole = [artist, title].filter((part) => part !== null && part !== '').join(' - ')
  const shown = whole
    .replaceAll(/\p{Cc}/gu, ' ')
    .slice(0, MOST_TITLE_CHARACTERS)
    .toWellFormed()
  return shown === '' ? null : shown
}

/** Icecast leaves the colon out of the zone: `2026-11-21T03:01:59+0000`. */
function readInstant(text: string | null): number | null {
  const instant = Date.parse((text ?? '').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))
  return Number.isNaN(instant) ? null : instant
}
