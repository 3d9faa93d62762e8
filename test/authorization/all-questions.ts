import { aclQuestions } from './acl-questions.ts'
import { clusterQuestions } from './cluster-questions.ts'
import { groupQuestions } from './group-questions.ts'
import type { Question } from './questions.ts'
import { tokenQuestions } from './token-questions.ts'
import { lastTopicQuestions, topicQuestions } from './topic-questions.ts'
import { transactionQuestions } from './transaction-questions.ts'

export const questions: readonly Question[] = [
  ...topicQuestions,
  ...transactionQuestions,
  ...aclQuestions,
  ...clusterQuestions,
  ...groupQuestions,
  ...tokenQuestions,
  ...lastTopicQuestions,
]
