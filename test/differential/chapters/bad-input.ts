/** An id that no topic has. */
export const UNKNOWN_ID = 'bm8tc3VjaC10b3BpYy1pZA'

/** What it is → a name that no topic can have. */
export const BAD_NAMES: Readonly<Record<string, string>> = {
  empty: '',
  'a dot': '.',
  'two dots': '..',
  spaced: 'bad name',
  foreign: 'größe',
  'too long': 'x'.repeat(250),
}
