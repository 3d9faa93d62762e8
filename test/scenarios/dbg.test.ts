import { story } from './story.ts'
import { Topic } from './topic.ts'
story('x', async world => {
    const topic = await Topic.create(world, [1], {
      'cleanup.policy': 'compact',
      'segment.ms': 1_000,
      'min.cleanable.dirty.ratio': 0,
      'delete.retention.ms': 4_000,
    })
    const put = (key: string, value: string | null) => topic.produce([{ key, value }])
    await put('k1', 'a')
    await put('k2', 'b')
    await put('k1', 'c')
    await put('k2', null)
    await world.sleep(1_200)
    await put('z', '1')
    await world.sleep(5000)
    console.log(JSON.stringify(await topic.fetch()), JSON.stringify(world.cluster!.partition(topic.name,0).replicaLogs.get(1)!.segments, null, 1))
    console.log(world.cluster!.trace.events.slice(-60).map(e => JSON.stringify(e)).filter(x => /compact|house|failed/.test(x)).join('\n'))
})
