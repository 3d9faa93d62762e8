import { RealRuntime } from '../../src/runtime/real.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import { runtimeContract } from './contract.ts'

runtimeContract('virtual', seed => new VirtualRuntime({ seed }))
runtimeContract('real', seed => new RealRuntime({ seed }))
