import type { AnyApi, RequestInput } from '../../src/wire/api.ts'
import type { AnyField, Fields } from '../../src/wire/schema.ts'

/** Whether a version carries the field. */
export function isIn(field: AnyField, version: number): boolean {
  return version >= field.spans.since && version <= field.spans.until
}

/** The body without the fields that this version does not have, so that one body serves all versions. */
export function fitting<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): RequestInput<A> {
  return struct(api.request.fields, body as object, version) as RequestInput<A>
}

function struct(fields: Fields, value: object, version: number): object {
  const fit: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(value)) {
    const field = fields[name]
    // What no version has goes on, for the codec to refuse.
    if (field === undefined) fit[name] = inner
    else if (isIn(field, version)) fit[name] = fitted(field, inner, version)
  }
  return fit
}

function fitted(field: AnyField, value: unknown, version: number): unknown {
  if (value === null || value === undefined) return value
  if (field.kind === 'struct') return struct(field.fields!, value as object, version)
  if (field.kind === 'array') return (value as unknown[]).map(each => fitted(field.element!, each, version))
  return value
}
