import { conform } from './conform.ts'

conform('franz-go')
