import { conform } from './conform.ts'

conform('platformatic-kafka')
