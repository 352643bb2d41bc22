/** A list that is asked for. */
export interface ListCase {
  readonly of: 'channels' | 'media' | 'playlist'
  /** `mine`: what is theirs alone. */
  readonly who: 'nobody' | 'owner' | 'mine' | 'admin'
  readonly name: string
  readonly query: string
}

const lists = (of: ListCase['of'], who: ListCase['who'], queries: Readonly<Record<string, string>>): ListCase[] =>
  Object.entries(queries).map(([name, query]) => ({ of, who, name, query }))

/** For 100,000 channels, a tenth of them private, and as many media: pages near and far, and searches that find none, some and nearly all. */
export const LISTS: readonly ListCase[] = [
  ...lists('channels', 'nobody', {
    'first page': '',
    'by name': 'sort=name&order=asc',
    'changed last': 'sort=updated_at',
    'page 500': 'page=500',
    'last page': 'page=6000',
    'last page, by name': 'page=6000&sort=name',
    'last page, changed last': 'page=6000&sort=updated_at',
    genre: 'genre=jazz',
    'genre, last page by name': 'genre=jazz&sort=name&page=440',
    'search, one': 'search=station+{}+of',
    'search, some hundreds': 'search={3}',
    'search, some hundreds, last page by name': 'search={3}&sort=name&page=80',
    'search, none': 'search=nothing+like+it+{}',
    'search and genre, by name': 'search={3}&genre=jazz&sort=name',
    'search all and genre, by name': 'search=radio&genre=jazz&sort=name',
    'search, all': 'search=radio',
    'search, all, by name, page 667': 'search=radio&sort=name&page=667',
    'search, all, changed last': 'search=radio&sort=updated_at',
    'search, a tenth, last by slug': 'search=radio-9&sort=slug&order=asc',
    'search, a tenth, changed last': 'search=radio-9&sort=updated_at',
    'two characters, none': 'search=qq',
    'two characters, a third': 'search=e7&sort=name',
    'two characters, a third, page 667': 'search=e7&sort=name&page=667',
    'one character, all': 'search=a',
    'an emoji, none': 'search=%F0%9F%8E%B5',
    'signs, none': 'search=%25%25%25',
  }),
  ...lists('channels', 'owner', {
    'first page': '',
    'last page, by slug': 'page=6000&sort=slug',
    'search and genre, by name': 'search={3}&genre=jazz&sort=name',
    private: 'privacy=private&sort=name',
  }),
  ...lists('channels', 'admin', {
    'first page, changed last': 'sort=updated_at',
    'last page, by name': 'page=6667&sort=name',
    'private, last page': 'privacy=private&sort=name&page=667',
    'private, search, all': 'privacy=private&search=radio&sort=name',
  }),
  ...lists('media', 'mine', {
    'first page': '',
    'by title': 'sort=title&order=asc',
    'last page': 'page=6667',
    'last page, by artist': 'page=6667&sort=artist',
    'search, some hundreds': 'search={3}',
    'search, all, by length': 'search=song&sort=duration_ms',
    'two characters, none': 'search=qq',
  }),
  ...lists('media', 'admin', {
    'search, some hundreds, by title': 'search={3}&sort=title',
    'last page, by length': 'page=6667&sort=duration_ms',
  }),
  ...lists('playlist', 'owner', { 'first page of 10,000': '', 'last page': 'page=667' }),
]
