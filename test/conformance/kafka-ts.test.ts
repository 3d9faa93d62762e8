import { conform } from './conform.ts'

conform('kafka-ts')
