import type { AdminOptions } from '../../metadata/admin-configs.ts'
import type { ClientEnvironment } from '../environment.ts'

export class Admin {
  constructor(_config: AdminOptions, _environment: ClientEnvironment) {}
  close(): Promise<void> {
    throw new Error('being written')
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
