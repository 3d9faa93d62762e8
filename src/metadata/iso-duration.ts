/**
 * ISO-8601 durations of days and less, as `auto.offset.reset=by_duration:PT1H30M` has them (KIP-1106).
 */
const FORM = /^P(?:(\d+)D)?(T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i

/** Milliseconds of `PnDTnHnMn.nS`, or undefined if it is none (negative durations are none here). */
export function durationMs(text: string): number | undefined {
  const parts = FORM.exec(text)
  if (parts === null || text.length < 3 || parts[2]?.length === 1) return undefined
  const [days, hours, minutes, seconds] = [parts[1], parts[3], parts[4], parts[5]].map(part => Number(part ?? 0))
  return Math.floor((((days! * 24 + hours!) * 60 + minutes!) * 60 + seconds!) * 1000)
}
