import { conform } from './conform.ts'

conform('kafkajs')
