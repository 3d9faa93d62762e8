import { conform } from './conform.ts'

conform('confluent-kafka-javascript')
