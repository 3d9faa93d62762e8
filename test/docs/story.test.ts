import { expect, test, vi } from 'vitest'

test('npm start tells of a crash that loses nothing with acks=all, and of one that loses a record with acks=1', async () => {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation(line => lines.push(line))
  // @ts-expect-error a script without types
  await import('../../docs/story.mjs')
  log.mockRestore()
  expect(lines).toContain('broker-1 leads orders-0; broker-2 and broker-3 follow it.')
  expect(lines).toContain('Four records go in with acks=all and are acknowledged at offsets 0, 1, 2, 3.')
  expect(lines).toContain('broker-2 takes over in epoch 1; in sync: 2, 3.')
  expect(lines.filter(line => line.startsWith('  offset '))).toEqual([
    '  offset 0: created',
    '  offset 1: packed',
    '  offset 2: paid',
    '  offset 3: shipped',
  ])
  expect(lines.at(-1)).toMatch(/^Lost: 'paid', acknowledged at offset 1\./)
})
