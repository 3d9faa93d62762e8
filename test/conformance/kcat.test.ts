import { conform } from './conform.ts'

conform('kcat')
